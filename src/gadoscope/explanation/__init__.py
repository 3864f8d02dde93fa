"""What in a slice argued for which answer."""
