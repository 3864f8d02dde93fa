"""Decoders in processes of their own, which may die without the run."""
