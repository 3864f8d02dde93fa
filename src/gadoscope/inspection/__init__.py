"""Labelled images looked at before training: leaks, copies, what gives the label away."""

DEFAULT_CASES = 12
"""Groups of copies, and images with text, that an audit shows, unless it is told another number."""
