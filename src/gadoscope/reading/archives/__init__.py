"""Zips, tars and folders opened as places to read from, within limits."""
