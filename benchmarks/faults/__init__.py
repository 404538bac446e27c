"""Writers and readers of the log as processes that are disturbed in every way we know of."""
