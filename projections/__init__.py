"""The read tables, one file each: how an event changes a row, and how rows are asked for."""
