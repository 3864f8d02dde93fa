"""Files of a DICOM medium under other names than its DICOMDIR says: with a suffix, in other capitals, moved.

A medium's names are capitals without a suffix, and whoever copies it changes them: disks show them in lower
case or with ISO 9660's version (``IM0;1``), exports add ``.dcm``, people sort the files into folders.

References
----------
DICOM PS3.10 8.2 (File IDs), PS3.12 F.1 (ISO 9660)
"""

import os
import re
from collections.abc import Iterator, Set
from functools import lru_cache
from itertools import islice
from pathlib import Path

from gadoscope.errors import InputError
from gadoscope.reading.formats import PREFIX_BYTES, is_dicom
from gadoscope.reading.regular_files import open_regular_file
from gadoscope.reading.remote.path import Location, RemotePath

MAX_FILES_SEARCHED = 200_000
"""More than any medium holds; what is looked at below the folder of a DICOMDIR that names missing files."""
_REMEMBERED_FOLDERS = 16
_MOST_DOTS = 64  # a File ID has none, a UID has a few dozen
_VERSION = re.compile(r";[0-9]+$")
_UID = re.compile(rb"[0-9][0-9.]{4,63}")
_DIRECTORY = b"1.2.840.10008.1.3.10"  # SOP class of a DICOMDIR
# What an export puts behind the names of a medium, the likeliest first; anything else must be DICOM inside.
_SUFFIXES = (".dcm", ".dicom", ".ima", ".dic", ".img", ".dcm.gz", ".gz")


def find_other_name(folder: Location, parts: tuple[str, ...]) -> Location | None:
    """Return the file below ``folder`` whose path differs from ``parts`` by capitals or suffix only."""
    places: list[Location] = [folder]
    for index, part in enumerate(parts):
        is_file = index == len(parts) - 1
        places = [found for place in places for found in _find_in(place, part, is_file=is_file)]
    return next(iter(places), None)


def find_by_uid(folder: Location, uids: Set[str]) -> dict[str, Location]:
    """Return the files at or below ``folder`` that are these instances, by their SOP instance UID.

    Of each file only the first bytes are read, where DICOM has MediaStorageSOPInstanceUID.
    """
    wanted = {uid.encode("ascii", "replace"): uid for uid in uids if uid}
    found: dict[str, Location] = {}
    for n_searched, path in enumerate(_iter_files(folder)):
        if len(found) == len(wanted) or n_searched == MAX_FILES_SEARCHED:
            break
        prefix = _read_prefix(path)
        words = set(_UID.findall(prefix)) if is_dicom(prefix) else set()
        if _DIRECTORY not in words:  # whose records hold the UIDs of all
            for word in wanted.keys() & words:
                found.setdefault(wanted[word], path)
    return found


def _find_in(folder: Location, part: str, *, is_file: bool) -> list[Location]:
    """Return the entries that may be meant, the likeliest first."""
    wanted = _plain(part)
    try:
        same, longer = _list_names(folder, folder.stat().st_mtime_ns)
    except OSError:
        return []
    if wanted in same or not is_file:
        return [folder / name for name in same.get(wanted, ())]
    names = sorted(longer.get(wanted, ()), key=lambda name: _rank(_plain(name)[len(wanted) :]))
    paths = [folder / name for name in names]
    known = [path for path in paths if is_dicom(_read_prefix(path))]
    return known or [path for path in paths if _plain(path.name)[len(wanted) :] in _SUFFIXES]


@lru_cache(maxsize=_REMEMBERED_FOLDERS)
def _list_names(folder: Location, changed_ns: int) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """List a folder once, and again when it changed: every one of its files may be looked for.

    Returns
    -------
    same, longer
        Names by what is plain of them, and by what stands before each of its dots.
    """
    same: dict[str, list[str]] = {}
    longer: dict[str, list[str]] = {}
    for name in sorted(_list_all(folder)):
        plain = _plain(name)
        same.setdefault(plain, []).append(name)
        for dot in islice((at for at, letter in enumerate(plain) if letter == "."), _MOST_DOTS):
            longer.setdefault(plain[:dot], []).append(name)
    return same, longer


def _list_all(folder: Location) -> Iterator[str]:
    listed = folder.iterdir() if isinstance(folder, RemotePath) else os.scandir(folder)
    return (entry.name for entry in listed)


def _rank(suffix: str) -> int:
    return _SUFFIXES.index(suffix) if suffix in _SUFFIXES else len(_SUFFIXES)


def _plain(name: str) -> str:
    return _VERSION.sub("", name.lower()).rstrip(".")


def _iter_files(folder: Location) -> Iterator[Location]:
    if isinstance(folder, RemotePath):
        shown = sorted((one for one in folder.iterdir() if not one.name.startswith(".")), key=_folders_last)
        for one in shown:
            yield from _iter_files(one) if one.is_folder else (one,)
        return
    for above, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(above) / name for name in sorted(names) if not name.startswith("."))


def _folders_last(place: RemotePath) -> tuple[bool, str]:
    return place.is_folder, place.name


def _read_prefix(path: Location) -> bytes:
    try:
        with open_regular_file(path) as file:
            return file.read(PREFIX_BYTES)
    except InputError:
        return b""
