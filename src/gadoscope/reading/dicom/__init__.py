"""DICOM instances become series of volumes."""
