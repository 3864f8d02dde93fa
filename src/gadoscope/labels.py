"""The words that every part shares: phase, status, plane, and the answer for a series."""

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Phase(StrEnum):
    """Contrast/Bolus Agent Phase, in DICOM's defined terms.

    References
    ----------
    DICOM PS3.3 C.8.13.4, Contrast/Bolus Agent Phase (0018,9344)
    """

    PRE_CONTRAST = "PRE_CONTRAST"
    """Acquired before the agent was given, or without any."""
    POST_CONTRAST = "POST_CONTRAST"
    """Acquired after the agent was given: the positive class."""
    INDETERMINATE = "INDETERMINATE"
    """The evidence does not suffice. An outcome, never a training label."""
    MIXED = "MIXED"
    """A series of several volumes, some before and some after. Gadoscope's word, not DICOM's; never of one
    volume."""


CLASS_ORDER = (Phase.PRE_CONTRAST, Phase.POST_CONTRAST)
"""Index 0 and index 1 of every network; a probability is always that of index 1."""


class Label(StrEnum):
    """What a manifest says of an image: its reference label."""

    PRE = "pre"
    POST = "post"
    OTHER = "other"
    """Not a T1 brain image; never a class of the network."""


class Verdict(StrEnum):
    """What a reader says of a series who looked at it."""

    PRE = "pre"
    POST = "post"
    MIXED = "mixed"
    """Several volumes, some before and some after contrast."""
    NOT_T1 = "not_t1"
    """Not a T1 brain series: the label ``other`` of a manifest."""
    UNSURE = "unsure"
    """It was looked at, and cannot be told: no label."""


class Split(StrEnum):
    """Which part of the data an image belongs to."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class Level(StrEnum):
    """What a probability is about, and what counts as one case."""

    SLICE = "slice"
    """One slice alone."""
    SERIES = "series"
    """All slices that were read of one series, their logits made one by the bundle's aggregation."""
    SUBJECT = "subject"
    """All images of one subject with one label: the head before contrast, or the head after it."""


_MODALITY_TERMS = (
    "AR ASMT AU BDUS BI BMD CR CT CTPROTOCOL DG DOC DX ECG EPS ES FID GM HC HD IO IOL IVOCT IVUS KER KO"
    " LEN LS M3D MG MR NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS OT PLAN POS PR PT PX REG RESP RF RG"
    " RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF STAIN TG US VA"
    " XA XAPROTOCOL XC PET MRI CF DS EC LP MA MS ST"
)
MODALITIES = frozenset(_MODALITY_TERMS.split())
"""Defined terms of Modality (0008,0060), DICOM PS3.3 C.7.3.1.1.1, retired ones too, and two slips: what of a
value may be shown, for anything may be typed there."""


class QuoteMode(StrEnum):
    """How much of a header's attribute is quoted."""

    WORDS = "words"
    """The words that decided."""
    FULL = "full"
    """The whole value: it may hold what somebody typed into it of a patient."""


class Plane(StrEnum):
    """Acquisition plane of a slice."""

    SAGITTAL = "sagittal"
    AXIAL = "axial"
    CORONAL = "coronal"
    UNKNOWN = "unknown"


class OtherKind(StrEnum):
    """What an image that is no T1 brain looks like: what a manifest's column ``kind`` may say of it."""

    T2 = "t2"
    FLAIR = "flair"
    NO_BRAIN = "no_brain"
    BLANK = "blank"


class Status(StrEnum):
    """What became of an input; every input has exactly one."""

    ANSWERED = "answered"
    """The phase is pre- or post-contrast; of several volumes perhaps both."""
    INDETERMINATE = "indeterminate"
    """Readable, but the evidence lies inside the abstention band."""
    REFUSED = "refused"
    """Readable, but not a T1 brain series that the bundle was made for."""
    FAILED = "failed"
    """Cannot be read."""


