"""What `make` runs: the plan of a report, and one step of it."""
