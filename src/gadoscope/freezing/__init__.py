"""What is chosen on validation data and then frozen in the bundle."""
