"""The default bundle and its SHA-256; `docs/model-card.md` says what it is."""
