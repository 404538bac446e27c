"""The directory of employees: names and departments, kept outside the log to be erasable."""
