"""The series of one DICOM study: opened together, in order, judged together."""
