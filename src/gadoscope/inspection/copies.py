"""Group the images that are copies of one picture: the same file, the same pixels, or nearly so."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gadoscope.inspection.measure import Measurement
from gadoscope.labels import Label, Split
from gadoscope.preparation.copies.groups import join, link_copies
from gadoscope.preparation.items import Item
from gadoscope.preparation.subjects import known_subjects


class CopyKind(StrEnum):
    """How alike the copies of one picture are."""

    FILE = "same file"
    PIXELS = "same pixels"
    NEAR = "nearly the same"


@dataclass(frozen=True)
class CopyGroup:
    """Images that show one picture.

    Attributes
    ----------
    members
        Indices of the images, ascending; two at least.
    splits, labels
        Those of the members, each once.
    n_subjects
        Known subjects among the members.
    """

    kind: CopyKind
    members: tuple[int, ...]
    splits: tuple[Split, ...]
    labels: tuple[Label, ...]
    n_subjects: int


def group_copies(
    items: Sequence[Item], measured: Mapping[int, Measurement], *, jobs: int = 0
) -> list[CopyGroup]:
    """Return the groups of copies: across splits, labels and subjects first, then the largest.

    Parameters
    ----------
    items
        All images.
    measured
        Those that could be read, by their index.
    jobs
        Threads; 0 means one for each core that the process may use.
    """
    by_pixels: dict[str, list[int]] = defaultdict(list)
    for index, one in measured.items():
        by_pixels[one.pixel_digest].append(index)
    pictures = list(by_pixels.values())
    links = link_copies([measured[members[0]].thumbnail for members in pictures], jobs)
    part_of = join(len(pictures), links)
    joined: dict[int, list[int]] = defaultdict(list)
    for part, members in zip(part_of.tolist(), pictures, strict=True):
        joined[part].extend(members)
    groups = [_describe(sorted(group), items, measured) for group in joined.values() if len(group) > 1]
    return sorted(groups, key=_by_gravity)


def _by_gravity(group: CopyGroup) -> tuple[bool, bool, bool, int, tuple[int, ...]]:
    within = (len(group.splits) < 2, len(group.labels) < 2, group.n_subjects < 2)  # noqa: PLR2004 # two sides
    return (*within, -len(group.members), group.members)


def _describe(
    members: Sequence[int], items: Sequence[Item], measured: Mapping[int, Measurement]
) -> CopyGroup:
    if len({measured[index].digest for index in members}) == 1:
        kind = CopyKind.FILE
    elif len({measured[index].pixel_digest for index in members}) == 1:
        kind = CopyKind.PIXELS
    else:
        kind = CopyKind.NEAR
    splits = {items[index].split for index in members}
    labels = {items[index].label for index in members}
    return CopyGroup(
        kind=kind,
        members=tuple(members),
        splits=tuple(split for split in Split if split in splits),
        labels=tuple(label for label in Label if label in labels),
        n_subjects=len(set(known_subjects([items[index] for index in members])) - {""}),
    )
