"""A head made by physics: demo, teaching and test data without patients."""

PNG_SLICES, VOLUME_SLICES = 6, 24
"""Slices a subject and phase: near the midline for PNG, across the head otherwise."""
SUBJECTS, SEED, MATRIX, LESIONS = 24, 1020, 256, 0.3
"""What is made unless another number is asked for; of lesions the chance."""
LEAST_MATRIX, MOST_MATRIX = 16, 1024
"""Rows and columns: fewer show no head, more take gigabytes."""
