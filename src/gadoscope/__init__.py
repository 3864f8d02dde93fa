"""Tell whether a T1 brain MRI was acquired before or after gadolinium contrast."""

__version__ = "0.1.0"
