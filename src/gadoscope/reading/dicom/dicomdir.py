"""A DICOMDIR names the instances of a medium; it is no image itself."""

from collections.abc import Mapping

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.other_names import find_other_name
from gadoscope.reading.dicom.syntaxes import BIG_ENDIAN, guess_implicit
from gadoscope.reading.remote.path import Location

MAX_DIRECTORY_BYTES = 128 * 2**20
"""About a kilobyte an instance: a DICOMDIR of 100,000 instances. It takes several times that in memory."""
_RECORDS, _FILE_ID = tags.DIRECTORY_RECORD_SEQUENCE, tags.REFERENCED_FILE_ID
_INSTANCE_UID = tags.REFERENCED_SOP_INSTANCE_UID_IN_FILE


def list_instances(directory: Source) -> dict[tuple[str, ...], str]:
    """Return the SOP instance UID by File ID of every file that a DICOMDIR names; empty where not said.

    Raises
    ------
    InputError
        If the DICOMDIR cannot be read.
    """
    from gadoscope.reading.dicom.data_set import read_meta  # noqa: PLC0415 — pydicom, as below
    from gadoscope.reading.dicom.long_header import iter_sequence  # noqa: PLC0415 — pydicom: few media have one

    with directory.open() as file:
        if file.seek(0, 2) > MAX_DIRECTORY_BYTES:
            raise RefusedError(
                "too_large", "this DICOMDIR is longer than any medium has it; name the folder instead."
            )
        file.seek(0)
        data = file.read()
    try:
        # Not pydicom's own reader of records, which takes a minute and gigabytes for a million of them.
        meta, begin = read_meta(data)
        records = iter_sequence(
            data,
            begin,
            tag=_RECORDS,
            is_implicit=guess_implicit(data[begin : begin + 8]),
            # PS3.10 8.6 allows explicit little endian alone; what says otherwise is read as it is written.
            is_little_endian=meta.find_text(tags.TRANSFER_SYNTAX_UID) != BIG_ENDIAN,
        )
        named = [(_file_id(record), _instance_uid(record)) for record in records]
        return {parts: uid for parts, uid in named if parts}
    except RefusedError:
        raise
    except ReadError as error:
        raise _damaged() from error
    # pydicom raises whatever a damaged file makes it trip over; it must become one row.
    except Exception as error:
        raise _damaged() from error


def _damaged() -> ReadError:
    return ReadError(
        "damaged_directory", "this DICOMDIR is damaged; name the folder that it lies in instead."
    )


def _file_id(record: Mapping[int, bytes]) -> tuple[str, ...]:
    value = record.get(_FILE_ID, b"").decode("latin-1").rstrip(" \0")
    return tuple(part.rstrip(" \0") for part in value.split("\\")) if value else ()


def _instance_uid(record: Mapping[int, bytes]) -> str:
    return record.get(_INSTANCE_UID, b"").decode("latin-1").strip(" \0")


def _exists(place: Location) -> bool:
    try:
        return place.exists()
    except (OSError, ValueError):  # a folder that is closed is no fault
        return False


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
    if directory.member or _exists(source.path):
        return source, None
    found = find_other_name(directory.path.parent, parts)
    if found is not None:
        return Source(found), None
    return source, ReadError(
        "missing", "the DICOMDIR names this file, but it is not there; copy the medium again."
    )
