"""What the name of a series calls it, if that is no T1 brain image: patterns, and what they mean.

Patterns are read against a normalised name (`gadoscope.evidence.series_name`): small letters, no accents,
one space between words, digits words of their own, so that ``B1map`` is ``b 1 map``, ``T2FLAIR`` is ``t2
flair`` and ``3Plane_Loc`` is ``3 plane loc``.

References
----------
Vendors' protocol trees and conformance statements; nipy/heudiconv, rordenlab/dcm2niix and
Donders-Institute/bidscoin, whose heuristics and threads name most of these.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto


class Force(Enum):
    """What a name can do."""

    FIRM = auto()
    """Refuses whatever else is said: the scan calls itself so."""
    UNLESS_T1 = auto()
    """Refuses unless the name says T1 too; timing cannot tell these from a T1."""
    UNLESS_TIMED = auto()
    """Refuses where the name says no T1 and the times are gone; where they are a T1's it is a warning."""
    UNLESS_ACQUIRED = auto()
    """Refuses unless ImageType says ORIGINAL: the images of which a map is computed are called as it is."""


@dataclass(frozen=True)
class NamedKind:
    """A kind of scan, and the words that name it."""

    reason: str
    meaning: str
    force: Force
    pattern: re.Pattern[str]


def _kind(reason: str, meaning: str, force: Force, *patterns: str) -> NamedKind:
    return NamedKind(reason, meaning, force, re.compile("|".join(patterns)))


# Behind one of these "pilot" is a study's, not a scan's; a "localizer for" something is a T1 to navigate by.
_OF_A_STUDY = r"(?! (?:stud|project|trial|test|data|patient|subject|cohort|protocol|phase|participant))"
_FOR_WHAT = r"(?! for (?:\w+ )?(?:surg|neuro|navi|stealth|gamma|biops|radi|treat|rt\b|plan))"

