"""ImageType: the standard's values, and vendors' words however they are joined.

One value may hold several words, joined by underscores, blanks or hyphens (``T1_MAP``, ``CALC_BVALUE``,
``PHASE MAP``), or by nothing (``FIELDMAPHZ``); old converters join the values too
(``ORIGINAL_PRIMARY_M_ND``). A word inside a value counts, but PHASE does not: of a Dixon image IN_PHASE says
how water and fat stood, and SINGLE_PHASE or DELAYED_PHASE when it was acquired.

References
----------
DICOM PS3.3 C.7.6.1.1.2, C.8.3.1.1.1 and C.8.13.3.1.1; vendors' conformance statements
"""

import re

from gadoscope.errors import RefusedError
from gadoscope.evidence.facts import Facts, find_words
from gadoscope.evidence.sequence_words import IMAGE_TYPE_REASONS, REFORMATTED, WHOLE_VALUES
from gadoscope.evidence.state import quote

_JOINT = re.compile(r"[\W_]+")
_FIRST_VALUES = ("ORIGINAL", "DERIVED")
# Philips joins the part of the signal with the sequence: P_FFE is phase, M_SE magnitude.
_PART_OF_SIGNAL = re.compile(r"[PI] (?:FFE|TFE|SE|TSE|IR|GR|EPI|PCA|B0|B1)")


def check_image_type(facts: Facts) -> str:
    """Return a warning for an image that was computed in a way that is not said, or "".

    Raises
    ------
    RefusedError
        If a value says that it is no acquired T1 image.
    """
    values = _split_values(facts)
    for reason, (phrases, meaning) in IMAGE_TYPE_REASONS.items():
        if any(_says(value, phrases, is_whole=reason in WHOLE_VALUES) for value in values):
            raise RefusedError(reason, f"{quote(facts, 'ImageType')} is {meaning}, not an acquired T1 image.")
    words = {word for value in values for word in value.split()}
    if "DERIVED" in words and not words & REFORMATTED:
        return f"{quote(facts, 'ImageType')}: derived, how is not said"
    return ""


def is_acquired(facts: Facts) -> bool:
    """Return whether ImageType says that the image was acquired, not computed."""
    return "ORIGINAL" in _split_values(facts)


def _split_values(facts: Facts) -> list[str]:
    """Return the values, one space between their words."""
    values: list[str] = []
    for value in find_words(facts, "ImageType"):
        words = _JOINT.sub(" ", value).strip().split(" ")
        if words[0] in _FIRST_VALUES:
            values += words
        else:
            values.append(" ".join(words))
    return values


def _says(value: str, phrases: frozenset[str], *, is_whole: bool) -> bool:
    if value in phrases or value.replace(" ", "") in {phrase.replace(" ", "") for phrase in phrases}:
        return True
    if is_whole:
        return "P" in phrases and _PART_OF_SIGNAL.fullmatch(value) is not None
    return any(f" {phrase} " in f" {value} " for phrase in phrases)
