"""What every form of scan becomes before it is classified: a series of one or more volumes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gadoscope.imaging.volume import LazyVolume

Facts = Mapping[str, object]
"""What a header says, as plain values: pydicom keyword to str, int, float, or a list of these; a sequence is
a list of mappings. DICOM's units. Evidence reads it; readings know nothing of evidence."""


@dataclass(frozen=True, kw_only=True)
class SeriesVolume:
    """One volume of a series; nothing of it is decoded yet.

    Parameters
    ----------
    open
        Returns the volume; an ``InputError`` that it raises becomes this volume's row.
    peek
        Where that costs as much as the whole file: returns the volume as well, but damage behind it is not
        noticed. Good enough to refuse by, never to answer from.
    facts
        What the header says of this volume alone, such as AcquisitionTime; goes over the series' facts.
    warnings
        Repairs that concern this volume; one sentence each, without values of this file.
    """

    open: "Callable[[], LazyVolume]"
    peek: "Callable[[], LazyVolume] | None" = None
    facts: Facts = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ImageSeries:
    """A series: the unit that gets an answer.

    Parameters
    ----------
    path
        What stands in the row: the file, or the series' first file; inside an archive ``a.zip!member``.
    volumes
        One, or for 4-D, dynamic and multi-echo series several, in the order of acquisition.
    facts
        The header of the whole series; ``None`` where this form of file has none (a lone NIfTI).
    study_instance_uid, series_instance_uid
        Of DICOM; ``None`` elsewhere.
    warnings
        Repairs that concern the whole series.
    """

    path: str
    volumes: tuple[SeriesVolume, ...]
    facts: Facts | None = None
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    warnings: tuple[str, ...] = ()
