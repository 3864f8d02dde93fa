"""Instances of one SeriesInstanceUID become a series of one or more volumes; nothing is decoded yet.

What a series is, how its volumes are told apart and what is left out: docs/decisions/0010. The order in which
the files are named makes no difference.
"""

from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from gadoscope.errors import InputError, RefusedError
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom.attributes import USAGE
from gadoscope.reading.dicom.copies import drop_copies, read_content
from gadoscope.reading.dicom.extents import are_scout
from gadoscope.reading.dicom.header import InstanceHeader
from gadoscope.reading.dicom.kinds import MULTI_FRAME_MR_IMAGES, keep_mr_images
from gadoscope.reading.dicom.pixels import PixelHeader
from gadoscope.reading.dicom.regular import is_regular
from gadoscope.reading.dicom.stack import build_stack
from gadoscope.reading.dicom.volume import DicomVolume
from gadoscope.reading.dicom.volumes import FramePlace, Frames, split_series
from gadoscope.reading.series import Facts, ImageSeries, SeriesVolume

DAMAGED = "damaged instances were left out"
# Volumes that differ in one of these were acquired one after the other.
_TIME_KEYWORDS = frozenset(
    ("AcquisitionTime", "AcquisitionNumber", "TemporalPositionIdentifier", "TriggerTime")
)


def open_dicom_series(
    instances: Sequence[InstanceHeader],
    sources: Sequence[Source],
    facts: Facts,
    *,
    regrouped: str = "",
    divided: str = "",
) -> ImageSeries:
    """Put the instances of a series in order and split them into volumes.

    Parameters
    ----------
    instances, sources
        At least one; ``sources[i]`` is where ``instances[i]`` lies. Multi-frame instances are read again,
        for what they say of each frame; of classic ones a file is opened only where it may be a copy.
    facts
        What `read_facts` gave for the first of them; becomes the series' facts. NumberOfTemporalPositions is
        counted where it is not stated.
    regrouped
        What holds the instances together where no SeriesInstanceUID does; becomes a warning. Then volumes
        that are no regular stacks are refused: they may be slices of several series.
    divided
        What tells them from instances of the same SeriesInstanceUID; becomes a warning.

    Returns
    -------
    ImageSeries
        Each volume opens without reading anything; one that makes no sense in space raises its error then.
        Its facts are those in which the volumes differ, under DICOM's keywords.

    Raises
    ------
    RefusedError
        As `keep_mr_images` and `split_series`; ``untold_slices``; ``localizer``.
    ReadError
        ``no_pixels`` or ``damaged_header``, and what opening a multi-frame file raises.
    """
    kept, kind_warnings = keep_mr_images(instances)
    source_of = {header.name: source for header, source in zip(instances, sources, strict=True)}
    unique, copy_warnings = drop_copies(kept, source_of)
    files = tuple(source_of[header.name] for header in unique)
    frames, frame_warnings = _list_frames(unique, files)
    split = split_series(frames, lambda frame: read_content(files[frame.instance], [frame.index]))
    if regrouped:
        _check_regular(split.volumes)
    _check_scout(split.volumes)
    own_facts = _find_own_facts(split.volumes)
    pixel_headers: dict[int, PixelHeader] = {}
    warnings = (
        *(said for said in (divided, regrouped) if said),
        *kind_warnings,
        *copy_warnings,
        *frame_warnings,
    )
    return ImageSeries(
        path=str(min(sources)),
        volumes=tuple(
            _make_volume(volume, own, files, pixel_headers)
            for volume, own in zip(split.volumes, own_facts, strict=True)
        ),
        facts=_count_time_points(facts, own_facts),
        study_instance_uid=kept[0].study_instance_uid or None,
        series_instance_uid=kept[0].series_instance_uid or None,
        warnings=(*warnings, *split.warnings),
    )


def _check_regular(volumes: Sequence[Frames]) -> None:
    if not all(is_regular([frame.header for frame in volume]) for volume in volumes):
        raise RefusedError(
            "untold_slices",
            "no SeriesInstanceUID holds its slices together, and they make no regular stack: nothing tells "
            "which belong together; export the series again.",
        )


