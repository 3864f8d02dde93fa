"""Answers written where people work."""
