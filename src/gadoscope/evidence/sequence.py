"""The first gate, from tags alone: what cannot be a T1 brain series.

A clear "no" is refused with its reason; what is missing or doubtful passes with a warning, for the
pixels are asked next. Limits are generous: refusing a T1 loses an answer, passing a T2 does not yet.

References
----------
Bushberg et al., The Essential Physics of Medical Imaging, 3rd ed., table 12-5: spin echo T1 has TR
400-600 ms, TE 5-30 ms; proton density TR 1500-3500, TE 5-30; T2 TR 1500-3500, TE 60-150.
Brant-Zawadzki et al., Radiology 182 (1992) 769: MPRAGE. Hajnal et al., JCAT 16 (1992) 841: FLAIR.
"""

import math
import re

from gadoscope.errors import RefusedError
from gadoscope.evidence.body_part import check_body_part
from gadoscope.evidence.facts import Facts, find_number, find_text, find_words
from gadoscope.evidence.image_type import check_image_type, is_acquired
from gadoscope.evidence.sequence_words import (
    MAP_UNITS,
    MR_SOP_CLASSES,
    OTHER_CONTRASTS,
    OTHER_METADATA,
    SOP_CLASS_REASONS,
)
from gadoscope.evidence.series_name import SeriesName, read_series_name
from gadoscope.evidence.series_words import Force
from gadoscope.evidence.species import check_species
from gadoscope.evidence.state import quote, say_missing

# Half-way between the longest T1 (30 ms) and the shortest T2 (60 ms) spin echo, rounded up.
LONGEST_SPIN_ECHO_MS = 50.0
# T2* begins to show: T1 gradient echoes lie below 10 ms, haemorrhage and susceptibility above 18 ms.
LONGEST_GRADIENT_ECHO_MS = 15.0
# T1 spin echo at 3 T reaches 1000 ms; proton density begins at 1500 ms without an inversion.
LONGEST_T1_REPETITION_MS = 1500.0
# MPRAGE 700-1100 ms, T1-FLAIR 700-1200 ms; FLAIR nulls water at 1700-2800 ms; MP2RAGE's second image
# at 2500 ms is near proton density.
LONGEST_T1_INVERSION_MS = 1500.0
# STIR nulls fat at 120-250 ms, with a spin echo; a gradient echo so prepared is a T1 (IR-FSPGR 300 ms).
LONGEST_STIR_INVERSION_MS = 300.0
# Far below the Ernst angle a spoiled gradient echo weighs proton density. T1 of grey and white matter
# at 1.5-3 T is about 1000 ms; half of the angle is far below.
BRAIN_T1_MS = 1000.0
LOWEST_ERNST_FRACTION = 0.5
# Beyond this TR a gradient echo's TR may be that of an inversion's cycle (MPRAGE 2300 ms).
LONGEST_STEADY_STATE_MS = 100.0
# What the name of a T1 series has no reason to speak of; of the others it has (a T1 to plan spectroscopy).
DOUBTFUL_BESIDE_T1 = frozenset(("angiography", "diffusion", "functional", "t2_weighted", "parametric_map"))
# Ends the first unit of "rad/s" and "mm^2/s".
NO_LETTER = re.compile(r"[^a-z0-9%]")


def check_sequence(facts: Facts) -> tuple[str, ...]:
    """Return the warnings for a series that may be a T1 brain series.

    Parameters
    ----------
    facts
        The header: pydicom keyword to value; times in milliseconds, angles in degrees.

    Raises
    ------
    RefusedError
        If a tag says clearly that it is something else; the sentence quotes the tag.
    """
    warnings = [_check_modality(facts)]
    warnings.append(check_species(facts))
    warnings.append(check_image_type(facts))
    _check_units(facts)
    _check_other_metadata(facts)
    name = read_series_name(facts)
    _refuse_named(name, Force.FIRM)
    warnings.append(check_body_part(facts))
    _check_stated_contrast(facts)
    warnings.append(_check_timing(facts))
    warnings.append(_check_named_contrast(facts, name))
    return tuple(warning for warning in warnings if warning)


