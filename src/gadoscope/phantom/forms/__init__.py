"""A cohort written as slices, DICOM, NIfTI or BIDS."""
