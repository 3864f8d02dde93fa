"""What the name of a NIfTI file and the b-values beside it say, where its sidecar is lost."""

from gadoscope.errors import RefusedError
from gadoscope.evidence.body_part import check_named_file
from gadoscope.evidence.description import SERIES_TEXTS
from gadoscope.evidence.facts import Facts, find_text
from gadoscope.evidence.series_name import parse_series_name
from gadoscope.evidence.tokens import parse_words

# Of a file's name these count. A name is chosen by a person, so a "survey" or a "pilot" in it is a study's.
_CONTRASTS = parse_words(
    "angiography diffusion echo_planar field_map flair functional parametric_map perfusion proton_density"
    " stir t2_weighted"
)


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
