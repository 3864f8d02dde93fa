"""Labelled data become arrays: manifest, subjects, split, store."""
