"""What headers say that tells series apart, where their UIDs do not."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeAlias, TypeVar

from gadoscope.reading.dicom.grouping.index import Piece
from gadoscope.reading.dicom.header import FrameHeader, InstanceHeader

PLANE_DIGITS, SPACING_DIGITS, PLACE_DIGITS = 2, 3, 1
"""To which direction cosines, pixel spacings (mm) and positions (mm) are rounded; what is regular is measured
afterwards."""
FEWEST_SLICES = 3
"""Of a series that is put together: two slices are always evenly spaced."""

STUDY, UID, NUMBER = "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber"
MOMENT, SPACE, PATIENT = "SeriesTime", "FrameOfReferenceUID", "PatientID"
DESCRIPTION, PROTOCOL, AGENT = "SeriesDescription", "ProtocolName", "ContrastBolusAgent"
FOLDER = "folder"
TIME, ACQUISITION = "AcquisitionTime", "AcquisitionNumber"

Teller: TypeAlias = Callable[[InstanceHeader], Hashable]
Part = TypeVar("Part")

TELLERS: dict[str, Teller] = {
    STUDY: lambda header: header.study_instance_uid,
    UID: lambda header: header.series_instance_uid,
    PATIENT: lambda header: header.whose,
    NUMBER: lambda header: header.series_number,
    MOMENT: lambda header: header.series_moment,
    SPACE: lambda header: header.frame_of_reference_uid,
    DESCRIPTION: lambda header: header.description,
    PROTOCOL: lambda header: header.protocol,
    AGENT: lambda header: header.agent,
    TIME: lambda header: (header.frame.acquisition_date, header.frame.acquisition_time),
    ACQUISITION: lambda header: header.frame.acquisition_number,
}


def first_of(piece: Piece) -> InstanceHeader:
    """Return the first header of a piece."""
    return piece.instances[0][0]


def split(parts: Iterable[Part], teller: Callable[[Part], Hashable]) -> list[list[Part]]:
    """Return the members of each value, all in their order."""
    found: defaultdict[Hashable, list[Part]] = defaultdict(list)
    for part in parts:
        found[teller(part)].append(part)
    return list(found.values())


def by_names(names: Sequence[str]) -> Callable[[Piece], Hashable]:
    """Return what tells pieces apart by some of the `TELLERS`."""
    return lambda piece: tuple(TELLERS[name](first_of(piece)) for name in names)


def share(pieces: Sequence[Piece], name: str) -> bool:
    """Return whether all state the same."""
    values = {TELLERS[name](first_of(piece)) for piece in pieces}
    return len(values) == 1 and values.pop() not in ("", None)


def changes(pieces: Sequence[Piece], name: str) -> bool:
    """Return whether most pieces state a value of their own."""
    return len({TELLERS[name](first_of(piece)) for piece in pieces}) > max(1, len(pieces) / 2)


def find_plane(frame: FrameHeader) -> Hashable:
    """Return size, direction and pixel spacing, rounded."""
    orientation = tuple(round(cosine, PLANE_DIGITS) + 0.0 for cosine in frame.orientation or ())
    spacing = tuple(round(one, SPACING_DIGITS) for one in frame.spacing_mm or ())
    return frame.rows, frame.columns, orientation, spacing


def count_places(headers: Iterable[InstanceHeader]) -> int:
    """Return at how many places their slices lie."""
    return len(
        {tuple(round(mm, PLACE_DIGITS) for mm in header.frame.position_mm or ()) for header in headers}
    )


def are_held(groups: Sequence[Sequence[InstanceHeader]]) -> bool:
    """Return whether groups are series rather than slices: two of three places and more, and typically so.

    A value that counts slices, or is new in each file, makes groups of one place.
    """
    if len(groups) == 1:
        return False
    places = sorted(map(count_places, groups), reverse=True)
    typical = (places[(len(places) - 1) // 2] + places[len(places) // 2]) / 2  # their median
    return places[1] >= FEWEST_SLICES and typical >= FEWEST_SLICES


def list_headers(pieces: Sequence[Piece]) -> list[InstanceHeader]:
    """Return each header; once of those that are the same to the last byte."""
    headers = (header for piece in pieces for header, _ in piece.instances)
    unique = {(header.sop_instance_uid or header.name, header.digest): header for header in headers}
    return list(unique.values())


def list_frames(pieces: Sequence[Piece]) -> list[FrameHeader]:
    """Return what is said of each slice, as `list_headers`."""
    return [header.frame for header in list_headers(pieces)]