def _check_modality(facts: Facts) -> str:
    sop_class = find_text(facts, "SOPClassUID")
    for reason, (uid, words) in SOP_CLASS_REASONS.items():
        if sop_class == uid:
            raise RefusedError(reason, f"{quote(facts, 'SOPClassUID')} is {words}, not an MR image.")
    modality = find_text(facts, "Modality")
    if modality is not None and modality.upper() != "MR":
        raise RefusedError("not_mr", f"{quote(facts, 'Modality')}; only MR is answered.")
    if modality is None and sop_class not in MR_SOP_CLASSES:
        return f"{say_missing(facts, 'Modality', in_dicom='Modality is missing')}; taken for MR"
    return ""


def _check_units(facts: Facts) -> None:
    """Refuse what is measured in something: brightness has no unit."""
    for keyword in ("Units", "RescaleType"):
        unit = (find_text(facts, keyword) or "").lower().replace("^", "").strip(" []()")
        if NO_LETTER.split(unit)[0] in MAP_UNITS or unit.startswith("1/"):
            raise RefusedError(
                "parametric_map", f"{quote(facts, keyword)} is the unit of a map, not of an image."
            )


def _check_other_metadata(facts: Facts) -> None:
    """Refuse what has metadata in its sidecar that no T1 has; some data sets give a task to every image."""
    if find_text(facts, "suffix") == "T1w":
        return
    for keyword, (reason, meaning) in OTHER_METADATA.items():
        if find_text(facts, keyword) is not None:
            raise RefusedError(reason, f"{keyword} stands in its sidecar: {meaning}.")


def _refuse_named(name: SeriesName, *forces: Force) -> None:
    named = name.find(*forces)
    if named is not None:
        raise RefusedError(named[0].reason, f"{name.say(named)}.")


def _check_named_contrast(facts: Facts, name: SeriesName) -> str:
    """Weigh another contrast that the name of the series speaks of, once the times have been asked.

    Where it says T1 too, it is believed ("T1 FLAIR" is a T1). Else it refuses, unless the times are there and
    are those of a T1: then one of the two is wrong, and the row says so.
    """
    is_timed = bool(_find_echo_ms(facts) and find_number(facts, "RepetitionTime"))
    if not is_acquired(facts):
        _refuse_named(name, Force.UNLESS_ACQUIRED)
    if name.says_t1:
        named = name.find(Force.UNLESS_T1, Force.UNLESS_ACQUIRED)
        is_doubtful = named is not None and named[0].reason in DOUBTFUL_BESIDE_T1
        return f"{name.say(named)}, beside T1" if named is not None and is_doubtful else ""
    _refuse_named(name, Force.UNLESS_T1, *(() if is_timed else (Force.UNLESS_TIMED,)))
    named = name.find(Force.UNLESS_TIMED, Force.UNLESS_ACQUIRED)
    return f"{name.say(named)}, but its times are those of a T1" if named is not None else ""


def _check_stated_contrast(facts: Facts) -> None:
    stated = find_text(facts, "AcquisitionContrast")
    reason = OTHER_CONTRASTS.get((stated or "").upper())
    if reason is not None:
        raise RefusedError(reason, f"{quote(facts, 'AcquisitionContrast')}; only T1 is answered.")
    b_value = find_number(facts, "DiffusionBValue")
    if b_value is not None and b_value > 0:
        raise RefusedError("diffusion", f"{quote(facts, 'DiffusionBValue')} is diffusion weighting, not T1.")


