"""Proving the log: how fast the tree catches up, and how fast the whole log is verified.

python -m benchmarks.prove [--events 1000000] [--rounds 3] [--database URL]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from time import perf_counter

import psutil
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.clients import take_turns
from benchmarks.made_up_log import write_log
from benchmarks.projecting import migrate_database
from benchmarks.report import publish, table
from benchmarks.servers import connect_patiently, scratch_database
from eventlog.pool import open_connection
from eventlog.reader import LogReader
from projections.session import open_patient
from proof import schema, whole_log
from proof.notes import Signer
from rollbook.assembly import event_codec
from workers.notarize import BATCH_EVENTS, Notary

TREE, VERIFY, READ = "tree", "verify", "read"

KEY = Ed25519PrivateKey.generate()
SIGNER = Signer("localhost/benchmark", KEY.public_key().public_bytes_raw(), KEY.sign)


def grow(url: str) -> None:
    """Build the tree over the whole log from nothing."""
    with connect_patiently(url) as conn:
        conn.execute("drop table rollbook.merkle_leaves, rollbook.merkle_subtrees")
        conn.execute("drop table rollbook.checkpoints")
        schema.create_tables(conn)
    migrate_database(url)
    with open_connection(url) as conn:
        notary = Notary(conn, SIGNER, checkpoint_seconds=0)
        while notary.add_batch():
            pass
        notary.sign_when_due()


def verify(url: str) -> None:
    """Hold the whole log to the tree."""
    with open_patient(url) as log, open_patient(url) as tree:
        assert whole_log.verify(log, tree, None, SIGNER.verifier_key, print, print).holds


def read(url: str) -> None:
    """Read the whole log in order, and do nothing with it."""
    with open_connection(url) as conn:
        reader = LogReader(conn)
        while reader.read(BATCH_EVENTS):
            pass


SUBJECTS: Mapping[str, Callable[[str], None]] = {TREE: grow, VERIFY: verify, READ: read}


def main() -> None:
    """Measure both beside plain reading, in turn."""
    options = parse()
    with scratch_database(options.database) as scratch:
        migrate_database(scratch.url)
        with connect_patiently(scratch.url) as conn:
            write_log(conn, event_codec(), options.events)
        grow(scratch.url)

        def rate(subject: str) -> float:
            began = perf_counter()
            SUBJECTS[subject](scratch.url)
            return float(options.events / (perf_counter() - began))

        rates = take_turns(list(SUBJECTS), options.rounds, rate)
        rows = [[name, rates.ratio(name, READ), rates.median(name)] for name in SUBJECTS]
        memory = psutil.Process().memory_info().rss / 2**20
        text = f"{options.events:,} events, {memory:.0f} MiB\n\n"
        text += table(["", "to reading", "events/s"], rows)
        publish("prove", scratch.url, text, {"memory_mib": memory, "prove": rates.rounds})


def parse() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prove")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", help="URL of a server on which a scratch database is made")
    return parser.parse_args()


if __name__ == "__main__":
    main()
