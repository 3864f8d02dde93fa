"""Folders named by class, as the lesson has them: FOLDER/{no_gad,with_gad}, or that inside sides.

Sides are Train, Validation and Test, classes `no_gad` or `pre` and `with_gad` or `post`; upper and
lower case make no difference. Subjects are unknown in this layout, and so is the plane.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from gadoscope.errors import ManifestError
from gadoscope.labels import Label, Split
from gadoscope.preparation.items import SPLIT_NAMES, Item, Manifest, check_names
from gadoscope.wording import N_SHOWN

CLASS_NAMES = {"no_gad": Label.PRE, "pre": Label.PRE, "with_gad": Label.POST, "post": Label.POST}
"""Folder names of the two classes, in lower case."""
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".webp"})
"""A folder is listed by name; whether a file really is an image shows when it is read."""
_LAYOUT = "FOLDER/{no_gad,with_gad} or FOLDER/{Train,Validation,Test}/{no_gad,with_gad}"


@dataclass
class _Listing:
    """What was found while the folders were walked."""

    items: list[Item] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)  # suffix to number of files
    ignored: list[str] = field(default_factory=list)  # entries where only class or side folders belong


def read_lesson_layout(folder: Path) -> Manifest:
    """List the images below ``folder`` (absolute), each class in Keras' order.

    Raises
    ------
    ManifestError
        If the folder is empty, is in another layout, or a class has no image.
    """
    listing = _Listing()
    classes = _find_folders(folder, CLASS_NAMES)
    sides = _find_folders(folder, SPLIT_NAMES)
    if not classes and not sides:
        content = "is empty" if not any(_visible(folder)) else "holds no class folder"
        raise ManifestError(f"{folder} {content}; expected {_LAYOUT}, or a manifest.csv.")
    if classes and sides:
        raise ManifestError(
            f"{folder} holds both class folders ({classes[0][0].name}) and sides ({sides[0][0].name}); "
            "move the class folders into a side, or name one side alone."
        )
    _note_ignored(folder, classes or sides, listing)
    if classes:
        _list_classes(folder, None, source=folder.name, listing=listing)
    for side, word in sides:
        _list_classes(side, SPLIT_NAMES[word], source=folder.name, listing=listing)
    check_names(item.path for item in listing.items)
    return Manifest(items=tuple(listing.items), origin=folder, notices=tuple(_notices(listing)))


def _list_classes(folder: Path, split: Split | None, *, source: str, listing: _Listing) -> None:
    found = _find_folders(folder, CLASS_NAMES)
    _note_ignored(folder, found, listing)
    for label in (Label.PRE, Label.POST):
        n_before = len(listing.items)
        for class_folder, word in found:
            if CLASS_NAMES[word] is label:
                files = _list_images(class_folder, listing)
                listing.items.extend(
                    Item(path=path, label=label, source=source, split=split) for path in files
                )
        if len(listing.items) == n_before:
            names = " or ".join(name for name, its_label in CLASS_NAMES.items() if its_label is label)
            raise ManifestError(
                f"{folder} has no {label}-contrast image; put them in a folder {names} there "
                f"({', '.join(sorted(IMAGE_SUFFIXES))})."
            )


def _list_images(class_folder: Path, listing: _Listing) -> Iterator[Path]:
    """Yield images in the order of Keras' `flow_from_directory`: by folder path, then by name."""
    for root, folders, names in sorted(os.walk(class_folder, onerror=_raise), key=lambda level: level[0]):
        if any(part.startswith(".") for part in Path(root).relative_to(class_folder).parts):
            continue
        listing.skipped["link to a folder"] += sum(Path(root, name).is_symlink() for name in folders)
        for name in sorted(name for name in names if not name.startswith(".")):
            suffix = Path(name).suffix.lower()
            if suffix in IMAGE_SUFFIXES:
                yield Path(root, name)
            else:
                listing.skipped[suffix or "without suffix"] += 1


def _find_folders(folder: Path, words: dict[str, Label] | dict[str, Split]) -> list[tuple[Path, str]]:
    """Return the folders in ``folder`` that have one of the names, with that name in lower case."""
    return [
        (path, path.name.casefold())
        for path in _visible(folder)
        if path.name.casefold() in words and path.is_dir()
    ]


def _visible(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        _raise(error)


def _note_ignored(folder: Path, known: list[tuple[Path, str]], listing: _Listing) -> None:
    kept = {path for path, _ in known}
    listing.ignored.extend(path.name for path in _visible(folder) if path not in kept)


def _notices(listing: _Listing) -> Iterator[str]:
    yield (
        "subjects are unknown in this layout: the same person may be on both sides of a split, "
        "and figures may be better than they are on new people."
    )
    if listing.skipped.total():
        kinds = ", ".join(f"{n} {suffix}" for suffix, n in sorted(listing.skipped.items()) if n)
        suffixes = " ".join(sorted(IMAGE_SUFFIXES))
        yield f"skipped, because their names do not end as an image's ({suffixes}): {kinds}."
    if listing.ignored:
        more = len(listing.ignored) - N_SHOWN
        yield (
            f"not used, because they are beside the class folders: {', '.join(listing.ignored[:N_SHOWN])}"
            f"{f' and {more} more' if more > 0 else ''}."
        )


def _raise(error: OSError) -> NoReturn:
    raise ManifestError(f"cannot list {error.filename}: {error.strerror}; check its permissions.") from error
