"""A scan is opened: what lies beside it, and what its header and its size refuse."""
