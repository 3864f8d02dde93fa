"""What holds or names other inputs: zips and DICOMDIRs."""

from collections.abc import Iterator

from gadoscope.errors import InputError, RefusedError
from gadoscope.reading.dicomdir import find_reference, list_instances
from gadoscope.reading.discover import MANIFEST_NAME, Found
from gadoscope.reading.other_names import find_by_uid
from gadoscope.reading.sources import INSIDE, Source
from gadoscope.reading.zips import list_members


def list_archive(archive: Source) -> Iterator[Found]:
    """Return every member of a zip, in the order of a walk; those that cannot be read with the error.

    Raises
    ------
    InputError
        If the archive cannot be read at all, is refused, or holds nothing.
    """
    inside = f"{archive.member}{INSIDE}" if archive.member else ""
    members = [
        (name, error)
        for name, error in list_members(archive.path, archive.member)
        if name.rpartition("/")[2] != MANIFEST_NAME
    ]
    if not members:
        raise RefusedError("empty_archive", "the archive holds no file to read.")
    return (Found(Source(archive.path, inside + name), error) for name, error in members)


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
