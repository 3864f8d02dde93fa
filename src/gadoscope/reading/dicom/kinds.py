"""Which instances of a series are MR images that can be read, told from their headers.

Whatever else lies in the series is left out with a warning; if nothing is left, the reason becomes the answer
for the whole series.

References
----------
DICOM PS3.4 B.5 (SOP classes); PS3.6 table A-1 (their UIDs); Siemens' DICOM conformance statements (MOSAIC)
"""

from collections.abc import Callable, Sequence

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.labels import MODALITIES
from gadoscope.reading.dicom.elements import UID
from gadoscope.reading.dicom.header import InstanceHeader

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
MULTI_FRAME_MR_IMAGES = frozenset((f"{MR_IMAGE}.1", f"{MR_IMAGE}.4"))
"""Enhanced MR Image Storage and Legacy Converted Enhanced MR Image Storage."""
_STORAGE = "1.2.840.10008.5.1.4.1.1."
# Beginning of the SOP class: machine word, and what it is. The longest beginning that fits counts.
OTHER_KINDS = {
    "4.2": ("spectroscopy", "MR spectroscopy"),
    "4.3": ("colour", "an enhanced MR colour image"),
    "7": ("secondary_capture", "a secondary capture"),
    "11": ("presentation_state", "a presentation state"),
    "30": ("parametric_map", "a parametric map"),
    "66": ("no_image", "a registration, a segmentation or raw data"),
    "88": ("structured_report", "a structured report"),
    "104": ("no_image", "an encapsulated document"),
    "481": ("radiotherapy", "a radiotherapy object"),
}
_DIRECTORY = "1.2.840.10008.1.3.10"

OTHERS_LEFT_OUT = {
    "kind": "objects that are no MR images were left out",
    "mosaic": "mosaic images were left out",
    "pixels": "instances without pixel data were left out",
    "size": "instances too large for a slice were left out",
}


def is_placed_slice(instance: InstanceHeader) -> bool:
    """Return whether an instance is one slice of an MR series, not multi-frame, and says where it lies."""
    frame = instance.frame
    is_mr = instance.sop_class_uid == MR_IMAGE and instance.modality in ("", "MR")
    is_placed = frame.orientation is not None and frame.position_mm is not None
    is_single = instance.n_frames == 1 and "MOSAIC" not in frame.image_type
    return is_mr and is_placed and is_single and instance.has_pixels


def keep_mr_images(
    instances: Sequence[InstanceHeader],
) -> tuple[list[InstanceHeader], tuple[str, ...]]:
    """Return the instances that can be read, and the warnings for those that cannot.

    Parameters
    ----------
    instances
        At least one; all of one series.

    Raises
    ------
    RefusedError
        If none can be read: ``not_mr``, ``secondary_capture``, ``structured_report``, ``radiotherapy``,
        ``presentation_state``, ``parametric_map``, ``spectroscopy``, ``colour``, ``no_image``, ``mosaic``
        or ``too_large``.
    ReadError
        ``no_pixels``, if none has pixel data.
    """
    kept = list(instances)
    warnings: list[str] = []
    for name, check in _CHECKS.items():
        passed: list[InstanceHeader] = []
        refusal: InputError | None = None
        for instance in kept:
            found = check(instance)
            refusal = refusal or found
            if found is None:
                passed.append(instance)
        if refusal is not None:
            if not passed:
                raise refusal
            warnings.append(OTHERS_LEFT_OUT[name])
        kept = passed
    return kept, tuple(warnings)


def _find_other_kind(instance: InstanceHeader) -> InputError | None:
    uid = instance.sop_class_uid
    if uid == MR_IMAGE or uid in MULTI_FRAME_MR_IMAGES:
        if instance.modality in ("", "MR"):
            return None
        return RefusedError("not_mr", f"Modality is {_say(instance.modality)}; only MR is answered.")
    if uid == _DIRECTORY:
        return RefusedError("no_image", "this is a DICOMDIR, a table of contents; name its folder.")
    parts = uid.removeprefix(_STORAGE).split(".") if uid.startswith(_STORAGE) else []
    for n_parts in range(len(parts), 0, -1):
        kind = OTHER_KINDS.get(".".join(parts[:n_parts]))
        if kind is not None:
            reason, words = kind
            return RefusedError(reason, f"this is {words}, not an MR image.")
    modality = f" (Modality {_say(instance.modality)})" if instance.modality else ""
    said = uid if UID.fullmatch(uid) else "(no UID)"  # words of a damaged header may be the patient's
    return RefusedError("not_mr", f"SOPClassUID {said} is no MR image{modality}; only MR is answered.")


def _say(modality: str) -> str:
    """Return a modality if it is one: anything may be typed there."""
    return modality if modality in MODALITIES else "no defined term"


def _find_mosaic(instance: InstanceHeader) -> InputError | None:
    if "MOSAIC" not in instance.frame.image_type:
        return None
    return RefusedError(
        "mosaic", "its slices lie side by side in one image (mosaic); export them as single slices."
    )


def _find_missing_pixels(instance: InstanceHeader) -> InputError | None:
    frame = instance.frame
    if instance.has_pixels and frame.rows > 0 and frame.columns > 0 and instance.n_frames > 0:
        return None
    return ReadError("no_pixels", "it has no pixel data, or ends before them; copy it again from its source.")


def _find_excess(instance: InstanceHeader) -> InputError | None:
    frame = instance.frame
    from gadoscope.imaging.volume import MAX_SLICE_PIXELS  # noqa: PLC0415 — reading headers needs no NumPy

    if frame.rows * frame.columns <= MAX_SLICE_PIXELS:
        return None
    return RefusedError(
        "too_large",
        f"{frame.columns} x {frame.rows} pixels is no slice; at most {MAX_SLICE_PIXELS} pixels are read.",
    )


_CHECKS: dict[str, Callable[[InstanceHeader], InputError | None]] = {
    "kind": _find_other_kind,
    "mosaic": _find_mosaic,
    "pixels": _find_missing_pixels,
    "size": _find_excess,
}
