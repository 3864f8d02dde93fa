"""Training slices as other scanners, hospitals and archives would show them."""
