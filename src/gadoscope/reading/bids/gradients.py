"""The b-values that lie beside an image: what has some above zero is diffusion, whatever its name.

dcm2niix writes ``scan.bval`` beside ``scan.nii.gz``, FSL wants ``bvals`` in the folder. What BIDS lets lie in
upper folders belongs to images that are named ``_dwi``, which are refused by their name. Used while folders
are walked, so it is light.

References
----------
BIDS 1.11, "Required gradient orientation information"; FSL, FDT user guide (bvals, bvecs)
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from gadoscope.errors import InputError
from gadoscope.reading.archives.places import Place, open_place
from gadoscope.reading.nifti.names import split_suffix

LOWEST_B_VALUE = 10.0
"""s/mm2; below it the imaging gradients of a b = 0 image are counted. Diffusion scans begin at 50."""
MAX_BYTES = 2**20
"""Of a file of b-values: 512 volumes take 3 kB, their directions 30 kB."""
_NAME = re.compile(r"(.*?)[._-]?(b-?val(?:ue)?s?|b-?vec(?:tor)?s?)(?:\.txt|\.tsv|\.dat)?", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s,;\[\]()]+")
_N_AXES = 3
_REMEMBERED_FOLDERS = 64


def is_called_gradients(name: str) -> bool:
    """Return whether a file has the name of one with b-values or directions."""
    return _NAME.fullmatch(name) is not None


def is_gradient_file(path: Place) -> bool:
    """Return whether a file holds the b-values or directions of an image beside it: no input of its own."""
    return is_called_gradients(path.name) and bool(_list(path.parent)[1])


@dataclass(frozen=True)
class Gradients:
    """A file of b-values that may be an image's.

    Attributes
    ----------
    is_own
        Whether it has the image's name.
    b_values
        In s/mm2. Of a file of directions alone the smallest b-value for each that is not zero.
    """

    is_own: bool
    b_values: tuple[float, ...]


def read_gradients(image: Place) -> tuple[Gradients, ...]:
    """Return the b-values beside a NIfTI file that are not those of another image there."""
    gradients, images = _list(image.parent)
    stem = split_suffix(image.name)[0].lower()
    return tuple(
        Gradients(of == stem, tuple(_read_b_values(image.with_name(name))))
        for name, of in gradients
        if of == stem or of not in images
    )


def find_b_value(gradients: Sequence[Gradients], n_volumes: int) -> float:
    """Return the largest b-value of an image, in s/mm2; 0 if none is above zero.

    Parameters
    ----------
    gradients
        As from `read_gradients`.
    n_volumes
        Of the image: a file without its name is its if it holds as many values.
    """
    its = [one for one in gradients if one.is_own or len(one.b_values) == n_volumes > 1]
    largest = max((value for one in its for value in one.b_values), default=0.0)
    return largest if largest >= LOWEST_B_VALUE else 0.0


def _list(folder: Place) -> tuple[tuple[tuple[str, str], ...], frozenset[str]]:
    try:
        return _list_at(folder, folder.stat().st_mtime_ns)
    except OSError:  # a folder that may be entered but not listed
        return (), frozenset()


@lru_cache(maxsize=_REMEMBERED_FOLDERS)
def _list_at(folder: Place, changed_ns: int) -> tuple[tuple[tuple[str, str], ...], frozenset[str]]:
    """Return a folder's gradient files, each with the stem it belongs to, and the stems of its images."""
    names = sorted(file.name for file in folder.iterdir())
    gradients = ((name, _NAME.fullmatch(name)) for name in names)
    stems = frozenset(split_suffix(name)[0].lower() for name in names) - {""}
    return tuple((name, match[1].lower()) for name, match in gradients if match), stems


def _read_b_values(path: Place) -> list[float]:
    """Return a file's b-values; none if it cannot be read, for the image may be read all the same."""
    try:
        with open_place(path) as file:
            text = file.read(MAX_BYTES).decode("utf-8-sig", "replace")
        rows = [[float(word) for word in _SEPARATORS.split(line) if word] for line in text.splitlines()]
    except (InputError, ValueError):
        return []
    rows = [row for row in rows if row]
    if not all(math.isfinite(value) for row in rows for value in row):
        return []
    match = _NAME.fullmatch(path.name)
    if match is None or "vec" not in match[2].lower():
        return [value for row in rows for value in row]
    if len(rows) == _N_AXES:  # FSL's: three rows
        rows = [list(vector) for vector in zip(*rows, strict=False)]
    return [LOWEST_B_VALUE if any(row) else 0.0 for row in rows]