def _check_timing(facts: Facts) -> str:
    kinds = set(find_words(facts, "ScanningSequence"))
    if "EP" in kinds or (find_text(facts, "EchoPlanarPulseSequence") or "").upper() == "YES":
        raise RefusedError("echo_planar", f"{quote(facts, 'ScanningSequence')} is echo planar, not T1.")
    if "TOF" in find_words(facts, "SequenceVariant") + find_words(facts, "ScanOptions"):
        raise RefusedError("angiography", "SequenceVariant or ScanOptions holds TOF: an angiogram, not T1.")
    is_spin = "SE" in kinds or find_words(facts, "EchoPulseSequence") == ("SPIN",)
    is_gradient = not is_spin and ("GR" in kinds or find_words(facts, "EchoPulseSequence") == ("GRADIENT",))
    # What is not said of a dynamic series: no spin echo is fast enough.
    is_fast = not is_spin and (find_number(facts, "NumberOfTemporalPositions") or 0) > 1
    echo_ms, repetition_ms = _find_echo_ms(facts), find_number(facts, "RepetitionTime")
    inversion_ms = find_number(facts, "InversionTime") or 0.0
    is_inverted = inversion_ms > 0 or "IR" in kinds or find_words(facts, "InversionRecovery") == ("YES",)
    _check_inversion(facts, inversion_ms=inversion_ms, echo_ms=echo_ms, is_spin=is_spin)
    _check_echo(facts, echo_ms=echo_ms, is_gradient=is_gradient or is_fast, is_inverted=is_inverted)
    if is_spin and not is_inverted and repetition_ms is not None:
        _check_repetition(facts, repetition_ms)
    if is_gradient and not is_inverted and repetition_ms is not None:
        _check_flip_angle(facts, repetition_ms)
    known = {"ScanningSequence": is_spin or is_gradient, "EchoTime": echo_ms, "RepetitionTime": repetition_ms}
    missing = [keyword for keyword, value in known.items() if not value]
    if not missing:
        return ""
    said = say_missing(facts, *missing, in_dicom=f"{', '.join(missing)} missing")
    return f"{said}; T1 weighting not checked in full"


def _find_echo_ms(facts: Facts) -> float | None:
    echo_ms = find_number(facts, "EchoTime")
    return echo_ms if echo_ms is not None else find_number(facts, "EffectiveEchoTime")


def _check_inversion(facts: Facts, *, inversion_ms: float, echo_ms: float | None, is_spin: bool) -> None:
    said = quote(facts, "InversionTime")
    if inversion_ms > LONGEST_T1_INVERSION_MS:
        is_long = echo_ms is None or echo_ms > LONGEST_SPIN_ECHO_MS
        if is_long:
            raise RefusedError("flair", f"{said} nulls water (T1 up to {LONGEST_T1_INVERSION_MS:.0f} ms).")
        raise RefusedError("proton_density", f"{said} is longer than T1 weighting takes.")
    if is_spin and 0 < inversion_ms < LONGEST_STIR_INVERSION_MS:
        raise RefusedError("stir", f"{said} with a spin echo nulls fat: STIR, not T1.")


def _check_echo(facts: Facts, *, echo_ms: float | None, is_gradient: bool, is_inverted: bool) -> None:
    limit = LONGEST_GRADIENT_ECHO_MS if is_gradient else LONGEST_SPIN_ECHO_MS
    if echo_ms is None or echo_ms <= limit:
        return
    said = f'EchoTime="{echo_ms:g}" is longer than T1 weighting takes ({limit:.0f} ms'
    if is_inverted and not is_gradient:
        raise RefusedError("flair", f"{said}, inversion recovery).")
    raise RefusedError("t2_weighted", f"{said}, {'gradient' if is_gradient else 'spin'} echo).")


def _check_repetition(facts: Facts, repetition_ms: float) -> None:
    if repetition_ms > LONGEST_T1_REPETITION_MS:
        said = quote(facts, "RepetitionTime")
        raise RefusedError(
            "proton_density", f"{said} without an inversion (T1 up to {LONGEST_T1_REPETITION_MS:.0f} ms)."
        )


def _check_flip_angle(facts: Facts, repetition_ms: float) -> None:
    angle = find_number(facts, "FlipAngle")
    if angle is None or angle <= 0 or not 0 < repetition_ms <= LONGEST_STEADY_STATE_MS:
        return
    ernst = math.degrees(math.acos(math.exp(-repetition_ms / BRAIN_T1_MS)))
    if angle < LOWEST_ERNST_FRACTION * ernst:
        raise RefusedError(
            "proton_density",
            f"{quote(facts, 'FlipAngle')} is far below the Ernst angle of {ernst:.0f} degrees.",
        )
