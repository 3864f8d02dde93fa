"""What holds or names other inputs: zips, tars and DICOMDIRs; see `indexes` for those of BIDS."""

from collections import Counter
from collections.abc import Iterator
from itertools import takewhile

from gadoscope.errors import InputError, RefusedError
from gadoscope.reading.archives.places import MemberPath, Place
from gadoscope.reading.archives.sources import INSIDE, Source
from gadoscope.reading.archives.zip_limits import check_count
from gadoscope.reading.archives.zips import is_unpacked, list_members
from gadoscope.reading.bids.dataset import is_derivatives
from gadoscope.reading.dicom.dicomdir import find_reference, list_instances
from gadoscope.reading.dicom.other_names import find_by_uid
from gadoscope.reading.discover import MANIFEST_NAME, Found, derivatives_error, is_described_elsewhere
from gadoscope.reading.remote.path import Location

REMEMBERED_FOLDERS = 4096
"""Whether what lies in them was computed; what is listed in the order of a walk asks for few at a time."""


def list_archive(archive: Source, n_listed: Counter[Location] | None = None) -> Iterator[Found]:
    """Return every input that an archive holds, in the order of a walk; what cannot be read with the error.

    What gets no row in a folder gets none here: the sidecars of a BIDS data set, the voxels of a pair. Its
    derivatives are one row.

    Parameters
    ----------
    archive
        The archive.
    n_listed
        Members by file on the disk, of all archives inside it; counted on here. Archives in an archive shrink
        to nothing, so all of them together are held to what one may hold.

    Raises
    ------
    InputError
        If the archive cannot be read at all, is refused, or holds nothing.
    """
    inside = f"{archive.member}{INSIDE}" if archive.member else ""
    top = MemberPath(archive.path, archive.member, "")
    computed: dict[Place, Place | None] = {}
    listed: list[tuple[str, InputError | None]] = []
    members = list_members(archive.path, archive.member)
    if n_listed is not None:
        n_listed[archive.path] += len(members)
        if archive.member:
            check_count(n_listed[archive.path], archive.path.stat().st_size)
    for name, error in members:
        place = MemberPath(archive.path, archive.member, name)
        folder = find_derivatives(place.parent, top, computed)
        if isinstance(folder, MemberPath):
            row = folder.text, derivatives_error()
            if not listed or listed[-1][0] != folder.text:
                listed.append(row)
        elif place.name != MANIFEST_NAME and (error is not None or not is_described_elsewhere(place)):
            listed.append((name, error))
    if not listed:
        raise RefusedError("empty_archive", "the archive holds no file to read.")
    stays = is_unpacked(archive.path, archive.member)
    return (Found(Source(archive.path, inside + name), error, stays=stays) for name, error in listed)


def find_derivatives(folder: Place, top: Place, known: dict[Place, Place | None]) -> Place | None:
    """Return the topmost folder of results at or above ``folder`` and below ``top``, or ``None``."""
    if folder not in known:
        if len(known) >= REMEMBERED_FOLDERS:
            known.clear()
        below = takewhile(lambda one: one != top, (folder, *folder.parents))
        known[folder] = next((one for one in reversed([*below]) if is_derivatives(one)), None)
    return known[folder]


def list_directory(directory: Found) -> Iterator[Found]:
    """Return what a DICOMDIR names: all of it if the user named the DICOMDIR, else only what is missing.

    In a walk the files themselves are met anyway. A file that lies under another name than the DICOMDIR
    says is not missing: see `other_names`.

    Raises
    ------
    InputError
        If the DICOMDIR cannot be read, or was named and names nothing.
    """
    instances = list_instances(directory.source)
    if not instances and directory.is_named:
        raise RefusedError("empty_directory", "the DICOMDIR names no file; name the folder that it lies in.")
    found = {parts: find_reference(directory.source, parts) for parts in instances}
    missing = {uid for parts, uid in instances.items() if _is_missing(found[parts][1])}
    if missing and not directory.source.member:
        moved = find_by_uid(directory.source.path.parent, missing)
        for parts, uid in instances.items():
            if _is_missing(found[parts][1]) and uid in moved:
                found[parts] = Source(moved[uid]), None
    listed = dict.fromkeys(found.values())  # several records may name one file
    return (Found(source, error) for source, error in listed if directory.is_named or error is not None)


def _is_missing(error: InputError | None) -> bool:
    return error is not None and error.reason == "missing"
