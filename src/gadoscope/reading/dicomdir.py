"""A DICOMDIR names the instances of a medium; it is no image itself."""

import os

from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.reading.other_names import find_other_name
from gadoscope.reading.quiet import quiet_library
from gadoscope.reading.sources import Source

MAX_DIRECTORY_BYTES = 128 * 2**20
"""About a kilobyte an instance: a DICOMDIR of 100,000 instances. It takes several times that in memory."""
UNDEFINED_LENGTH = 0xFFFFFFFF
"""PS3.5 7.1.1: the sequence ends where it says."""


def list_references(directory: Source) -> list[tuple[str, ...]]:
    """Return the File ID of every file that a DICOMDIR names, each once, in its order.

    Raises
    ------
    InputError
        If the DICOMDIR cannot be read.
    """
    return list(list_instances(directory))


def list_instances(directory: Source) -> dict[tuple[str, ...], str]:
    """Return the SOP instance UID by File ID of every file that a DICOMDIR names; empty where not said.

    Raises
    ------
    InputError
        If the DICOMDIR cannot be read.
    """
    with directory.open() as file:
        if file.seek(0, 2) > MAX_DIRECTORY_BYTES:
            raise RefusedError(
                "too_large", "this DICOMDIR is longer than any medium has it; name the folder instead."
            )
        file.seek(0)
        try:
            with quiet_library():
                dataset = dcmread(file, specific_tags=["DirectoryRecordSequence"])
                _check_length(dataset)
                records = dataset.get("DirectoryRecordSequence") or []
                named = [(_file_id(record), _instance_uid(record)) for record in records]
                return {parts: uid for parts, uid in named if parts}
        except InputError:
            raise
        # pydicom raises whatever a damaged file makes it trip over; it must become one row.
        except Exception as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise _damaged() from error


def _check_length(dataset: Dataset) -> None:
    """Raise if the records end too early: pydicom returns those that are whole, and says nothing."""
    records: object = dataset.get_item("DirectoryRecordSequence")
    if isinstance(records, RawDataElement) and len(records.value or b"") < records.length != UNDEFINED_LENGTH:
        raise _damaged()


def _damaged() -> ReadError:
    return ReadError(
        "damaged_directory", "this DICOMDIR is damaged; name the folder that it lies in instead."
    )


def _file_id(record: Dataset) -> tuple[str, ...]:
    value = record.get("ReferencedFileID") or ()
    return (value,) if isinstance(value, str) else tuple(map(str, value))


def _instance_uid(record: Dataset) -> str:
    return str(record.get("ReferencedSOPInstanceUIDInFile") or "").strip()


def find_reference(directory: Source, parts: tuple[str, ...]) -> tuple[Source, InputError | None]:
    """Return the file with this File ID (PS3.10 8.5): names below the folder of the DICOMDIR.

    The error is why it cannot be read.
    """
    is_below = all(part.strip(". ") and not set(part) & set("/\\\0") for part in parts)
    if directory.member:
        folder = directory.member.rpartition("/")[0]
        source = Source(directory.path, "/".join((*filter(None, [folder]), *parts)))
    else:
        source = Source(directory.path.parent.joinpath(*parts) if is_below else directory.path.parent)
    if not is_below:
        return source, RefusedError(
            "outside_directory", "the DICOMDIR names a file outside its own folder; name that file itself."
        )
    if directory.member or os.path.exists(source.path):  # noqa: PTH110 — a folder that is closed is no fault
        return source, None
    found = find_other_name(directory.path.parent, parts)
    if found is not None:
        return Source(found), None
    return source, ReadError(
        "missing", "the DICOMDIR names this file, but it is not there; copy the medium again."
    )
