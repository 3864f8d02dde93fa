"""The networks, and the weights that others trained for them."""
