"""A path becomes an image."""
