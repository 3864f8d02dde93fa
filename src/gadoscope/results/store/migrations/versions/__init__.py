"""Each migration, once: what was released is never changed."""
