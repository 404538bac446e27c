"""What may happen in employee training: aggregates decide and record events. No I/O."""
