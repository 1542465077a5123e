"""Networks and simpler models, their training, and what a run leaves in its folder."""
