"""Decode every image once: a memory-mapped array of resized slices that training reads from.

`images.npy` holds the slices, `index.json` what they were made from. Each is written whole or not at
all; the index also records the size and the time of the array that it belongs to, so that a run
killed between the two leaves a pair that does not match, and the next run makes both anew.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import InputError, ManifestError
from gadoscope.files import write_beside, write_text
from gadoscope.imaging.intensity import ImagePath
from gadoscope.labels import Label
from gadoscope.parallel import map_in_order
from gadoscope.preparation.items import Item
from gadoscope.preparation.picture_print import PRINT_BYTES, print_picture
from gadoscope.reading.images import decode_slice, open_regular_file
from gadoscope.wording import N_SHOWN, show_path

IMAGES_NAME = "images.npy"
INDEX_NAME = "index.json"
CODES = {Label.PRE: 0, Label.POST: 1, Label.OTHER: 2}
"""What stands for a label in `Store.labels`."""
FORMAT_VERSION = 1
"""Raised whenever the same files would give other pixels; an older store is then made anew."""


@dataclass(frozen=True)
class Store:
    """Prepared slices, in the order of the items they were made from.

    Attributes
    ----------
    images
        Grey values 0..255, shape (n, size, size), uint8, memory-mapped and read-only.
    labels
        0 is pre-contrast, 1 is post-contrast, 2 is other; shape (n,), uint8.
    digests
        SHA-256 of each file's bytes, in hexadecimal.
    items
        The images' rows.
    warnings
        What was repaired while reading, one sentence each with the number of images.
    prints
        Of each whole picture, from `print_picture`.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    digests: tuple[str, ...]
    items: tuple[Item, ...]
    warnings: tuple[str, ...] = ()
    prints: tuple[bytes, ...] = ()

    @property
    def is_t1(self) -> NDArray[np.bool_]:
        """Whether each image is of a T1 brain, and so has a phase; shape (n,)."""
        is_t1: NDArray[np.bool_] = self.labels != CODES[Label.OTHER]
        return is_t1


@dataclass(frozen=True)
class _Prepared:
    """One file, or the reason why it cannot be used."""

    pixels: NDArray[np.uint8] | None
    digest: str = ""
    stamp: tuple[int, int, int] = (0, 0, 0)
    warnings: tuple[str, ...] = ()
    picture_print: bytes = b""
    error: InputError | None = None


