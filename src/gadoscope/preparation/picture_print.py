"""A print of a picture that survives another file format, another size and another brightness.

Two difference hashes of 12 x 12 cells, along the rows and along the columns: 288 bits. `near_duplicates`
has 64 bits, enough among the images of one folder; here each image meets thousands of strangers, and those
must not look like it. Measured on 1,316 real slices of four sources: of their copies as JPEG of quality 30
and 60, of half the size, of 256 x 256 and 1.3 times the size 97 to 100 % lie within `MAX_DISTANCE`, of those
dimmed to 0.7 90 %; of 916 slices of other people the nearest of all 1,316 is 14 bits away at least.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 12
MARGIN_GREY = 1.5
"""By how much a cell must be brighter: with a third of it three times as many bits differ at quality 30."""
PRINT_BYTES = 2 * SIDE * SIDE // 8
MAX_DISTANCE = 12
"""Bits in which two copies may differ; measured, see above."""
MIN_BITS = 24
"""Set in a print: below that there is no picture to recognise, only a grey area; real slices have more."""
_WORDS = -(-PRINT_BYTES // 8)  # of 64 bits, the last one filled with zeros
_BLOCK_ROWS = 128  # 128 x 20,000 distances of five words take 100 MB


def print_picture(pixels: NDArray[np.uint8]) -> bytes:
    """Return the print of a grey slice (row, column)."""
    image = Image.fromarray(np.ascontiguousarray(pixels)).convert("F")
    along_rows = np.asarray(image.resize((SIDE + 1, SIDE), Image.Resampling.BOX))
    along_columns = np.asarray(image.resize((SIDE, SIDE + 1), Image.Resampling.BOX))
    brighter = (np.diff(along_rows, axis=1) > MARGIN_GREY, np.diff(along_columns, axis=0) > MARGIN_GREY)
    return np.packbits(np.concatenate([part.ravel() for part in brighter])).tobytes()


def find_alike(asked: NDArray[np.uint8], known: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return for each print of ``asked`` whether one of ``known`` is of the same picture, shape (n,).

    Parameters
    ----------
    asked, known
        Prints, shapes (n, PRINT_BYTES) and (m, PRINT_BYTES).
    """
    alike = np.zeros(len(asked), dtype=np.bool_)
    if not len(known):
        return alike
    one, other = _to_words(asked), _to_words(known)
    has_detail = np.bitwise_count(one).sum(axis=1) >= MIN_BITS
    for start in range(0, len(one), _BLOCK_ROWS):
        block = one[start : start + _BLOCK_ROWS]
        distance = np.zeros((len(block), len(other)), dtype=np.uint16)
        for word in range(_WORDS):
            distance += np.bitwise_count(block[:, word, np.newaxis] ^ other[:, word])
        alike[start : start + _BLOCK_ROWS] = distance.min(axis=1) <= MAX_DISTANCE
    found: NDArray[np.bool_] = alike & has_detail
    return found


def _to_words(prints: NDArray[np.uint8]) -> NDArray[np.uint64]:
    padded = np.zeros((len(prints), 8 * _WORDS), dtype=np.uint8)
    padded[:, :PRINT_BYTES] = prints
    words: NDArray[np.uint64] = padded.view(np.uint64)
    return words
