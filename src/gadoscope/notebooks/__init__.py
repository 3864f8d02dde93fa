"""The lesson as a notebook, which `gadoscope notebook` writes out."""
