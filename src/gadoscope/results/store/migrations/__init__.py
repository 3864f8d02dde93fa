"""How a store of an older Gadoscope becomes one of today, for Alembic."""
