"""Figures with their intervals, by subject: one table of predictions in, numbers out."""
