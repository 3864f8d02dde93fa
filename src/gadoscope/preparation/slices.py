"""A labelled item becomes its slices: the one door for whoever trains, judges or inspects.

A slice image is its own slice. Of a scan they are those that `classify` would read by the same policy, after
the same questions: what that refuses is refused here. Neither pydicom nor nibabel is imported before the
first scan is opened.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import InputError
from gadoscope.files import hash_file
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.labels import Plane
from gadoscope.parallel import map_in_order
from gadoscope.preparation.items import Item
from gadoscope.preparation.places import find_container
from gadoscope.preparation.series import SERIES_COLUMN, find_series
from gadoscope.reading.formats import PREFIX_BYTES, Kind, find_format, find_kind
from gadoscope.reading.images import decode_slice
from gadoscope.reading.regular_files import open_regular_file

SCANS = frozenset({Kind.DICOM, Kind.DICOMDIR, Kind.NIFTI, Kind.ZIP, Kind.TAR})
"""Kinds of files that are read as scans; all others are for the reader of images to read, or to refuse."""
PAIR_ENDINGS = (".hdr", ".hdr.gz")
"""Of a header whose voxels lie in another file."""

Stamp = tuple[int, int, int]
"""Size in bytes, time of change and time of the inode's change: cheap signs of other content."""


def name_slice(item: Item, number: int, plane: Plane) -> Item:
    """Return the row of one slice of a scan.

    Parameters
    ----------
    item
        The scan, which is the slice's series where the data do not name one.
    number
        From 1.
    plane
        As it was measured; what the data say counts more.
    """
    return replace(
        item,
        plane=plane if item.plane is Plane.UNKNOWN else item.plane,
        extra={**item.extra, SERIES_COLUMN: find_series(item.extra) or str(item.path)},
        slice_number=number,
        found=None,
    )


@dataclass(frozen=True, eq=False)
class ItemSlices:
    """What of an item is looked at.

    Attributes
    ----------
    items
        One for each slice: the item itself where it is an image.
    pixels
        Of each slice, 0..255, uint8 (row, column).
    warnings
        What was repaired, one sentence each.
    """

    items: tuple[Item, ...]
    pixels: tuple[NDArray[np.uint8], ...]
    warnings: tuple[str, ...] = ()


class OpenItem(Protocol):
    """An item that is open; nothing of it is decoded yet."""

    item: Item

    @property
    def form(self) -> str:
        """Return PNG, JPEG ..., DICOM or NIfTI, by the content; empty where it is none of these."""

    @property
    def image(self) -> BufferedReader | None:
        """Return the file of a slice image; None of a scan."""

    def digest(self) -> str:
        """Return the SHA-256 of its content, as `digest_item`."""

    def stamp(self) -> Stamp:
        """Return cheap signs of other content."""

    def read(self, policy: SlicePolicy) -> ItemSlices:
        """Decode the slices; errors as `read_item`."""


def read_item(item: Item, policy: SlicePolicy) -> ItemSlices:
    """Return the slices of an item that a network of this policy reads.

    Raises
    ------
    InputError
        With the reason that `classify` would give, or ``several_volumes``: one label is of one volume.
    """
    with open_item(item) as opened:
        return opened.read(policy)


@contextmanager
def open_item(item: Item) -> Iterator[OpenItem]:
    """Open an item for reading.

    Raises
    ------
    InputError
        If the system cannot open or read it, also inside the block.
    """
    is_folder = item.found is not None or os.path.isdir(item.path)  # noqa: PTH112 - Path's own may raise
    if not is_folder and find_container(item.path) is None:
        with open_regular_file(item.path) as file:
            prefix = file.read(PREFIX_BYTES)
            if find_kind(prefix) not in SCANS:
                yield _OpenImage(item, file, prefix)
                return
    from gadoscope.preparation.scans import open_scan  # noqa: PLC0415 - images do without

    yield open_scan(item)


def digest_item(item: Item) -> str:
    """Return the SHA-256 of a file's bytes; of a DICOM series that of its headers, wherever its files lie.

    Empty where it cannot be read: reading it will say why.
    """
    if _is_one_file(item):
        return hash_file(item.path)
    try:
        with open_item(item) as opened:
            return opened.digest()
    except (InputError, OSError):
        return ""


class FileDigests:
    """The SHA-256 of labelled items as `digest_item` gives it, each read once however often it is asked for.

    Parameters
    ----------
    jobs
        Threads that read.
    """

    def __init__(self, jobs: int = 1) -> None:
        self._jobs = jobs
        self._known: dict[Path, str] = {}

    def of(self, items: Sequence[Item]) -> list[str]:
        """Return the digest of each item, in their order."""
        new = {item.path: item for item in items if item.path not in self._known}
        self._known.update(zip(new, map_in_order(digest_item, list(new.values()), self._jobs), strict=True))
        return [self._known[item.path] for item in items]


def _is_one_file(item: Item) -> bool:
    """Return whether an item is a file on the disk, whole in itself."""
    is_file = item.found is None and os.path.isfile(item.path)  # noqa: PTH113 - as in `open_item`
    return is_file and not item.path.name.lower().endswith(PAIR_ENDINGS)


def stamp_file(path: Path) -> Stamp:
    """Return the stamp of one file."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def stamp_item(item: Item) -> Stamp:
    """Return the stamp of an item without reading it, except where it must be looked for."""
    if _is_one_file(item):
        return stamp_file(item.path)
    with open_item(item) as opened:
        return opened.stamp()


class _OpenImage:
    """A slice image."""

    def __init__(self, item: Item, file: BufferedReader, prefix: bytes) -> None:
        self.item, self.image = item, file
        self._prefix = prefix

    @property
    def form(self) -> str:
        found = find_format(self._prefix)
        return found.name if found else ""

    def digest(self) -> str:
        self.image.seek(0)
        return hashlib.file_digest(self.image, "sha256").hexdigest()

    def stamp(self) -> Stamp:
        return stamp_file(self.item.path)

    def read(self, policy: SlicePolicy) -> ItemSlices:
        decoded = decode_slice(self.image)
        return ItemSlices((self.item,), (decoded.pixels,), decoded.warnings)
