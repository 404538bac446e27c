"""Shows that the log was not changed: a Merkle tree over its events, checkpoints and proofs."""