NAMED_KINDS: tuple[NamedKind, ...] = (
    _kind(
        "field_map",
        "a field map or another scan that prepares others",
        Force.FIRM,
        r"\bgre (?:2 ?d )?field(?! ?map)|\brf ?map",
        r"(?:\bgre (?:2 ?d )?)?(?:field|feld) ?(?:map(?:ping|s)?|karte)",
        r"\bfmap",
        r"\b(?:rf )?[td]?b ?[01] ?(?:plus |minus )?(?:map(?:ping|s)?|field|inhomo|shim|scan)",
        r"(?:mapp?a|carte) (?:de |di |du )?(?:campo|champ)",
        r"(?:mapp?a|carte) (?:de |di )?b [01]\b",
        r"coil ?(?:ref|survey|sens|cal|map)",
        r"\bsense ?ref|\bref(?:erence)? ?scan\b|\basset ?cal(?:ibration)?",
        r"sensitivit(?:y|aet|at|e) (?:map|ref|scan)",
        r"\bref(?:erence)? sense\b|\bcoca\b|\bbias (?:bc|\d+ ?ch)|\badj b ?[01]\b|\bhos\b",
        r"\bafi\b|(?:flip ?angle|\bfa) map|\bactual flip",
    ),
    _kind(
        "localizer",
        "a localizer",
        Force.FIRM,
        r"lo[ck]ali[sz]{1,2}(?:er|or|ador|atore?|ateur)s?" + _FOR_WHAT,
        r"\b(?:(?:3|three|tri) ?(?:pl|pln|plane) ?)?(?:ax|axial|sag|cor|tra|pl|plane)?locs?\b",
        r"scout|survey|\bsurview|topogram|\bscan ?o\b|scano ?gram|\bscano\b",
        r"\bsmart ?brain|\bplan ?scan|\bscan ?plan\b|\baa ?head\b|\baah\b|\b(?:fast|mobi) ?view\b",
        r"\b(?:tri|3|2|three|multi) ?(?:pl|plane)? ?pilot",
        r"\b(?:ubersicht|uebersicht|suchschnitt)|\breperages?\b|\breperes?\b|\bcentra(?:ge|ggio|do)\b",
        r"定位|位置決|位置决|スカウト|локал[аи]",
        r"^(?:plan|topo) ;|\blocator\b|\bauto ?align\b|\bpositionierung",
    ),
    _kind(
        "localizer",
        "a localizer",
        Force.UNLESS_T1,
        r"\bpilots?\b" + _OF_A_STUDY,
        r"\b(?:3|three|tri|drei|tres|trois|tre) ?(?:d )?(?:pl|pln|plan|plane|planes|planar|plans|planos"
        r"|ebenen|way|axis)\b",
    ),
    _kind(
        "field_map",
        "a calibration or another scan that prepares others",
        Force.UNLESS_T1,
        r"\b[ck]alib(?:r|ration)?|\bcal\b|\betalonnage\b|校准",
        r"\bpre ?scan\b(?! ?norm)|shim(?:ming|s)?\b|\btuning\b|\bnoise\b",
        r"\bb [01]\b|\bsens(?:itivity)? (?:map|ref)|\bscan ref|\b(?:acs|grappa) ref",
    ),
    _kind(
        "subtraction",
        "a subtraction",
        Force.FIRM,
        r"\b(?:subtraction|subtracted|subtr|subtraktion|soustraction|sottrazione|sustraccion|subtracao"
        r"|subtractie|subtraksjon)\b",
        r"\bsubs? ;",
    ),
    _kind("projection", "a projection", Force.FIRM, r"\b(?:mip|minip|mnip)\b"),
    _kind(
        "phase_image", "phase data", Force.FIRM, r"\bphase ?map\b|\bunwrapped\b|\bphase ?diff|\bpha images?\b"
    ),
    _kind(
        "parametric_map",
        "a parametric map, or an image of which one is computed",
        Force.FIRM,
        r"\b(?:sh)?molli\b|\bsasha\b|\bmyo ?maps?|\bt1 images\b|\bq ?t1\b|\bdespot ?1",
        r"\bt1 relaxometry",
    ),
    _kind(
        "parametric_map",
        "a parametric map",
        Force.UNLESS_ACQUIRED,
        r"\bt[12] ?(?:star ?|rho ?)?maps?\b|\br ?[12] ?(?:star ?)?maps?\b|\bt 2 ?star ?map\b|\bqsm\b",
        r"\bk ?trans\b|\b(?:fat|water) fraction\b|\bmtr map\b|\bpd map\b",
    ),
    _kind(
        "spectroscopy",
        "spectroscopy",
        Force.UNLESS_T1,
        r"spe[ck]tros[ck]op(?:y|ie|ia)?|\bcsi\b|\bsvs\b|\bmrsi?\b|\bmega ?press\b|\bspectro\b",
    ),
    _kind(
        "angiography",
        "an angiogram",
        Force.UNLESS_T1,
        r"\bd?tof\b|\btime of flight\b|\bmr ?[av]\b|angio(?:gra(?:phy|m|phie|fia))?|venogra(?:phy|m)?"
        r"|\bphlebo|\binhance\b|\bphase contrast\b|\bpca\b|\bq ?flow\b",
    ),
    _kind(
        "diffusion",
        "a diffusion image",
        Force.UNLESS_T1,
        r"diff?u[sz](?:ion|ao|ione|ie)?|diff\b|\bdwi(?!gh)|dwi\b|dwiss|\bdti|adc\b|\btensor|\btracto",
        r"^fa ;|\bfractional an|\baverage dc\b",
        r"\bivim\b|\bdki\b|\bnoddi\b|\bhardi\b|\btrace ?w\b|\bapparent\b|\bcol ?fa\b|\bfa map\b",
        r"\bb (?:value )?\d{3,4}\b|\b\d{3,4} b\b",
    ),
    _kind(
        "perfusion",
        "a perfusion image",
        Force.UNLESS_T1,
        r"\bdsc\b|\br ?bv\b|\b[pc]*asl\b|\br?el?cb[vf]\b|\br?cb[vf]\b|\bmtt\b|\bttp\b|\barterial spin\b",
    ),
    _kind(
        "functional",
        "functional imaging",
        Force.UNLESS_T1,
        r"\bbold\b|\bf ?mri\b|\brs ?f ?mri\b|\bresting ?state\b|\bfunctional\b|\btask bold\b",
    ),
    _kind("echo_planar", "an echo-planar sequence", Force.UNLESS_T1, r"\bep ?2 ?d|\bepi\b"),
    _kind(
        "t2_weighted",
        "a T2*- or susceptibility-weighted image",
        Force.UNLESS_T1,
        r"\bswip?\b|\bswan\b|\bsuscep|\bha?emo\b|\bven ?bold\b|\bt2 ?star\b|\bt 2 ?star\b",
        r"\bmedic\b|\b(?:me|multi ?echo) gre\b",
    ),
    _kind(
        "t2_weighted",
        "a balanced sequence, bright where T2 is long",
        Force.UNLESS_T1,
        r"\bb ?ssfp\b|\btrue? ?fi(?:sp)?\b|\bb ?(?:ffe|tfe)\b|\bbalanced\b",
    ),
    _kind(
        "perfusion",
        "a perfusion image",
        Force.UNLESS_TIMED,
        r"perfu[sz](?:ion|ao|ione|ie)?|\bperf\b",
    ),
    _kind("flair", "a FLAIR image", Force.UNLESS_TIMED, r"flair|\bdark ?fluid\b|\btirm\b"),
    _kind(
        "flair",
        "a double inversion recovery, dark where water is",
        Force.UNLESS_TIMED,
        r"\bdouble ?(?:inversion|ir)\b|\b(?<!\d )dir\b",
    ),
    _kind("stir", "a STIR image", Force.UNLESS_TIMED, r"\bstir\b"),
    _kind(
        "t2_weighted",
        "a T2-weighted image",
        Force.UNLESS_TIMED,
        r"\bt2\b|t ?2 ?(?:w|ax|cor|sag|tra|tse|fse|late|blade)",
        r"\b(?:heads|brain)t 2\b|\bhaste\b|\bgrase\b|\bciss\b|\bfiesta\b|\bss ?fse\b|\bdrive\b",
    ),
    _kind(
        "proton_density",
        "a proton-density image",
        Force.UNLESS_TIMED,
        r"\bpdw?\b|\bdual ?echo\b|\bpdt 2\b|\bproton ?dens(?:ity)?",
        r"\bdensi(?:dad|dade|te|ta) (?:de |di |du )?(?:los |dos |des )?proton",
    ),
)
"""In the order in which they are asked; the first that counts gives the reason."""

# T1, however it is joined to its neighbours; "LEFT1" is the first of a series, T12 a vertebra. Sequences
# that are T1-weighted wherever they are used on heads, and dynamic contrast enhancement.
SAYS_T1 = re.compile(r"(?<!lef)(?<!righ)t1(?:w|3d)?(?!\d)|t13d|mp ?2? ?rage|\bbravo\b|\bdce\b")
