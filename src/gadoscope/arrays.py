"""The types of arrays, said once; their shapes stand in the docstrings."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
"""Half the memory, where a network or a picture needs no more digits."""
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]
