"""Where the inputs come from: clips, the features table, splits."""
