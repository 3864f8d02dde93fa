"""The header of one DICOM instance, scanned without its pixels.

Small, plain values only, so that the headers of an archive can wait on disk, as JSON, until their series is
complete. Nothing here names or describes a patient.

References
----------
DICOM PS3.3 C.7.6.2 (Image Plane), C.7.6.3 (Image Pixel), C.8.3.1 (MR Image), C.8.13.3 (MR frame types)
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, BinaryIO, Self, TypeAlias

from gadoscope.errors import ReadError, RefusedError
from gadoscope.reading.archives.sources import Start
from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.elements import LONGEST_VALUE_BYTES, Element, Elements
from gadoscope.reading.dicom.plain_header import Asked, PlainHeader, parse_plain_header, read_plain_header

if TYPE_CHECKING:
    from gadoscope.reading.dicom.raw_header import RawHeader

MAGNITUDE = "MAGNITUDE"
# Words of ImageType, after its first two values, that tell which part of the complex signal it is.
_COMPONENT_WORDS = {
    "M": MAGNITUDE,
    "MAGNITUDE": MAGNITUDE,
    "P": "PHASE",
    "PHASE": "PHASE",
    "PHASE MAP": "PHASE",
    "R": "REAL",
    "REAL": "REAL",
    "I": "IMAGINARY",
    "IMAGINARY": "IMAGINARY",
}
# GE's (0043,102F), where GEMS_PARM_01 owns the block (GE's DICOM conformance statements for MR).
_GE_COMPONENTS = {0: MAGNITUDE, 1: "PHASE", 2: "REAL", 3: "IMAGINARY"}
_GE_OWNER_TAG, _GE_OWNER, _GE_COMPONENT_TAG = 0x00430010, "GEMS_PARM_01", 0x0043102F
# Day, scanner; body part, position, sequence, repetition time, flip angle, thickness, matrix. Not what tells
# volumes of one series apart: echo, inversion, hour.
_SHARED_TAGS = (
    *(
        tags.STUDY_DATE,
        tags.MODALITY,
        tags.MANUFACTURER,
        tags.MANUFACTURER_MODEL_NAME,
        tags.BODY_PART_EXAMINED,
        tags.PATIENT_POSITION,
        tags.SCANNING_SEQUENCE,
        tags.SEQUENCE_VARIANT,
    ),
    *(
        tags.MR_ACQUISITION_TYPE,
        tags.SEQUENCE_NAME,
        tags.REPETITION_TIME,
        tags.FLIP_ANGLE,
        tags.SLICE_THICKNESS,
        tags.ROWS,
        tags.COLUMNS,
    ),
)
_PATIENT_TAGS = (tags.PATIENT_NAME, tags.PATIENT_ID)
_ASKED = Asked(
    wanted=frozenset(
        (
            *_SHARED_TAGS,
            *_PATIENT_TAGS,
            *(tags.IMAGE_TYPE, tags.SOP_CLASS_UID, tags.SOP_INSTANCE_UID, tags.STUDY_INSTANCE_UID),
            *(tags.SERIES_INSTANCE_UID, tags.PHOTOMETRIC_INTERPRETATION, tags.NUMBER_OF_FRAMES),
            *(tags.BITS_ALLOCATED, tags.SERIES_NUMBER, tags.SERIES_DATE, tags.SERIES_TIME),
            *(tags.FRAME_OF_REFERENCE_UID, tags.SERIES_DESCRIPTION, tags.PROTOCOL_NAME),
            *(tags.CONTRAST_BOLUS_AGENT, tags.ACQUISITION_DATE_TIME, tags.ACQUISITION_DATE),
            *(tags.ACQUISITION_TIME, tags.IMAGE_ORIENTATION_PATIENT, tags.IMAGE_POSITION_PATIENT),
            *(tags.PIXEL_SPACING, tags.SPACING_BETWEEN_SLICES, tags.SLICE_LOCATION, tags.INSTANCE_NUMBER),
            *(tags.ACQUISITION_NUMBER, tags.TEMPORAL_POSITION_IDENTIFIER, tags.ECHO_NUMBERS),
            *(tags.ECHO_TIME, tags.INVERSION_TIME, tags.TRIGGER_TIME, tags.COMPLEX_IMAGE_COMPONENT),
            *(_GE_OWNER_TAG, _GE_COMPONENT_TAG),
        )
    ),
    longest=LONGEST_VALUE_BYTES,
    is_of_many=True,
)
_OWN_TAGS = frozenset(
    (
        *(tags.SOP_INSTANCE_UID, tags.ACQUISITION_DATE_TIME, tags.ACQUISITION_DATE, tags.ACQUISITION_TIME),
        *(tags.IMAGE_POSITION_PATIENT, tags.SLICE_LOCATION, tags.INSTANCE_NUMBER, tags.TRIGGER_TIME),
    )
)
_ALIKE_TAGS = tuple(sorted(_ASKED.wanted - _OWN_TAGS))
"""What the instances of a series mostly say alike: decoded once for all who say the same."""
_REMEMBERED = 64
_Shared: TypeAlias = tuple[dict[str, Any], dict[str, Any]]
_LIKENESS_BYTES, _NAME_BYTES = 16, 8
_DATE_LENGTH = 8  # of a DT value: YYYYMMDD, then HHMMSS.FFFFFF and the offset from UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameHeader:
    """What is said of one frame: where it lies, and what tells it from the others of its series.

    Parameters
    ----------
    rows, columns
        Pixels; 0 where the object has none.
    orientation
        ImageOrientationPatient: direction cosines of a row, then of a column.
    position_mm
        ImagePositionPatient: middle of the first pixel, LPS+.
    spacing_mm
        PixelSpacing: between rows, then between columns.
    slice_thickness_mm, slice_spacing_mm
        SliceThickness and SpacingBetweenSlices; not the same.
    slice_location_mm
        SliceLocation: only to notice positions that cannot be.
    image_type
        ImageType, or FrameType of a multi-frame object; in capitals.
    component
        ComplexImageComponent (0008,9208), or what ImageType or GE's (0043,102F) says of it.
    number
        InstanceNumber, or the frame's number from 1.
    acquisition_number, temporal_position, echo_number
        As DICOM names them; of a multi-frame object FrameAcquisitionNumber and TemporalPositionIndex.
    echo_time_ms, inversion_time_ms, trigger_time_ms
        As DICOM names them; of a multi-frame object EffectiveEchoTime, InversionTimes and
        NominalCardiacTriggerDelayTime or TemporalPositionTimeOffset.
    acquisition_date, acquisition_time
        ``YYYYMMDD`` and ``HHMMSS.FFFFFF``, of AcquisitionDate and -Time, or of AcquisitionDateTime.
    """

    rows: int
    columns: int
    orientation: tuple[float, ...] | None = None
    position_mm: tuple[float, ...] | None = None
    spacing_mm: tuple[float, ...] | None = None
    slice_thickness_mm: float | None = None
    slice_spacing_mm: float | None = None
    slice_location_mm: float | None = None
    image_type: tuple[str, ...] = ()
    component: str = ""
    number: int | None = None
    acquisition_number: int | None = None
    temporal_position: int | None = None
    echo_number: int | None = None
    echo_time_ms: float | None = None
    inversion_time_ms: float | None = None
    trigger_time_ms: float | None = None
    acquisition_date: str = ""
    acquisition_time: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceHeader:
    """What is said of one instance, that is: of one file or member of an archive.

    Parameters
    ----------
    name
        Where it lies, as given to `scan_header`.
    n_bytes
        Size of the file.
    digest
        Hexadecimal BLAKE2b, 16 bytes, of everything before the pixel data.
    sop_class_uid, sop_instance_uid, study_instance_uid, series_instance_uid
        Empty where missing; the class never is.
    modality, photometric
        Empty where missing.
    n_frames, bits_allocated
        1 and 0 where missing.
    has_pixels
        Whether anything follows the header.
    frame
        What is said of the frame; for a multi-frame object what is said outside its functional groups.
    series_number, series_moment, frame_of_reference_uid
        SeriesNumber, SeriesDate with SeriesTime, FrameOfReferenceUID: asked where SeriesInstanceUID fails;
        empty where missing.
    likeness
        Hexadecimal digest of what else the slices of a series share: day, scanner, sequence, matrix.
    whose, description, protocol, agent
        Hexadecimal digests of PatientName with PatientID, SeriesDescription, ProtocolName and
        ContrastBolusAgent, which a series shares unless somebody rewrote them; empty where missing.
    """

    name: str
    n_bytes: int
    digest: str
    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    modality: str
    photometric: str
    n_frames: int
    bits_allocated: int
    has_pixels: bool
    frame: FrameHeader
    series_number: int | None = None
    series_moment: str = ""
    frame_of_reference_uid: str = ""
    likeness: str = ""
    whose: str = ""
    description: str = ""
    protocol: str = ""
    agent: str = ""

    @property
    def series_key(self) -> str:
        """Return what instances of one series share: SeriesInstanceUID, or where it is missing the name."""
        return self.series_instance_uid or self.name

    def to_values(self) -> list[Any]:
        """Return the header as plain values, which `marshal` holds; their names would be half of its text."""
        return [*_FIELDS_OF_INSTANCE(self), _FIELDS_OF_FRAME(self.frame)]

    @classmethod
    def from_values(cls, values: Sequence[Any]) -> Self:
        """Return the header that `to_values` gave."""
        *own, frame = values
        by_name: dict[str, Any] = dict(zip(_FRAME_FIELDS, frame, strict=True))
        return cls(frame=FrameHeader(**by_name), **dict(zip(_INSTANCE_FIELDS, own, strict=True)))


_INSTANCE_FIELDS = tuple(field.name for field in fields(InstanceHeader) if field.name != "frame")
_FRAME_FIELDS = tuple(field.name for field in fields(FrameHeader))
# Not `asdict`, whose deep copies take longer than all the rest of a batch's packing.
_FIELDS_OF_INSTANCE, _FIELDS_OF_FRAME = attrgetter(*_INSTANCE_FIELDS), attrgetter(*_FRAME_FIELDS)
_DIGEST_AND_BYTES = itemgetter(_INSTANCE_FIELDS.index("digest"), _INSTANCE_FIELDS.index("n_bytes"))


def find_digest(values: Sequence[Any]) -> tuple[str, int]:
    """Return ``digest`` and ``n_bytes`` of a header that is given by the values of `to_values`."""
    digest, n_bytes = _DIGEST_AND_BYTES(values)
    return digest, n_bytes


def scan_header(file: BinaryIO, name: str) -> InstanceHeader:
    """Read the header of an instance, without its pixels.

    Parameters
    ----------
    file
        Seekable; read from its beginning.
    name
        Becomes the header's ``name``.

    Raises
    ------
    ReadError
        With the reason ``empty_file``, ``not_dicom`` or ``damaged_header``.
    RefusedError
        With the reason ``no_sop_class`` or ``too_large``.
    """
    header = read_plain_header(file, _ASKED)
    if header is None:
        from gadoscope.reading.dicom.raw_header import read_raw_header  # noqa: PLC0415 — needs pydicom

        return describe(read_raw_header(file), name)
    return describe(header, name)


def scan_start(start: Start, name: str) -> InstanceHeader | None:
    """Do the same with the beginning of a file; ``None`` where its header is longer, or not plain."""
    header = parse_plain_header(start, _ASKED)
    return None if header is None else describe(header, name)


def describe(raw: "PlainHeader | RawHeader", name: str) -> InstanceHeader:
    """Return what is said of an instance; raises as `find_sop_class`."""
    elements, meta = raw.elements, raw.meta
    shared, shared_of_frame = _describe_alike(raw)
    return InstanceHeader(
        name=name,
        n_bytes=raw.n_bytes,
        digest=raw.digest,
        sop_class_uid=find_sop_class(raw),
        sop_instance_uid=elements.find_text(tags.SOP_INSTANCE_UID)
        or meta.find_text(tags.MEDIA_STORAGE_SOP_INSTANCE_UID),
        has_pixels=raw.has_pixels,
        frame=FrameHeader(**shared_of_frame, **_describe_place(elements)),
        **shared,
    )


def _describe_alike(raw: "PlainHeader | RawHeader") -> _Shared:
    """Return what the instances of a series mostly say alike; at once where it is known that they do."""
    pattern = raw.pattern if isinstance(raw, PlainHeader) else None
    if pattern is None or not pattern.varying.isdisjoint(_ALIKE_TAGS):
        return _describe_shared(raw.elements.pick(_ALIKE_TAGS))
    if pattern.said is None:
        pattern.said = _describe_shared(raw.elements.pick(_ALIKE_TAGS))
    said: _Shared = pattern.said
    return said


@lru_cache(maxsize=_REMEMBERED)  # the instances of a series say the same
def _describe_shared(alike: tuple[Element | None, ...]) -> _Shared:
    """Return what the values of `_ALIKE_TAGS` say of an instance, and of its frame."""
    elements = Elements({tag: one for tag, one in zip(_ALIKE_TAGS, alike, strict=True) if one is not None})
    series_time = elements.find_text(tags.SERIES_TIME)
    n_frames = elements.find_integer(tags.NUMBER_OF_FRAMES)
    return {
        "study_instance_uid": elements.find_text(tags.STUDY_INSTANCE_UID),
        "series_instance_uid": elements.find_text(tags.SERIES_INSTANCE_UID),
        "modality": elements.find_text(tags.MODALITY).upper(),
        "photometric": elements.find_text(tags.PHOTOMETRIC_INTERPRETATION).upper(),
        "n_frames": 1 if n_frames is None else n_frames,
        "bits_allocated": elements.find_integer(tags.BITS_ALLOCATED) or 0,
        "series_number": elements.find_integer(tags.SERIES_NUMBER),
        "series_moment": elements.find_text(tags.SERIES_DATE) + series_time if series_time else "",
        "frame_of_reference_uid": elements.find_text(tags.FRAME_OF_REFERENCE_UID),
        "likeness": _find_likeness(elements),
        "whose": _digest(b"\\".join(map(elements.find_bytes, _PATIENT_TAGS))),
        "description": _digest(elements.find_bytes(tags.SERIES_DESCRIPTION)),
        "protocol": _digest(elements.find_bytes(tags.PROTOCOL_NAME)),
        "agent": _digest(elements.find_bytes(tags.CONTRAST_BOLUS_AGENT)),
    }, _describe_plane(elements)


def _digest(value: bytes) -> str:
    """Return a digest, so that two values can be compared and none be read; empty for an empty one."""
    said = value.strip(b" \0\\")
    return hashlib.blake2b(said, digest_size=_NAME_BYTES).hexdigest() if said else ""


def _find_likeness(elements: Elements) -> str:
    shared = b"\\".join(elements.find_bytes(tag).strip(b" \0") for tag in _SHARED_TAGS)
    # ORIGINAL or DERIVED, PRIMARY or SECONDARY; the other words may tell volumes of one series apart.
    image_type = b"\\".join(elements.find_bytes(tags.IMAGE_TYPE).split(b"\\")[:2])
    return hashlib.blake2b(shared + b"\n" + image_type, digest_size=_LIKENESS_BYTES).hexdigest()


def parse_frame(elements: Elements) -> FrameHeader:
    """Return what the elements of a classic instance say of its frame."""
    return FrameHeader(**_describe_plane(elements), **_describe_place(elements))


def _describe_plane(elements: Elements) -> dict[str, Any]:
    """Return what the frames of a volume mostly say alike."""
    image_type = elements.find_words(tags.IMAGE_TYPE)
    return {
        "rows": elements.find_integer(tags.ROWS) or 0,
        "columns": elements.find_integer(tags.COLUMNS) or 0,
        "orientation": elements.find_numbers(tags.IMAGE_ORIENTATION_PATIENT),
        "spacing_mm": elements.find_numbers(tags.PIXEL_SPACING),
        "slice_thickness_mm": elements.find_number(tags.SLICE_THICKNESS),
        "slice_spacing_mm": elements.find_number(tags.SPACING_BETWEEN_SLICES),
        "image_type": image_type,
        "component": find_component(elements, image_type),
        "acquisition_number": elements.find_integer(tags.ACQUISITION_NUMBER),
        "temporal_position": elements.find_integer(tags.TEMPORAL_POSITION_IDENTIFIER),
        "echo_number": elements.find_integer(tags.ECHO_NUMBERS),
        "echo_time_ms": elements.find_number(tags.ECHO_TIME),
        "inversion_time_ms": elements.find_number(tags.INVERSION_TIME),
    }


def _describe_place(elements: Elements) -> dict[str, Any]:
    """Return what each frame says for itself."""
    moment = elements.find_text(tags.ACQUISITION_DATE_TIME)
    return {
        "position_mm": elements.find_numbers(tags.IMAGE_POSITION_PATIENT),
        "slice_location_mm": elements.find_number(tags.SLICE_LOCATION),
        "number": elements.find_integer(tags.INSTANCE_NUMBER),
        "trigger_time_ms": elements.find_number(tags.TRIGGER_TIME),
        "acquisition_date": elements.find_text(tags.ACQUISITION_DATE) or moment[:_DATE_LENGTH],
        "acquisition_time": elements.find_text(tags.ACQUISITION_TIME)
        or moment[_DATE_LENGTH:].split("+")[0].split("-")[0],
    }


def find_component(elements: Elements, image_type: tuple[str, ...]) -> str:
    """Return which part of the complex signal a frame shows; empty if nothing says it."""
    stated = elements.find_text(tags.COMPLEX_IMAGE_COMPONENT).upper()
    if stated:
        return stated
    if elements.find_text(_GE_OWNER_TAG) == _GE_OWNER and _GE_COMPONENT_TAG in elements:
        return _GE_COMPONENTS.get(elements.find_integer(_GE_COMPONENT_TAG) or 0, "")
    words = (_COMPONENT_WORDS.get(word.replace("_", " ")) for word in image_type[2:])
    return next((word for word in words if word), "")


def find_sop_class(raw: "PlainHeader | RawHeader") -> str:
    """Return SOPClassUID; raises ``no_sop_class`` or, if nothing else looks like DICOM, ``not_dicom``."""
    uid = raw.elements.find_text(tags.SOP_CLASS_UID) or raw.meta.find_text(tags.MEDIA_STORAGE_SOP_CLASS_UID)
    if uid:
        return uid
    if not any(raw.meta.iter_public()) and not raw.elements.find_text(tags.MODALITY):
        raise ReadError("not_dicom", "the content is not DICOM, whatever the name says.")
    raise RefusedError("no_sop_class", "SOPClassUID is missing: what kind of object it is, is not said.")
