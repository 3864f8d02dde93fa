"""Labelled data become arrays: manifest, subjects, split, store."""

DEFAULT_SIDE = 320
"""Rows and columns of copies, pixels: a head has seldom more, and the default model looks at half of it."""
LEAST_SIDE, MOST_SIDE = 32, 4096
