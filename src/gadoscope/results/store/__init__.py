"""Answers of many runs in a database."""
