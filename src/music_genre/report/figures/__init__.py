"""Arrays or tables in, a Figure out: a module for each notebook that draws, with its name."""
