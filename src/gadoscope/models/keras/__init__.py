"""Weights that the lesson's notebook saved, read without Keras."""
