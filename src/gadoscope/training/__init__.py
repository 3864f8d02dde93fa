"""From arrays to a bundle: config, batches, one loop, checkpoints, export."""
