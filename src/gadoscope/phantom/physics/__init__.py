"""Signal, noise and scanner: how a head becomes voxels."""
