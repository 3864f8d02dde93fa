"""From prediction tables to figures and reports."""
