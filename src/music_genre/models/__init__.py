"""What learns from the table, and what a run leaves."""
