"""Figures, captions, the page, and its publication."""
