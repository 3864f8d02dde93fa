"""A path becomes a series of slices."""