def _check_scout(volumes: Sequence[Frames]) -> None:
    frames = [frame.header for frame in volumes[0]]
    if len(volumes) == 1 and are_scout(frames):
        raise RefusedError(
            "localizer",
            f"{len(frames)} thick slices in one plane, with gaps as wide as they are, are a localizer.",
        )


def _list_frames(
    instances: Sequence[InstanceHeader], files: Sequence[Source]
) -> tuple[list[FramePlace], tuple[str, ...]]:
    frames: list[FramePlace] = []
    damage: InputError | None = None
    for index, (header, source) in enumerate(zip(instances, files, strict=True)):
        if header.sop_class_uid not in MULTI_FRAME_MR_IMAGES and header.n_frames == 1:
            frames.append(FramePlace(header=header.frame, instance=index))
            continue
        from gadoscope.reading.dicom.enhanced import read_frames  # noqa: PLC0415 — needs pydicom

        try:
            with source.open() as file:
                frames.extend(read_frames(file, index))
        except InputError as error:
            damage = damage or error
    if damage is not None and not frames:
        raise damage
    return frames, (DAMAGED,) if damage is not None else ()


def _make_volume(
    frames: Frames,
    own_facts: Facts,
    files: tuple[Source, ...],
    pixel_headers: dict[int, PixelHeader],
) -> SeriesVolume:
    try:
        stack = build_stack([frame.header for frame in frames])
    except InputError as error:
        return SeriesVolume(open=partial(_refuse, error), facts=own_facts)
    slices = tuple(None if index is None else frames[index] for index in stack.order)
    return SeriesVolume(
        open=partial(DicomVolume, stack.geometry, slices, files, pixel_headers),
        facts=own_facts,
        warnings=stack.warnings,
    )


def _refuse(error: InputError) -> NoReturn:
    """Open a volume that is none; the others of the series are not lost with it."""
    raise error


def _find_own_facts(volumes: Sequence[Frames]) -> list[Facts]:
    """Return for each volume what it says otherwise than others."""
    said = [_describe(volume) for volume in volumes]
    differing = [keyword for keyword in said[0] if any(one[keyword] != said[0][keyword] for one in said)]
    found: list[Facts] = []
    for one in said:
        own = {keyword: one[keyword] for keyword in differing if one[keyword] not in (None, "")}
        if "AcquisitionTime" in own:
            # Its own hour is known, so nothing of a series of time points is left in it.
            own["NumberOfTemporalPositions"] = 1
        found.append(own)
    return found


def _count_time_points(facts: Facts, own_facts: Sequence[Facts]) -> Facts:
    """Say NumberOfTemporalPositions where the header does not: one hour says little of several volumes."""
    stated = facts.get("NumberOfTemporalPositions")
    if stated or not _TIME_KEYWORDS & own_facts[0].keys():
        return facts
    return {**facts, "NumberOfTemporalPositions": len(own_facts)}


def _describe(frames: Frames) -> dict[str, object]:
    first = min(frames, key=_moment).header
    moment = first.acquisition_date + first.acquisition_time
    usages: list[dict[str, object]] = []
    for frame in frames:
        usages.extend(usage for usage in frame.usages if usage not in usages)
    return {
        "AcquisitionDate": first.acquisition_date,
        "AcquisitionTime": first.acquisition_time,
        "AcquisitionDateTime": moment if first.acquisition_date and first.acquisition_time else "",
        "AcquisitionNumber": first.acquisition_number,
        "TemporalPositionIdentifier": first.temporal_position,
        "TriggerTime": first.trigger_time_ms,
        "EchoNumbers": first.echo_number,
        "EchoTime": first.echo_time_ms,
        "EffectiveEchoTime": first.echo_time_ms,
        "InversionTime": first.inversion_time_ms,
        "ImageType": list(first.image_type),
        USAGE: usages,
    }


def _moment(frame: FramePlace) -> tuple[str, str, int]:
    header = frame.header
    return header.acquisition_date, header.acquisition_time, header.number or 0
