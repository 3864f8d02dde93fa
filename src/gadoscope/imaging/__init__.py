"""Arrays in, arrays out: NumPy, SciPy, Pillow."""
