"""Where the numbers come from: clips, the features table, splits."""
