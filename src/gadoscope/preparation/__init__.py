"""From files to training arrays."""
