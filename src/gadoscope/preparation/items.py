"""Labelled images, and the words for them that every form of a manifest shares."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypedDict

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Bools
from gadoscope.errors import ManifestError
from gadoscope.labels import Label, Plane, Split
from gadoscope.records import beside, unwritten
from gadoscope.wording import show_path

UNKNOWN_SOURCE = "unknown"
SLICE = "#"
"""Between the name of a scan and the number of its slice."""
SPLIT_NAMES = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "validation": Split.VALIDATION,
    "valid": Split.VALIDATION,
    "val": Split.VALIDATION,
    "test": Split.TEST,
    "testing": Split.TEST,
}
"""How people name the parts of their data, in lower case."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One labelled image, scan, or slice of a scan.

    Attributes
    ----------
    path
        Absolute: of an image, a volume, or a folder or an archive that holds one DICOM series. What lies
        inside follows after ``!``: a member of an archive, or the SeriesInstanceUID of one of several series.
    subject_id
        None if unknown.
    split
        None if the data do not say.
    extra
        Further columns, by name: licence, manufacturer, field_strength_t, sex, age, note, sha256 ...
    slice_number
        Of a slice of a scan, from 1 in the order in which they are read; None for all else.
    found
        Where a folder had to be looked through for a scan: what was found, for `preparation.scans` to open.
    """

    path: Path
    label: Label
    subject_id: str | None = None
    plane: Plane = Plane.UNKNOWN
    source: str = UNKNOWN_SOURCE
    split: Split | None = None
    extra: Mapping[str, str] = field(default_factory=dict, metadata=beside())
    slice_number: int | None = field(default=None, metadata=unwritten())
    found: Any = field(default=None, compare=False, repr=False, metadata=unwritten())

    @property
    def name(self) -> str:
        """Return what nothing else among its data is called: its path, of a slice with its number."""
        return str(self.path) if self.slice_number is None else f"{self.path}{SLICE}{self.slice_number}"


@dataclass(frozen=True)
class Manifest:
    """Labelled images, where they were listed, and what the user must be told about them."""

    items: tuple[Item, ...]
    origin: Path
    notices: tuple[str, ...] = ()

    @property
    def has_subjects(self) -> bool:
        """Whether every image's subject is known."""
        return all(item.subject_id is not None for item in self.items)

    @property
    def common_folder(self) -> Path:
        """The folder that holds all of the images."""
        folder = self.items[0].path.parent
        while not all(item.path.is_relative_to(folder) for item in self.items):
            folder = folder.parent
        return folder

    def with_split(self, split: Split) -> tuple[Item, ...]:
        """Return the images of one part, in the manifest's order."""
        return tuple(item for item in self.items if item.split is split)

    def labelled(self) -> Self:
        """Return the manifest without the images that are neither pre- nor post-contrast."""
        return replace(self, items=tuple(item for item in self.items if item.label is not Label.OTHER))

    def others(self) -> Self:
        """Return the manifest with nothing but what `labelled` leaves out."""
        return replace(self, items=tuple(item for item in self.items if item.label is Label.OTHER))

    def tell_others(self) -> tuple[str, ...]:
        """Return the notice that some images are of neither class; none where all are of one."""
        n_other = len(self.others().items)
        if n_other == 0:
            return ()
        return (
            f"{n_other} of {len(self.items)} images are labelled other: neither class uses them; "
            "with gate.use_other they train the gate.",
        )


def find_rows(names: Iterable[str], items: Sequence[Item]) -> list[Item]:
    """Return the row that each image or slice is from.

    Parameters
    ----------
    names
        As `Item.name` of the images, and of slices of the scans, among ``items``.
    """
    rows = {str(item.path): item for item in items}
    return [rows.get(name) or rows[name.rpartition(SLICE)[0]] for name in names]


class Columns(TypedDict):
    """What a manifest says of n images, each column of shape (n,); text is empty where unknown."""

    path: NDArray[np.str_]
    subject_id: NDArray[np.str_]
    source: NDArray[np.str_]
    plane: NDArray[np.str_]
    split: NDArray[np.str_]
    is_post: Bools


def tabulate(items: Sequence[Item]) -> Columns:
    """Return images as columns; of those labelled other, ``is_post`` has no meaning."""
    return Columns(
        path=_write(item.name for item in items),
        subject_id=_write(item.subject_id for item in items),
        source=_write(item.source for item in items),
        plane=_write(item.plane for item in items),
        split=_write(item.split for item in items),
        is_post=np.array([item.label is Label.POST for item in items], dtype=np.bool_),
    )


def _write(cells: Iterable[object]) -> NDArray[np.str_]:
    return np.array([str(cell or "") for cell in cells], dtype=np.str_)


def check_names(paths: Iterable[Path]) -> None:
    """Raise ManifestError if a path's bytes are no text: a UTF-8 table cannot hold it."""
    for path in paths:
        try:
            os.fspath(path).encode("utf-8")
        except UnicodeEncodeError as error:
            raise ManifestError(
                f"the name of {show_path(path)} is not UTF-8, so no table can hold it; rename the file."
            ) from error
