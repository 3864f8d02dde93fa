"""What a header says of contrast, and whether its tags can be a T1 brain series.

Plain mappings in, answers out: a key is a pydicom keyword, a value is text, a number, or a list of
these; a sequence is a list of mappings. Units are DICOM's: milliseconds, degrees, ``HHMMSS``. Nothing
here opens a file but the lexicon that is packaged with it.
"""
