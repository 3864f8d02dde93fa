"""Labelled images looked at before training: leaks, copies, what gives the label away."""
