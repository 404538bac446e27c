"""The long-running processes, one file each."""
