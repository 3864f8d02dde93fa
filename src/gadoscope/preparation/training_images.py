"""The images that a bundle was made from, small enough to travel with it: who meets them again is told.

Of each image eight bytes of its file's SHA-256, which tell the same file, and a print of the picture, which
tells a copy in another format or size. Neither shows anything of the image.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gadoscope.inference.bundle import Bundle
from gadoscope.inference.default import read_training_images
from gadoscope.preparation.picture_print import PRINT_BYTES, find_alike
from gadoscope.records import Data

VERSION = 1
FEW_ALIKE = 0.01
"""Share of the images up to which pictures that look like a training image are taken for chance."""
IMAGES_KEY = "images"
"""Of a bundle's ``training``: what `TrainingImages.to_dict` wrote."""
PREFIX_BYTES = 8
"""Of a SHA-256: two files of a million have the same by a chance of one in thirty million."""
ROW_BYTES = PREFIX_BYTES + PRINT_BYTES
MAX_IMAGES = 12_000
"""That are kept, drawn by SHA-256: 700 kB of text, where a bundle's metadata may have 1 MiB. Of more images
a part tells as well that data are known."""


@dataclass(frozen=True, eq=False)
class TrainingImages:
    """What a bundle knows of the images that it was made from.

    Attributes
    ----------
    n_images
        How many there were; ``rows`` may hold fewer.
    rows
        SHA-256 prefix and print of each, shape (n, ROW_BYTES), uint8, ascending.
    """

    n_images: int
    rows: NDArray[np.uint8]

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[str, bytes]]) -> Self:
        """Return those of (SHA-256 in hexadecimal, print) pairs; the same ones whatever their order."""
        rows = sorted({bytes.fromhex(digest)[:PREFIX_BYTES] + one for digest, one in pairs if digest})
        kept = np.frombuffer(b"".join(rows[:MAX_IMAGES]), dtype=np.uint8).reshape(-1, ROW_BYTES)
        return cls(n_images=len(rows), rows=kept)

    @classmethod
    def from_dict(cls, document: Any) -> Self | None:
        """Return what `to_dict` wrote, or None where it is not of this version or is damaged."""
        if not isinstance(document, Mapping) or document.get("version") != VERSION:
            return None
        try:
            packed = base64.b64decode(document["images"], validate=True)
            rows = np.frombuffer(packed, dtype=np.uint8).reshape(-1, ROW_BYTES)
            return cls(n_images=int(document["n_images"]), rows=rows)
        except (KeyError, ValueError, TypeError, binascii.Error):
            return None

    def with_those_of(self, other: Self | None) -> Self:
        """Return these and, as far as there is room, those of the bundle that this one began as."""
        if other is None:
            return self
        known = {row.tobytes() for row in self.rows}
        further = [row.tobytes() for row in other.rows if row.tobytes() not in known]
        n_common = len(other.rows) - len(further)
        kept = sorted([*known, *further[: MAX_IMAGES - len(known)]])
        return type(self)(
            n_images=self.n_images + other.n_images - n_common,
            rows=np.frombuffer(b"".join(kept), dtype=np.uint8).reshape(-1, ROW_BYTES),
        )

    def to_dict(self) -> Data:
        """Return them for JSON."""
        return {
            "version": VERSION,
            "n_images": self.n_images,
            "images": base64.b64encode(self.rows.tobytes()).decode("ascii"),
        }

    def find(
        self, digests: Sequence[str], prints: Sequence[bytes]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return for each image whether its file, and whether its picture, is among these, shape (n,)."""
        known = {row.tobytes() for row in self.rows[:, :PREFIX_BYTES]}
        same = np.array([bytes.fromhex(one)[:PREFIX_BYTES] in known for one in digests], dtype=np.bool_)
        asked = np.frombuffer(b"".join(prints), dtype=np.uint8).reshape(-1, PRINT_BYTES)
        return same, find_alike(asked, self.rows[:, PREFIX_BYTES:])


def read_known(bundle: Bundle) -> TrainingImages | None:
    """Return the images that a bundle was made from, as far as it says; None where it says nothing.

    The default bundle has a list of its public images beside it, which says more than its own.
    """
    listed = read_training_images(bundle.sha256) or bundle.metadata.training.get(IMAGES_KEY)
    return TrainingImages.from_dict(listed)
