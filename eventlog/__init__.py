"""Where events are kept, in one order, and how they are read back. Knows nothing of training."""
