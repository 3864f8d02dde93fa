"""Small grey pictures for tests, and folders of them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def grey_values(rows: int = 40, columns: int = 32, seed: int = 0) -> NDArray[np.uint8]:
    """Return blurred patches with some noise, shape (row, column); another seed is another picture."""
    generator = np.random.default_rng(seed)
    patches = Image.fromarray(generator.integers(20, 235, (8, 9)).astype(np.uint8))
    smooth = np.asarray(patches.resize((columns, rows), Image.Resampling.BICUBIC))
    noisy = smooth + generator.normal(0, 3, smooth.shape)
    pixels: NDArray[np.uint8] = np.clip(noisy, 0, 255).astype(np.uint8)
    return pixels


def write_slice(path: Path, seed: int = 0) -> Path:
    """Write one such picture, its folder too, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(grey_values(seed=seed)).save(path)
    return path


def write_classes(folder: Path, n_images: int = 5, pre: str = "no_gad", post: str = "with_gad") -> Path:
    """Write ``n_images`` different pictures into each of two class folders and return ``folder``."""
    for start, name in ((0, pre), (1000, post)):
        for index in range(n_images):
            write_slice(folder / name / f"{index:03d}.png", seed=start + index)
    return folder
