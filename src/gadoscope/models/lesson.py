"""The lesson's network in figures: what `siim` builds, and what a Keras file is compared with.

References
----------
SIIM, "Simple Binary Classifier using Keras"
"""

INPUT_SIZE = 331
RGB_CHANNELS = 3
FILTERS = (16, 16, 32, 32, 64, 64)
KERNEL_SIZE = 3
POOL_SIZE = 2
DENSE_UNITS = 64
DROPOUT_RATE = 0.2
LESSON_SEED = 1020


def map_sizes() -> list[tuple[int, int]]:
    """Return the side of each convolution's map and of its pooled map; 331 ends at 3."""
    sizes: list[tuple[int, int]] = []
    size = INPUT_SIZE
    for _ in FILTERS:
        convolved = size - KERNEL_SIZE + 1
        size = convolved // POOL_SIZE
        sizes.append((convolved, size))
    return sizes


N_FEATURES = map_sizes()[-1][1] ** 2 * FILTERS[-1]
"""Flattened: 3 x 3 x 64 = 576."""
