"""Copies of labelled images that differ in nothing but what they show: one size, one format, borders off.

What an audit finds to give the label away beside the brain (the size of the images, of their files, how they
were encoded, what stands at their borders) is taken away: each slice is cut to the box of its head, put into
the middle of a black square, and written as an 8-bit grey PNG without compression, so that not even the
lengths of two files differ. Letters beside the head go with the border; those that touch it, the plane, the
position and the grain of a scanner stay, so that an audit of the copies is worth its minute.

The originals are only read. Greys are stretched from the darkest to the brightest of each head: no two
scanners mean the same by a grey, and no two archives write it alike.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PIL import Image

from gadoscope.errors import InputError, ManifestError, UsageError
from gadoscope.files import create_folder
from gadoscope.imaging.intensity import HEAD_BOX, ImagePath
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.parallel import map_in_order
from gadoscope.preparation import DEFAULT_SIDE, LEAST_SIDE, MOST_SIDE
from gadoscope.preparation.items import Item, Manifest
from gadoscope.preparation.manifest import write_manifest
from gadoscope.preparation.slices import ItemSlices, read_item
from gadoscope.progress import OnProgress, say_nothing
from gadoscope.reading.discover import MANIFEST_NAME
from gadoscope.wording import short_name, show_path

IMAGES_NAME = "images"
ORIGINAL_COLUMN, SLICE_COLUMN = "original", "slice"
"""Columns that are added: which file, or scan, an image is a copy of; and its place in its series."""
STALE_COLUMNS = ("sha256",)
"""They are of the original's bytes."""
TRAILING_NUMBER = re.compile(r"(\d{1,9})$")
NO_COMPRESSION = 0


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What was written.

    ``manifest`` lists the copies; ``left_out`` has name, reason and sentence of each that cannot be read;
    ``notices`` are what the manifest of the originals has to say.
    """

    folder: Path
    manifest: Path
    n_images: int
    side: int
    left_out: tuple[tuple[str, str, str], ...]
    notices: tuple[str, ...] = ()


def write_uniform(
    manifest: Manifest,
    folder: Path,
    *,
    side: int = DEFAULT_SIDE,
    jobs: int = 1,
    on_progress: OnProgress = say_nothing,
) -> Prepared:
    """Write a copy of every slice into a new folder, and a manifest of the copies: whole or not at all.

    Parameters
    ----------
    folder
        Must not exist, or be empty.
    side
        Rows and columns of the copies.

    Raises
    ------
    UsageError
        If the folder holds something, lies in that of the originals, or the side is none.
    ManifestError
        If no image can be read.
    OutputError
        If the system cannot write.
    """
    _check(manifest, folder, side)
    copies: list[Item] = []
    left_out: list[tuple[str, str, str]] = []
    with create_folder(folder) as beside:
        (beside / IMAGES_NAME).mkdir()
        read = map_in_order(
            partial(_read, image_path=ImagePath(size=side, resize=HEAD_BOX)), manifest.items, jobs
        )
        for done, (item, made) in enumerate(zip(manifest.items, read, strict=True), start=1):
            if isinstance(made, InputError):
                left_out.append((short_name(str(item.path)), made.reason, made.sentence))
            else:
                copies += _write(item, made, beside, first=len(copies) + 1)
            on_progress("Preparing images", done, len(manifest.items))
        if not copies:
            name, reason, sentence = left_out[0]
            raise ManifestError(
                f"no image of {show_path(manifest.origin)} can be read; {name}, the first: {reason}, "
                f"{sentence}"
            )
        write_manifest(Manifest(items=tuple(copies), origin=beside), beside / MANIFEST_NAME)
    return Prepared(
        folder=folder,
        manifest=folder / MANIFEST_NAME,
        n_images=len(copies),
        side=side,
        left_out=tuple(left_out),
        notices=manifest.notices,
    )


def _check(manifest: Manifest, folder: Path, side: int) -> None:
    if not LEAST_SIDE <= side <= MOST_SIDE:
        raise UsageError(f"a side of {side} pixels cannot be; name {LEAST_SIDE} to {MOST_SIDE}.")
    origin = manifest.origin if manifest.origin.is_dir() else None
    if origin is not None and folder.resolve().is_relative_to(origin.resolve()):
        raise UsageError(
            f"{folder} lies in {show_path(origin)}, where the copies would be taken for further originals; "
            "name a folder beside it."
        )


def _read(item: Item, image_path: ImagePath) -> ItemSlices | InputError:
    """Return the slices of an item, cut and resized."""
    try:
        slices = read_item(item, SlicePolicy())
    except InputError as error:
        return error
    return replace(slices, pixels=tuple(map(image_path.resize_slice, slices.pixels)))


def _write(original: Item, slices: ItemSlices, folder: Path, *, first: int) -> Iterator[Item]:
    """Write the slices of one original and yield a row for each; names say nothing but the order."""
    for number, (item, pixels) in enumerate(zip(slices.items, slices.pixels, strict=True), start=first):
        path = folder / IMAGES_NAME / f"{number:06}.png"
        Image.fromarray(pixels).save(path, compress_level=NO_COMPRESSION)
        extra = {name: value for name, value in item.extra.items() if name not in STALE_COLUMNS}
        extra = {SLICE_COLUMN: _find_place(item), **extra, ORIGINAL_COLUMN: str(original.path)}
        yield replace(item, path=path, extra=extra, slice_number=None, found=None)


def _find_place(item: Item) -> str:
    """Return the slice number of an image, which training pairs slices by; empty if nothing says it."""
    if item.slice_number is not None:
        return str(item.slice_number)
    number = TRAILING_NUMBER.search(item.path.stem)
    return number[1] if number else ""
