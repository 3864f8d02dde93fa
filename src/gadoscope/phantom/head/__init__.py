"""Anatomy: shapes, regions and tissues, each subject a little different."""
