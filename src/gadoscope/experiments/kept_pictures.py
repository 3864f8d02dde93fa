"""The slices that were held out, kept small on disk as they are scored: who is suspected shows last."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Floats
from gadoscope.preparation.items import Item
from gadoscope.report.pictures import picture, shrink


class KeptPictures:
    """Slices in one file, by the name of each.

    Parameters
    ----------
    path
        The file; one that is there is replaced when the first slice comes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[str, tuple[int, tuple[int, ...]]] = {}
        self._end = 0

    def keep(self, items: Sequence[Item], pixels: Sequence[NDArray[np.uint8]], _logit: Floats, /) -> None:
        """Add slices, as small as they will be shown."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab" if self._places else "wb") as file:
            for item, slice_ in zip(items, pixels, strict=True):
                small = shrink(slice_)
                file.write(small.tobytes())
                self._places[item.name] = self._end, small.shape
                self._end += small.size

    def draw(self, name: str) -> str:
        """Return a slice as the address of an embedded picture."""
        start, shape = self._places[name]
        with self._path.open("rb") as file:
            file.seek(start)
            read = file.read(int(np.prod(shape)))
        return picture(np.frombuffer(read, dtype=np.uint8).reshape(shape))
