"""Where the row of a manifest lies: a file, a folder, or what is inside of one.

What lies inside an archive is written after its name, as `classify` does: ``study.zip!ser-2/a.nii``; so is
one of several series of a folder, by its SeriesInstanceUID: ``archive!1.2.840.10008``.
"""

import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from gadoscope.errors import ManifestError
from gadoscope.preparation.items import Item
from gadoscope.preparation.lesson_layout import IMAGE_SUFFIXES
from gadoscope.reading.archives.sources import INSIDE
from gadoscope.reading.formats import PREFIX_BYTES, Kind, find_kind
from gadoscope.sheets import read_path
from gadoscope.wording import show_path

ARCHIVES = frozenset({Kind.ZIP, Kind.TAR, Kind.DICOMDIR})
DICOM_KINDS = ARCHIVES | {Kind.DICOM}
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")


def is_uid(text: str) -> bool:
    """Return whether a text may be a SeriesInstanceUID, and is no name of a file."""
    return _UID.fullmatch(text) is not None


def name_inside(path: Path, uid: str) -> Path:
    """Return how one series of those in ``path`` is named."""
    named = os.fspath(path)
    return path if named.endswith(INSIDE + uid) else Path(f"{named}{INSIDE}{uid}")


def find_container(path: Path) -> tuple[Path, str] | None:
    """Return the file or the folder on disk in which something lies, and what that is called inside.

    None where the path is one of the disk, or nothing of it is there.
    """
    text = os.fspath(path)
    if INSIDE not in text or os.path.lexists(text):
        return None
    ends = (at for at, letter in enumerate(text) if letter == INSIDE)
    return next(((Path(text[:at]), text[at + 1 :]) for at in ends if os.path.lexists(text[:at])), None)


def is_there(path: Path) -> bool:
    """Return whether a path names a file, a folder, or what may lie inside of one."""
    # os.path, for Path's own methods raise on some names.
    return os.path.isfile(path) or os.path.isdir(path) or find_container(path) is not None  # noqa: PTH112, PTH113


def may_hold_series(path: Path) -> bool:
    """Return whether a path may be of several series: a folder or an archive."""
    if os.path.isdir(path):  # noqa: PTH112 - as above
        return True
    return path.suffix.lower() not in IMAGE_SUFFIXES and _is_of(path, ARCHIVES)


def _is_of(path: Path, kinds: Collection[Kind]) -> bool:
    """Return whether a file's first bytes are of one of some kinds."""
    try:
        with path.open("rb") as file:
            return find_kind(file.read(PREFIX_BYTES)) in kinds
    except (OSError, ValueError):  # not there, or no name that a file can have
        return False


def find_labelled(folder: Path, cell: str, uid: str) -> Path:
    """Return what a row of a table of labels names, in a folder or an archive.

    Paths are relative to it, or, as in a table of `classify`, to where one works. A SeriesInstanceUID counts
    more than the path beside it, which there is that of the series' first file.
    """
    told = read_path(cell)
    here = [Path(os.path.normpath(folder / told))] if told else []
    if told and folder.is_file():
        here = [Path(f"{folder}{INSIDE}{told}")]
    here += [Path(os.path.abspath(told))] if told else []  # noqa: PTH100 - links keep their names
    path = next((one for one in here if is_there(one)), here[0] if here else folder)
    if not uid or (path != folder and os.path.isfile(path) and not _is_of(path, DICOM_KINDS)):  # noqa: PTH113
        return path
    return name_inside(path if may_hold_series(path) else folder, uid)


def may_be_looked_through(path: Path) -> bool:
    """Return whether a row names no file of its own."""
    return INSIDE in os.fspath(path) or os.path.isdir(path)  # noqa: PTH112 - as above


def check_labels(items: Sequence[Item], table: Path) -> None:
    """Raise ManifestError if two rows are of one thing, and do not agree what it is."""
    n_twice = len(items) - len({item.path for item in items})
    first: dict[Path, Item] = {}
    for item in items:
        known = first.setdefault(item.path, item)
        if known.label is not item.label:
            raise ManifestError(
                f"{table} lists {n_twice} images more than once, and two rows dispute the label of "
                f"{show_path(item.path)}, {known.label} and {item.label}; keep the one that is right."
            )
