"""What the audit means, in sentences, the gravest first."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gadoscope.inspection.audited import STRONG_CODE
from gadoscope.inspection.shortcuts import (
    select_predictors,
    tell_strong,
    tell_unmeasured,
    tell_weak,
    with_interval,
)
from gadoscope.inspection.verdicts import STRONG, WEAK
from gadoscope.records import Data
from gadoscope.report.finding import CAUTION, NOTE, SERIOUS, finding, rank
from gadoscope.statistics.predictors import Nature
from gadoscope.wording import list_names, percent, plural

FEW_SUBJECTS = 20
"""Of one class: below this an interval by subject is so wide that it hardly says anything."""
LOPSIDED = 0.8
"""Share of the larger class from which on accuracy says little."""


def list_findings(report: Mapping[str, Any]) -> list[Data]:
    """Return ``severity``, ``code``, ``title`` and ``text`` of each finding.

    Parameters
    ----------
    report
        The audit's data, without the findings.
    """
    found = [
        *_classes(report),
        *_two_sided(report["subjects_on_two_sides"]),
        *_copies(report["copies"]),
        *_strong_circumstances(report),
        *_unusable(report["unusable"]),
        *_subjects(report["counts"]),
        *_text(report["text"]),
        *_grey(report["predictors"]),
        *_weak_circumstances(report["predictors"]),
        *_not_measured(report["predictors"]),
        *_clean(report),
        *_majority(report),
    ]
    return rank(found)


def _classes(report: Mapping[str, Any]) -> Iterator[Data]:
    counts = report["counts"]["all"]
    for phase in ("pre", "post"):
        if counts[f"n_{phase}"] == 0:
            yield finding(
                SERIOUS,
                f"There are no {phase}-contrast images",
                "Nothing can be learned about a difference that is not shown; add images of both classes.",
                code="one_class",
            )


def _two_sided(found: Mapping[str, Any]) -> Iterator[Data]:
    if not found["n_subjects"]:
        return
    n = found["n_subjects"]
    yield finding(
        SERIOUS,
        f"{plural(n, 'subject')} {'stands' if n == 1 else 'stand'} on two sides of the split",
        f"Their {plural(found['n_images'], 'image')} are in training and in test or validation: a network "
        "may know the head instead of the contrast, and its figures will be too good. Split by subject.",
        code="subject_on_two_sides",
    )


def _copies(copies: Mapping[str, Any]) -> Iterator[Data]:
    if copies["n_across_splits"]:
        yield finding(
            SERIOUS,
            f"{_groups(copies['n_across_splits'])} on two sides of the split",
            "The network is tested on pictures that it was trained on, whatever their file names say. Keep "
            "the copies of a picture on one side, or remove all but one.",
            code="copies_across_splits",
        )
    if copies["n_across_labels"]:
        yield finding(
            SERIOUS,
            f"{_groups(copies['n_across_labels'])} under different labels",
            "One picture cannot be pre- and post-contrast: at least one of the labels is wrong, or a file "
            "was saved under two names. Look at them below and correct the manifest.",
            code="copies_across_labels",
        )
    if copies["n_across_subjects"]:
        yield finding(
            CAUTION,
            f"{_groups(copies['n_across_subjects'])} under different subjects",
            "These may be one person with two names; a split by subject would then not keep that person "
            "on one side. Give copies of one picture the same subject_id.",
            code="copies_across_subjects",
        )
    if copies["n_across_nothing"]:
        yield finding(
            CAUTION,
            f"{_groups(copies['n_across_nothing'])} more than once under one subject and label",
            "Copies, or slices so close that they show the same, count several times in every figure; and "
            "a split that does not know of them may part them.",
            code="copies",
        )


def _groups(n: int) -> str:
    return f"{plural(n, 'picture')} {'stands' if n == 1 else 'stand'}"


def _strong_circumstances(report: Mapping[str, Any]) -> Iterator[Data]:
    paired = [row["name"] for row in report["counts"]["source"] if row["n_pre"] and row["n_post"]]
    strong = tell_strong(report["predictors"], paired)
    if strong:
        yield finding(SERIOUS, strong["title"], strong["text"], code=STRONG_CODE)


def _weak_circumstances(predictors: Sequence[Mapping[str, Any]]) -> Iterator[Data]:
    weak = tell_weak(predictors)
    if weak:
        yield finding(CAUTION, weak["title"], weak["text"], code="weak_predictor")


def _grey(predictors: Sequence[Mapping[str, Any]]) -> Iterator[Data]:
    telling = [
        *select_predictors(predictors, Nature.GREY, STRONG),
        *select_predictors(predictors, Nature.GREY, WEAK),
    ]
    if telling:
        named = list_names([f"the {one['name']} (AUC {with_interval(one['auc'])})" for one in telling])
        yield finding(
            CAUTION if any(one["verdict"] == STRONG for one in telling) else NOTE,
            "Grey values alone tell part of the label",
            f"More than chance is told by {named}. Contrast itself brightens an image, so this need be no "
            "fault; but other scanners have other grey values, and a network must be clearly better.",
            code="grey_values",
        )


def _not_measured(predictors: Sequence[Mapping[str, Any]]) -> Iterator[Data]:
    unmeasured = tell_unmeasured(predictors)
    if unmeasured:
        yield finding(CAUTION, unmeasured["title"], unmeasured["text"], code="predictors_not_measured")


def _unusable(unusable: Sequence[Mapping[str, Any]]) -> Iterator[Data]:
    constant = sum(row["reason"] == "blank" for row in unusable)
    if constant:
        yield finding(
            CAUTION,
            f"{plural(constant, 'image')} of one grey value",
            "Every pixel is the same: there is nothing to learn, only a label. Leave them out.",
            code="constant_images",
        )
    if len(unusable) > constant:
        yield finding(
            CAUTION,
            f"{plural(len(unusable) - constant, 'image')} cannot be read",
            "Training stops at the first of them. They are listed below with what to do.",
            code="unreadable_images",
        )


def _subjects(counts: Mapping[str, Any]) -> Iterator[Data]:
    n_unknown = counts["n_without_subject"]
    if n_unknown:
        yield finding(
            CAUTION,
            f"The subjects of {plural(n_unknown, 'image')} are unknown",
            "Copies of one picture are found, but not two slices of one person: whether a person stands on "
            "both sides of a split cannot be told, and every interval here takes each image for a person.",
            code="subjects_unknown",
        )
        return
    n = counts["all"]["n_subjects"]
    if n is not None and n < FEW_SUBJECTS:
        yield finding(
            CAUTION,
            f"There are only {plural(n, 'subject')}",
            "However many slices there are, figures for new people rest on the number of people.",
            code="few_subjects",
        )


def _text(text: Mapping[str, Any]) -> Iterator[Data]:
    if text["n_images"]:
        yield finding(
            CAUTION,
            f"{plural(text['n_images'], 'image')} with text or a tag beside the head",
            f"Of them {text['n_pre']} are pre-contrast and {text['n_post']} post-contrast. A network reads "
            "what is written, and it may name a person: look at them below, and blacken it.",
            code="burned_in_text",
        )


def _clean(report: Mapping[str, Any]) -> Iterator[Data]:
    if report["copies"]["n_groups"] or report["subjects_on_two_sides"]["n_subjects"]:
        return
    known = report["counts"]["n_without_subject"] == 0
    yield finding(
        NOTE,
        "No copy and no leak was found",
        "All images were compared with all others, also resized, compressed, cut and brightened."
        + (" No subject stands on two sides." if known else ""),
        code="no_leak",
    )


def _majority(report: Mapping[str, Any]) -> Iterator[Data]:
    accuracy = report["majority"]["accuracy"]
    if accuracy is None:
        return
    text = (
        f"Calling every image {report['majority']['label']}-contrast is right in {percent(accuracy)}: an "
        "accuracy means something only above that."
    )
    yield finding(
        CAUTION if LOPSIDED <= accuracy < 1 else NOTE,
        "What one reaches without any look",
        text,
        code="majority",
    )