def prepare_store(
    items: Sequence[Item],
    image_path: ImagePath,
    folder: Path,
    *,
    allow_other: bool = False,
    jobs: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Store:
    """Decode and resize every image into ``folder``, or take what lies there if nothing changed.

    Unchanged means: the same files in the same order, each with the size, the time of change and the
    time of its inode as before, and the same image path. Nothing is read to find that out.

    Parameters
    ----------
    allow_other
        Whether images labelled other belong to the data, as they do where a gate is trained.
    jobs
        Threads; 0 means one for each core that the process may use.
    on_progress
        Called with the number of images done and their total.

    Raises
    ------
    ManifestError
        If there is no image, one is labelled other where none may be, or one cannot be used: training
        never drops an image silently.
    OutputError
        If the system cannot write; nothing half-written stays behind.
    """
    _check_items(items, allow_other)
    index = _read_index(folder)
    if index is None or not _is_current(index, items, image_path, folder):
        index = _prepare(items, image_path, folder, jobs, on_progress)
    return Store(
        images=np.load(folder / IMAGES_NAME, mmap_mode="r"),
        labels=np.array([CODES[item.label] for item in items], dtype=np.uint8),
        digests=tuple(index["digests"]),
        items=tuple(items),
        warnings=tuple(index["warnings"]),
        prints=tuple(bytes.fromhex(one) for one in index["prints"]),
    )


def _check_items(items: Sequence[Item], allow_other: bool) -> None:
    if not items:
        raise ManifestError("there is no image to prepare; check the manifest and its splits.")
    n_other = sum(item.label is Label.OTHER for item in items)
    if n_other and not allow_other:
        raise ManifestError(
            f"{n_other} of {len(items)} images are labelled other, which is no class; leave those rows out."
        )


def _prepare(
    items: Sequence[Item],
    image_path: ImagePath,
    folder: Path,
    jobs: int,
    on_progress: Callable[[int, int], None] | None,
) -> dict[str, Any]:
    prepared: list[_Prepared] = []
    shape = (len(items), image_path.size, image_path.size)
    images_path = folder / IMAGES_NAME
    with write_beside(images_path) as beside, beside.open("wb") as file:
        # Plain writes in order, not a memory map: on a full disk these raise, a map kills the process.
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        for one in map_in_order(partial(_prepare_one, image_path=image_path), items, jobs):
            if one.pixels is not None:
                file.write(one.pixels.tobytes())
            prepared.append(replace(one, pixels=None))
            if on_progress is not None:
                on_progress(len(prepared), len(items))
        _check_prepared(items, prepared)
    index = {
        "format_version": FORMAT_VERSION,
        "image_path": image_path.to_dict(),
        "images": _stamp(images_path)[:2],
        "paths": [str(item.path) for item in items],
        "stamps": [list(one.stamp) for one in prepared],
        "digests": [one.digest for one in prepared],
        "prints": [one.picture_print.hex() for one in prepared],
        "warnings": _count_warnings(items, prepared),
    }
    write_text(folder / INDEX_NAME, json.dumps(index))
    return index


def _prepare_one(item: Item, image_path: ImagePath) -> _Prepared:
    try:
        # Before reading: a file that changes meanwhile then differs from its stamp, and is read again.
        with open_regular_file(item.path) as file:
            stamp = _stamp(item.path)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            slice_image = decode_slice(file)
    except InputError as error:
        return _Prepared(None, error=error)
    return _Prepared(
        image_path.resize_slice(slice_image.pixels),
        digest,
        stamp,
        slice_image.warnings,
        print_picture(slice_image.pixels),
    )


def _check_prepared(items: Sequence[Item], prepared: Sequence[_Prepared]) -> None:
    failed = [(item, one.error) for item, one in zip(items, prepared, strict=True) if one.error]
    if failed:
        shown = "; ".join(f"{show_path(item.path)} ({error})" for item, error in failed[:N_SHOWN])
        more = f"; and {len(failed) - N_SHOWN} more" if len(failed) > N_SHOWN else ""
        raise ManifestError(
            f"{len(failed)} of {len(items)} images cannot be used; "
            f"repair them or leave them out: {shown}{more}"
        )


def _count_warnings(items: Iterable[Item], prepared: Iterable[_Prepared]) -> list[str]:
    counts: Counter[str] = Counter()
    first: dict[str, Path] = {}
    for item, one in zip(items, prepared, strict=True):
        for warning in one.warnings:
            counts[warning] += 1
            first.setdefault(warning, item.path)
    return [f"{n} images: {warning} (first: {show_path(first[warning])})" for warning, n in counts.items()]


def _stamp(path: Path) -> tuple[int, int, int]:
    """Return size in bytes, time of change and time of the inode's change: cheap signs of other content."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _read_index(folder: Path) -> dict[str, Any] | None:
    try:
        index = json.loads((folder / INDEX_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # not there, not readable or damaged: made anew
        return None
    fits = isinstance(index, dict) and index.get("format_version") == FORMAT_VERSION
    return (
        index
        if fits and all(_are_texts(index.get(key)) for key in ("digests", "prints", "warnings"))
        else None
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_current(index: dict[str, Any], items: Sequence[Item], image_path: ImagePath, folder: Path) -> bool:
    try:
        return bool(
            index["image_path"] == image_path.to_dict()
            and index["images"] == list(_stamp(folder / IMAGES_NAME)[:2])
            and index["paths"] == [str(item.path) for item in items]
            and index["stamps"] == [list(_stamp(item.path)) for item in items]
            and len(index["digests"]) == len(index["prints"]) == len(items)
            and all(len(one) == 2 * PRINT_BYTES for one in index["prints"])
        )
    except (
        OSError,
        KeyError,
        TypeError,
    ):  # an image or the array is gone, or the index is not ours: made anew
        return False