@dataclass(frozen=True, kw_only=True)
class SeriesResult:
    """The answer for one input; the fields, in this order, are the columns of every result table.

    ``None`` means unknown or not applicable. ``probability`` is P(post-contrast) by the pixels alone,
    calibrated as the bundle says. ``reason`` is a machine-readable word, then a colon and a sentence; it is
    empty only where ``status`` is ``answered``, ``phase`` is not ``MIXED``, and the study settled nothing.
    """

    path: str
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    volume_index: int | None = None
    plane: Plane = Plane.UNKNOWN
    n_slices: int = 0
    n_slices_used: int = 0
    status: Status
    phase: Phase | None = None
    probability: float | None = None
    reason: str = ""
    header_state: str = "silent"
    header_quote: str = ""
    agreement: str = "silent"
    model: str = ""
    warnings: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the answer, its probability from 0 to 1, and the header's words."""
        return self._draw("", None)

    def _draw(self, picture: str, band: tuple[float, float] | None) -> str:
        from gadoscope.markup import draw_bar, draw_rows, to_html  # noqa: PLC0415 — commands do without

        rows = [("path", to_html(self.path)), ("status", to_html(self.status))]
        if self.phase is not None:
            rows.append(("phase", to_html(self.phase)))
        if self.probability is not None:
            bar = draw_bar(self.probability, band)
            rows.append(("P(post-contrast)", f"{bar} {self.probability:.3f}"))
        said = (
            ("reason", self.reason),
            ("header", self.header_quote),
            ("warnings", "; ".join(self.warnings)),
        )
        rows += [(name, to_html(text)) for name, text in said if text]
        table = draw_rows(rows)
        return f'<div style="display:flex">{picture}{table}</div>' if picture else table


@dataclass(frozen=True, kw_only=True)
class KeptResult(SeriesResult):
    """A result with what the network said of each slice, for whoever keeps it; as a row it is the same.

    Parameters
    ----------
    logits
        Of POST_CONTRAST, of each slice that was looked at, in the order of the slices; empty where the
        network was not asked, and in the row of a series of several volumes.
    seen
        Digest of the pixels that the network saw, in hexadecimal; empty where it was not asked now.
    """

    logits: tuple[float, ...] = field(default=(), repr=False, compare=False)
    seen: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class PicturedResult(KeptResult):
    """A result with what a notebook shows beside it; as a row of a table it is the same.

    Parameters
    ----------
    picture
        The middle slice of those that the network saw, as PNG; empty where none was read.
    band
        From where up to where the probability is no answer; None where there is no probability.
    """

    picture: bytes = field(default=b"", repr=False)
    band: tuple[float, float] | None = field(default=None, repr=False)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the slice too, and the band."""
        from base64 import b64encode  # noqa: PLC0415 — as above

        address = f"data:image/png;base64,{b64encode(self.picture).decode('ascii')}"
        return self._draw(f'<img src="{address}" alt="" height="160">' if self.picture else "", self.band)


@dataclass(frozen=True, kw_only=True)
class SlicedResult(PicturedResult):
    """A result with all slices that the network saw, for whoever explains it: half a megabyte each five.

    Parameters
    ----------
    slices
        Shape (slice, size, size), uint8; None where none was read.
    """

    slices: "NDArray[np.uint8] | None" = field(default=None, repr=False, compare=False)


RESULT_COLUMNS = tuple(field.name for field in fields(SeriesResult))


def without_picture(row: SeriesResult) -> SeriesResult:
    """Return the row as tables hold it."""
    if type(row) is SeriesResult:
        return row
    return SeriesResult(**{name: getattr(row, name) for name in RESULT_COLUMNS})


# What a row says of its study, and what the ledger counts by it.
OUT_OF_ORDER = (
    "its study turns from post- back to pre-contrast: one of these answers, or an acquisition time, is wrong"
)
NO_PRE_CONTRAST = (
    "its study has two or more post-contrast T1 series and none before contrast: that one is missing, or one "
    "of these answers is wrong"
)
ONE_PHASE = (
    "the head enhances from one series of its study to another of the same plane and sequence, yet both have "
    "one phase: one of these answers is wrong"
)
