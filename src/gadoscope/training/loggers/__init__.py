"""Whom a training tells of its epochs beside its own folder: nobody by default."""
