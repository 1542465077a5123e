"""What the runs say, as numbers and tables."""
