"""Objects at an address, s3:// or another, read as files are."""
