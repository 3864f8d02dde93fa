"""Decode every item once: a memory-mapped array of resized slices that training reads from.

`images.npy` holds the slices, `index.json` what they were made from. Each is written whole or not at
all; the index also records the size and the time of the array that it belongs to, so that a run
killed between the two leaves a pair that does not match, and the next run makes both anew.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import InputError, ManifestError
from gadoscope.files import write_beside, write_text
from gadoscope.imaging.intensity import ImagePath
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.labels import Label, Plane
from gadoscope.parallel import map_in_order
from gadoscope.preparation.items import Item
from gadoscope.preparation.picture_print import PRINT_BYTES, print_picture
from gadoscope.preparation.slices import Stamp, name_slice, open_item, stamp_file, stamp_item
from gadoscope.preparation.store import CODES, Store
from gadoscope.progress import OnCount, count_nothing
from gadoscope.records import to_plain
from gadoscope.wording import N_SHOWN, show_path

IMAGES_NAME = "images.npy"
INDEX_NAME = "index.json"
NEW_BUNDLES = SlicePolicy()
"""Which slices of a scan a bundle reads that is trained today."""
FORMAT_VERSION = 1
"""Raised whenever the same files would give other pixels; an older store is then made anew."""


@dataclass(frozen=True)
class _Prepared:
    """The slices of one item, or the reason why it cannot be used.

    ``planes`` has the plane of each slice of a scan; a slice image has none.
    """

    pixels: tuple[NDArray[np.uint8], ...] = ()
    digest: str = ""
    stamp: Stamp = (0, 0, 0)
    warnings: tuple[str, ...] = ()
    picture_prints: tuple[bytes, ...] = ()
    planes: tuple[Plane, ...] = ()
    error: InputError | None = None


def prepare_store(
    items: Sequence[Item],
    image_path: ImagePath,
    folder: Path,
    *,
    policy: SlicePolicy = NEW_BUNDLES,
    allow_other: bool = False,
    jobs: int = 0,
    on_progress: OnCount = count_nothing,
) -> Store:
    """Decode and resize every image into ``folder``, or take what lies there if nothing changed.

    Unchanged means: the same files in the same order, each with the size, the time of change and the
    time of its inode as before, and the same image path and policy. Nothing is read to find that out.

    Parameters
    ----------
    policy
        Which slices of a scan; by default those that a new bundle reads.
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
    wanted = {
        "format_version": FORMAT_VERSION,
        "image_path": to_plain(image_path),
        "policy": to_plain(policy),
        "paths": [str(item.path) for item in items],
    }
    index = _read_index(folder)
    if index is None or not _is_current(index, items, wanted, folder):
        read = partial(_prepare_one, image_path=image_path, policy=policy)
        prepared = _prepare(items, read, folder / IMAGES_NAME, image_path.size, jobs, on_progress)
        index = _write_index(items, prepared, wanted, folder)
    slices = tuple(_list_slices(items, index["planes"]))
    return Store(
        images=np.load(folder / IMAGES_NAME, mmap_mode="r"),
        labels=np.array([CODES[item.label] for item in slices], dtype=np.uint8),
        digests=tuple(index["digests"]),
        items=slices,
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
    read: Callable[[Item], _Prepared],
    images_path: Path,
    size: int,
    jobs: int,
    on_progress: OnCount,
) -> list[_Prepared]:
    """Write the slices of all items, and return what else is known of each item."""
    prepared: list[_Prepared] = []
    with write_beside(images_path) as beside, beside.open("wb") as file:
        # Plain writes in order, not a memory map: on a full disk these raise, a map kills the process.
        start = _write_header(file, len(items), size)
        n_slices = 0
        for one in map_in_order(read, items, jobs):
            for pixels in one.pixels:
                file.write(pixels.tobytes())
            n_slices += len(one.pixels)
            prepared.append(replace(one, pixels=()))
            on_progress(len(prepared), len(items))
        _check_prepared(items, prepared)
        if n_slices != len(items):  # scans have as many as they have
            file.seek(0)
            if _write_header(file, n_slices, size) != start:
                raise ValueError("the header of an array has another length for another number of slices.")
    return prepared


def _write_header(file: BinaryIO, n_slices: int, size: int) -> int:
    """Write the header of the array, which leaves room for any number of slices; return where that ends."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (n_slices, size, size)}
    np.lib.format.write_array_header_1_0(file, header)
    return file.tell()


def _write_index(
    items: Sequence[Item], prepared: Sequence[_Prepared], wanted: dict[str, Any], folder: Path
) -> dict[str, Any]:
    index = {
        **wanted,
        "images": stamp_file(folder / IMAGES_NAME)[:2],
        "stamps": [list(one.stamp) for one in prepared],
        "planes": [[plane.value for plane in one.planes] for one in prepared],
        "digests": [one.digest for one in prepared for _ in one.picture_prints],
        "prints": [print_.hex() for one in prepared for print_ in one.picture_prints],
        "warnings": _count_warnings(items, prepared),
    }
    write_text(folder / INDEX_NAME, json.dumps(index))
    return index


def _list_slices(items: Sequence[Item], planes: Sequence[Sequence[str]]) -> Iterator[Item]:
    """Yield the row of each slice: of an image the item, of a scan one for each slice."""
    for item, of_slices in zip(items, planes, strict=True):
        if of_slices:
            yield from (name_slice(item, n, Plane(plane)) for n, plane in enumerate(of_slices, start=1))
        else:
            yield item


def _prepare_one(item: Item, image_path: ImagePath, policy: SlicePolicy) -> _Prepared:
    try:
        # Before reading: a file that changes meanwhile then differs from its stamp, and is read again.
        with open_item(item) as opened:
            stamp = opened.stamp()
            digest = opened.digest()
            slices = opened.read(policy)
    except InputError as error:
        return _Prepared(error=error)
    return _Prepared(
        tuple(image_path.resize_slice(pixels) for pixels in slices.pixels),
        digest,
        stamp,
        slices.warnings,
        tuple(print_picture(pixels) for pixels in slices.pixels),
        tuple(one.plane for one in slices.items if one.slice_number is not None),
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


def _is_current(index: dict[str, Any], items: Sequence[Item], wanted: dict[str, Any], folder: Path) -> bool:
    try:
        n_slices = sum(map(len, map(_one_at_least, index["planes"])))
        return bool(
            all(index[key] == value for key, value in wanted.items())
            and index["images"] == list(stamp_file(folder / IMAGES_NAME)[:2])
            and index["stamps"] == [list(stamp_item(item)) for item in items]
            and len(index["planes"]) == len(items)
            and len(index["digests"]) == len(index["prints"]) == n_slices
            and all(len(one) == 2 * PRINT_BYTES for one in index["prints"])
        )
    except (
        InputError,
        OSError,
        KeyError,
        TypeError,
    ):  # an image or the array is gone, or the index is not ours: made anew
        return False


def _one_at_least(planes: Sequence[str]) -> Sequence[str]:
    return planes or [""]
