"""Count images by label, and find subjects that stand on two sides of a split."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gadoscope.labels import Label, Split
from gadoscope.preparation.items import Item
from gadoscope.preparation.subjects import count_subjects, known_subjects

NO_SPLIT = "not said"


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many images of each label, and of how many subjects; None where one is unknown."""

    name: str
    n_images: int
    n_subjects: int | None
    n_pre: int
    n_post: int
    n_other: int


@dataclass(frozen=True)
class TwoSided:
    """The images of one subject that stands in more than one part of the data."""

    splits: tuple[Split, ...]
    members: tuple[int, ...]


def count_items(name: str, items: Sequence[Item]) -> Count:
    """Count some images."""
    labels = Counter(item.label for item in items)
    return Count(
        name=name,
        n_images=len(items),
        n_subjects=count_subjects([item.subject_id for item in items]),
        n_pre=labels[Label.PRE],
        n_post=labels[Label.POST],
        n_other=labels[Label.OTHER],
    )


def count_by(items: Iterable[Item], name_of: Callable[[Item], str]) -> list[Count]:
    """Count the images of each name, the most frequent first."""
    named: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        named[name_of(item)].append(item)
    counts = [count_items(name, members) for name, members in named.items()]
    return sorted(counts, key=lambda count: (-count.n_images, count.name))


def name_split(item: Item) -> str:
    """Return the part of the data that an image belongs to, or that nothing says so."""
    return item.split.value if item.split else NO_SPLIT


def find_two_sided(items: Sequence[Item]) -> list[TwoSided]:
    """Return the subjects that stand in more than one split, those with most images first."""
    members: dict[str, list[int]] = defaultdict(list)
    names = known_subjects(items)
    for index, (item, name) in enumerate(zip(items, names, strict=True)):
        if name and item.split is not None:
            members[name].append(index)
    found = []
    for indices in members.values():
        splits = {items[index].split for index in indices}
        if len(splits) > 1:
            ordered = tuple(split for split in Split if split in splits)
            found.append(TwoSided(ordered, tuple(indices)))
    return sorted(found, key=lambda one: (-len(one.members), one.members))
