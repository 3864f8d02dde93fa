"""What the names and sidecars of a BIDS data set say."""
