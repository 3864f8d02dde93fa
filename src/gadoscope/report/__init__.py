"""One look for every page: figures, curves, pictures, findings."""
