"""NIfTI files become series of volumes."""
