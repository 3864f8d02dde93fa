"""Which public images the default model is trained on, for what, and under which licences.

The manifest of public images holds more than may be used: sources for evaluation alone, labels that a reader
doubts, and a family of images that some may not want in what they ship (`FAMILIES`). What of it teaches the
phase, what teaches the gate, and who is kept back to judge by, is decided here.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from gadoscope.errors import UsageError
from gadoscope.labels import Label, OtherKind, Split
from gadoscope.preparation.items import Item
from gadoscope.training.kinds import KIND_COLUMN

T1_SOURCES: Final = (
    "tcga-lgg",
    "tcga-lgg-sagittal",
    "figshare-cheng",
    "ixi",
    "vqamed2019",
    "vqamed2019-eye",
)
"""They teach the phase. CC BY 3.0 and 4.0, and CC BY-SA 3.0: weights trained on them may be shipped."""
GATE_SOURCES: Final = (
    "tcga-lgg-flair",
    "vqamed2019-other",
    "openms-long",
    "ms-baghdad-t2",
    "ms-baghdad-flair",
    "fets21-t2",
    "utsw-t2",
    "metsbrain-t2",
    "spine-spider",
    "spine-spider-t2",
    "sich-ct",
    "dcm-qa",
    "ds000011",
    "fnndsc-adult",
)
"""Of these the images labelled other teach the gate; CC BY, CC BY-SA, BSD, MIT, Apache and public domain. The
T1 images that some of them hold beside are of a few volunteers, all before contrast: they teach nothing."""
SOURCES: Final = (*T1_SOURCES, *GATE_SOURCES)
"""Feltrin's may not be shipped; the volunteers' T2 and FLAIR, and the brains without skulls of ds002748, all
before contrast, are for evaluation alone."""
FAMILIES: Final = {"vqamed2019": ("vqamed2019", "vqamed2019-eye", "vqamed2019-other")}
"""Names that stand for several sources: one origin, one licence, and subjects in common."""
DOUBTED: Final = "doubted"
"""Begins the ``note`` of an image whose label a blind reader did not share."""
MISFILED: Final = frozenset(
    f"vqamed2019-other/synpic{number}.jpg" for number in (21483, 34810, 44470, 45490, 51082, 53870, 58212)
)
"""T1 brains by eye, which their source calls FLAIR, T2, CT, an angiogram or a face."""


def name_members(source: str) -> tuple[str, ...]:
    """Return the sources that a name stands for.

    Raises
    ------
    UsageError
        If nothing of that name is trained on.
    """
    if source in FAMILIES:
        return FAMILIES[source]
    if source not in SOURCES:
        raise UsageError(f"{source!r} is no source of the default model; choose one of {', '.join(SOURCES)}.")
    return (source,)


def choose_public(items: Sequence[Item], *, without: Collection[str] = ()) -> list[Item]:
    """Return the images that may teach, none of them in a split.

    Parameters
    ----------
    without
        Sources, or families of them, of which nothing is to be used.

    Raises
    ------
    UsageError
        If one of ``without`` is unknown.
    """
    left_out = {member for source in without for member in name_members(source)}
    return [replace(item, split=None) for item in items if item.source not in left_out and _may_teach(item)]


def _may_teach(item: Item) -> bool:
    sources = GATE_SOURCES if item.label is Label.OTHER else T1_SOURCES
    return item.source in sources and not is_doubted(item)


def is_doubted(item: Item) -> bool:
    """Return whether a reader saw something else in an image than its label says."""
    is_misfiled = "/".join(item.path.parts[-2:]) in MISFILED
    return is_misfiled or item.extra.get("note", "").startswith(DOUBTED)


KINDS_OF_SOURCES: Final = {
    "tcga-lgg-flair": OtherKind.FLAIR,
    "ms-baghdad-flair": OtherKind.FLAIR,
    "simulated-flair": OtherKind.FLAIR,
    "ms-baghdad-t2": OtherKind.T2,
    "fets21-t2": OtherKind.T2,
    "utsw-t2": OtherKind.T2,
    "metsbrain-t2": OtherKind.T2,
    "ds000011": OtherKind.T2,
    "fnndsc-adult": OtherKind.T2,
    "simulated-t2": OtherKind.T2,
    "spine-spider": OtherKind.NO_BRAIN,
    "spine-spider-t2": OtherKind.NO_BRAIN,
}
"""What all images labelled other of a source are."""
KINDS_OF_WORDS: Final = {
    "flair": OtherKind.FLAIR,
    "mr - flair": OtherKind.FLAIR,
    "t2": OtherKind.T2,
    "t2w": OtherKind.T2,
    "mr - t2 weighted": OtherKind.T2,
}
"""What an image is whose note, or whose phantom's sequence, is this, in lower case."""
OTHER_ORGANS: Final = (
    "breast",
    "gastrointestinal",
    "genitourinary",
    "heart",
    "lung",
    "musculoskeletal",
    "spine",
    "vascular",
)
"""Begin the note of images of what is no brain."""


def name_kind(item: Item) -> Item:
    """Return an image labelled other with what it is, in the column `KIND_COLUMN`, where that is known."""
    words = (item.extra.get("note", "") or item.extra.get("sequence", "")).lower()
    kind = KINDS_OF_SOURCES.get(item.source) or KINDS_OF_WORDS.get(words)
    if words.startswith(OTHER_ORGANS):
        kind = OtherKind.NO_BRAIN
    if item.label is not Label.OTHER or kind is None:
        return item
    return replace(item, extra={**item.extra, KIND_COLUMN: kind.value})


def hold_out_half(items: Sequence[Item], source: str, *, other: bool = False) -> list[Item]:
    """Return the images with every second subject of a source, or a family, as test; or with the others.

    What is made of a test image is of the same subject, and is test as well.
    """
    members = name_members(source)
    subjects = {item.subject_id for item in items if item.source in members and item.subject_id is not None}
    held = frozenset(sorted(subjects)[0 if other else 1 :: 2])
    return [replace(item, split=Split.TEST) if item.subject_id in held else item for item in items]
