"""A sidecar's JSON becomes plain facts with DICOM's keywords and units.

BIDS and dcm2niix count in seconds, DICOM in milliseconds; they join what DICOM separates.

References
----------
BIDS 1.11, "Metadata" of MRI; dcm2niix, BIDS/README.md
"""

import json
import math

from gadoscope.errors import InputError
from gadoscope.reading.archives.places import Place, open_place

Values = dict[str, object]

MAX_SIDECAR_BYTES = 8 * 2**20
"""heudiconv embeds dcmstack's values of every slice: up to 2 MB; what describes one image is smaller."""
# Values longer than these are tables for other programs (slice timing, shims), not what evidence reads.
_LONGEST_TEXT = 1024
_LONGEST_LIST = 64

# BIDS or dcm2niix, then DICOM; the first one that is present counts.
_RENAMED = {
    "BodyPartExamined": ("BodyPartExamined", "BodyPart"),
    "ManufacturerModelName": ("ManufacturerModelName", "ManufacturersModelName"),
    "RepetitionTime": ("RepetitionTime", "RepetitionTimePreparation", "RepetitionTimeExcitation"),
}
_IN_SECONDS = ("RepetitionTime", "EchoTime", "InversionTime", "EffectiveEchoTime")
# Code strings of several values, which dcm2niix joins: GR\IR becomes GR_IR.
_JOINED = ("ScanningSequence", "SequenceVariant", "ScanOptions")
_CLOCKS = ("AcquisitionDateTime", "ContrastBolusStartDateTime")
# No echo is a second late, and no repetition of a brain scan takes 100 s: such values are milliseconds.
_SHORTEST_MS = {"EchoTime": 1.0, "RepetitionTime": 100.0}
_MS_PER_S = 1000.0
_DECIMALS = 6  # a nanosecond: hides what 0.0029 * 1000 leaves


def read_json_object(path: Place, notes: list[str]) -> Values | None:
    """Return the object in a JSON file; ``None``, with a note, if there is none that can be used."""
    try:
        with open_place(path) as file:
            text = file.read(MAX_SIDECAR_BYTES + 1)
    except InputError:
        notes.append("a JSON sidecar could not be read: it was ignored")
        return None
    if len(text) > MAX_SIDECAR_BYTES:
        notes.append(f"a JSON sidecar has more than {MAX_SIDECAR_BYTES} bytes: it was ignored")
        return None
    try:
        found = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):  # ValueError: not JSON, not UTF-8, a number of 5,000 digits
        notes.append("a sidecar is not JSON: it was ignored")
        return None
    if not isinstance(found, dict):
        notes.append("a JSON sidecar holds no object: it was ignored")
        return None
    return found


def facts_from_sidecar(values: Values, notes: list[str]) -> Values:
    """Return a sidecar's values as DICOM has them.

    Parameters
    ----------
    values
        As in the file: BIDS or dcm2niix keys, seconds.
    notes
        Receives a sentence if the times are milliseconds against the standard.

    Returns
    -------
    dict
        pydicom keyword to str, int, float, or a list of these; milliseconds, degrees, tesla.
    """
    facts = {key: kept for key, value in values.items() if (kept := _keep_plain(value)) is not None}
    for keyword, keys in _RENAMED.items():
        present = next((key for key in keys if key in facts), None)
        if present is not None:
            facts[keyword] = facts[present]
    in_ms = any(_first_number(facts.get(key)) >= limit for key, limit in _SHORTEST_MS.items())
    if in_ms:
        notes.append("a sidecar's times can only be milliseconds, although BIDS has seconds: taken so")
    for key in _IN_SECONDS:
        if key in facts:
            facts[key] = _scale(facts[key], 1.0 if in_ms else _MS_PER_S)
    for key in _JOINED:
        if isinstance(facts.get(key), str):
            facts[key] = str(facts[key]).replace("\\", "_").split("_")
    for key in _CLOCKS:
        if isinstance(facts.get(key), str):
            facts[key] = str(facts[key]).replace("-", "").replace(":", "").replace("T", "")
    return facts


def _keep_plain(value: object) -> object | None:
    """Return text, a finite number, or a short list of these; ``None`` for the rest."""
    if isinstance(value, str):
        # A lone surrogate is legal JSON, but no text that could be written again.
        return value.encode("utf-8", "replace").decode("utf-8") if len(value) <= _LONGEST_TEXT else None
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value if _is_finite(value) else None
    if isinstance(value, list) and len(value) <= _LONGEST_LIST:
        kept = [_keep_plain(entry) for entry in value if not isinstance(entry, (list, dict))]
        return [entry for entry in kept if entry is not None]
    return None


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:  # an integer beyond 1e308
        return False


def _first_number(value: object) -> float:
    """Return the first value as a number; NaN, which no limit exceeds, if it is none."""
    first = value[0] if isinstance(value, list) and value else value
    try:
        return float(first) if isinstance(first, (str, int, float)) else math.nan
    except ValueError:
        return math.nan


def _scale(value: object, factor: float) -> object:
    if isinstance(value, list):
        return [_scale(entry, factor) for entry in value]
    number = _first_number(value)
    return round(number * factor, _DECIMALS) if math.isfinite(number) else value
