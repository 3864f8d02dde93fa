"""Audit labelled images before training: what leaks, what is there twice, what gives the label away."""
