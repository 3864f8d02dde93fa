"""How good a bundle is, and what the figure is worth: labelled images become a report."""

DEFAULT_CASES = 24
"""Wrong answers that a report shows with pictures, unless it is told another number."""
