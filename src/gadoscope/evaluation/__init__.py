"""How good a bundle is, and what the figure is worth: labelled images become a report."""
