"""A NIfTI volume is opened with what lies beside it: a sidecar, b-values, and the words of its name.

Where the sidecar is lost, the name and the b-values may say that it is no T1 brain.
"""

from dataclasses import dataclass, replace

from gadoscope.errors import RefusedError
from gadoscope.evidence.body_part import check_named_file
from gadoscope.evidence.description import SERIES_TEXTS
from gadoscope.evidence.facts import find_text
from gadoscope.evidence.series_name import parse_series_name
from gadoscope.evidence.tokens import parse_words
from gadoscope.reading.archives.places import Place
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.bids.dataset import check_suffix, find_sidecar_facts
from gadoscope.reading.bids.gradients import Gradients, find_b_value, read_gradients
from gadoscope.reading.nifti.series import open_nifti
from gadoscope.reading.series import Facts, ImageSeries

# Of a file's name these count. A name is chosen by a person, so a "survey" or a "pilot" in it is a study's.
_CONTRASTS = parse_words(
    "angiography diffusion echo_planar field_map flair functional parametric_map perfusion proton_density"
    " stir t2_weighted"
)


@dataclass(frozen=True)
class Beside:
    """What was found beside a volume."""

    facts: Facts | None
    warnings: tuple[str, ...]
    gradients: tuple[Gradients, ...]


def look_beside(place: Place) -> Beside:
    """Return what lies beside a volume.

    Raises
    ------
    RefusedError
        If its BIDS suffix says that it is no T1 image.
    """
    check_suffix(place)
    facts, warnings = find_sidecar_facts(place)
    return Beside(facts, warnings, read_gradients(place))


def open_beside(source: Source, beside: Beside) -> ImageSeries:
    """Open a volume with what was found beside it; errors as `open_nifti` and `check_beside`."""
    series = open_nifti(source, facts=beside.facts, warnings=beside.warnings)
    n_volumes = len(series.volumes)
    b_value = find_b_value(beside.gradients, n_volumes)
    said = check_beside(source.name, n_volumes, b_value, beside.facts)
    return replace(series, warnings=(*series.warnings, *said))


def check_beside(name: str, n_volumes: int, b_value: float, facts: Facts | None) -> tuple[str, ...]:
    """Return the warnings for a NIfTI file that may be a T1 brain series.

    Parameters
    ----------
    name
        Of the file. It counts where no sidecar says what the series is called and it does not say T1.
    n_volumes
        How many the file has. Of one volume a name is a warning, for the pixels tell what it is; of several
        it refuses, for all would be looked at. Another part of the body always refuses.
    b_value
        The largest b-value beside the file, s/mm2; 0 if there is none.
    facts
        What its sidecar says; ``None`` where there is none.

    Raises
    ------
    RefusedError
        If it is something else.
    """
    if b_value > 0:
        raise RefusedError(
            "diffusion", f"b-values up to {b_value:g} s/mm2 lie in a file beside it: diffusion, not T1."
        )
    check_named_file(name, facts or {})
    if any(find_text(facts or {}, keyword) for keyword in (*SERIES_TEXTS, "suffix")):
        return ()
    said = parse_series_name(name, "its file name")
    named = next((one for one in said.kinds if one[0].reason in _CONTRASTS), None)
    if said.says_t1 or named is None:
        return ()
    if n_volumes > 1:
        raise RefusedError(named[0].reason, f"{said.say(named)}, and it has {n_volumes} volumes.")
    return (said.say(named),)
