"""The default bundle, `default.onnx`, and its SHA-256; `docs/model-card.md` says what it is."""
