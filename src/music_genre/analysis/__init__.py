"""What finished runs show, as numbers and tables: a module for each question."""
