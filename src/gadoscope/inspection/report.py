"""The audit as data: what becomes audit.json, and every figure of the page."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gadoscope.errors import InputError
from gadoscope.inspection.copies import CopyGroup
from gadoscope.inspection.counts import NO_SPLIT, Count, TwoSided, count_by, count_items, name_split
from gadoscope.inspection.findings import list_findings
from gadoscope.inspection.measure import Measurement
from gadoscope.labels import Label, Split
from gadoscope.preparation.manifest import Item, Manifest
from gadoscope.preparation.subjects import known_subjects
from gadoscope.records import Data, to_plain
from gadoscope.version import __version__
from gadoscope.wording import short_name

FORMAT = "gadoscope audit"
FORMAT_VERSION = 1
MAX_LISTED = 1000
"""Groups of copies that are listed with their files; beyond that a table serves better than a report."""


@dataclass(frozen=True, kw_only=True)
class Audited:
    """What was found in the data.

    Attributes
    ----------
    results
        For each image what was measured, or why it cannot be used.
    predictors
        From `gadoscope.inspection.verdicts.judge_predictor`.
    sha256
        Of all files that could be read.
    labelled_sha256
        Of the pre- and post-contrast images with their labels, from `digest_labelled`.
    """

    manifest: Manifest
    results: Sequence[Measurement | InputError]
    copies: Sequence[CopyGroup]
    two_sided: Sequence[TwoSided]
    predictors: Sequence[Data]
    sha256: str
    labelled_sha256: str


def build_report(audited: Audited, n_cases: int) -> Data:
    """Return the content of audit.json."""
    items = audited.manifest.items
    report: Data = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "gadoscope": __version__,
        "not_a_medical_device": True,
        "data": {
            "origin": short_name(str(audited.manifest.origin)),
            "sha256": audited.sha256,
            "labelled_sha256": audited.labelled_sha256,
            "notices": [*audited.manifest.notices, *audited.manifest.tell_others()],
        },
        "counts": _count(items),
        "majority": _find_majority(items),
        "unusable": _list_unusable(audited),
        "subjects_on_two_sides": _list_two_sided(audited),
        "copies": _list_copies(audited),
        "text": _list_text(audited, n_cases),
        "predictors": sorted(audited.predictors, key=_rank),
    }
    return {**report, "findings": list_findings(report)}


def _count(items: Sequence[Item]) -> Data:
    subjects = Counter(name for name in known_subjects(items) if name)
    both = {
        label: set(known_subjects([item for item in items if item.label is label])) - {""}
        for label in (Label.PRE, Label.POST)
    }
    return {
        "all": to_plain(count_items("all", items)),
        "split": [to_plain(count) for count in sorted(count_by(items, name_split), key=_rank_split)],
        "source": [to_plain(count) for count in count_by(items, lambda item: item.source)],
        "plane": [to_plain(count) for count in count_by(items, lambda item: item.plane.value)],
        "n_without_subject": sum(item.subject_id is None for item in items),
        "n_subjects_with_both_labels": len(both[Label.PRE] & both[Label.POST]),
        "most_images_of_a_subject": max(subjects.values(), default=None),
    }


def _rank_split(count: Count) -> int:
    order = [*(split.value for split in Split), NO_SPLIT]
    return order.index(count.name)


def _find_majority(items: Sequence[Item]) -> Data:
    """Return what calling every image the more frequent phase is right in."""
    labels = Counter(item.label for item in items)
    n_pre, n_post = labels[Label.PRE], labels[Label.POST]
    label = Label.POST if n_post > n_pre else Label.PRE
    accuracy = max(n_pre, n_post) / (n_pre + n_post) if n_pre + n_post else None
    return {"label": label.value, "accuracy": accuracy}


def _list_unusable(audited: Audited) -> list[Data]:
    return [
        {
            "name": short_name(item.name),
            "status": result.status.value,
            "reason": result.reason,
            "sentence": result.sentence,
        }
        for item, result in zip(audited.manifest.items, audited.results, strict=True)
        if isinstance(result, InputError)
    ]


def _list_two_sided(audited: Audited) -> Data:
    items = audited.manifest.items
    cases = []
    for subject in audited.two_sided[:MAX_LISTED]:
        first = {items[index].split: index for index in reversed(subject.members)}
        cases.append(
            {
                "splits": [split.value for split in subject.splits],
                "n_images": len(subject.members),
                "examples": [short_name(items[first[split]].name) for split in subject.splits],
            }
        )
    n_images = sum(len(subject.members) for subject in audited.two_sided)
    return {"n_subjects": len(audited.two_sided), "n_images": n_images, "cases": cases}


def _list_copies(audited: Audited) -> Data:
    items, copies = audited.manifest.items, audited.copies
    return {
        "n_groups": len(copies),
        "n_images": sum(len(group.members) for group in copies),
        "n_across_splits": sum(len(group.splits) > 1 for group in copies),
        "n_across_labels": sum(len(group.labels) > 1 for group in copies),
        "n_across_subjects": sum(group.n_subjects > 1 for group in copies),
        "n_across_nothing": sum(
            len(group.splits) < 2 and len(group.labels) < 2 and group.n_subjects < 2  # noqa: PLR2004 # two sides
            for group in copies
        ),
        "groups": [
            {
                "kind": group.kind.value,
                "splits": [split.value for split in group.splits],
                "labels": [label.value for label in group.labels],
                "n_subjects": group.n_subjects,
                "images": [_describe(items[index]) for index in group.members],
            }
            for group in copies[:MAX_LISTED]
        ],
    }


def _describe(item: Item) -> Data:
    return {
        "name": short_name(item.name),
        "label": item.label.value,
        "split": item.split.value if item.split else None,
        "source": item.source,
    }


def _list_text(audited: Audited, n_cases: int) -> Data:
    """Return how many images of each label have text beside the head, and where it is in some."""
    found = [
        (item, result)
        for item, result in zip(audited.manifest.items, audited.results, strict=True)
        if isinstance(result, Measurement) and result.marks
    ]
    labels = Counter(item.label for item, _ in found)
    return {
        "n_images": len(found),
        **{f"n_{label.value}": labels[label] for label in Label},
        "cases": [{**_describe(item), "marks": to_plain(result.marks)} for item, result in found[:n_cases]],
    }


def _rank(predictor: Data) -> tuple[str, float]:
    """Put circumstances before grey values, and of each the best predictor first."""
    auc = predictor["auc"]
    return predictor["nature"], -(auc["value"] if auc else 0.0)
