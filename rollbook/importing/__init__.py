"""Takes over records of other systems, through the same commands as everybody else."""
