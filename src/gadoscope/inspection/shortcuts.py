"""What gives the label of these images away without a look at the brain, measured in seconds.

The trivial predictors of an audit, on a part of the images: enough to find what a network could rest on
alone. Copies, leaks and pictures remain the audit's.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import InputError
from gadoscope.inspection.audited import DataDigests, find_audit_of, read_audit
from gadoscope.inspection.measure import Measurement, measure_items
from gadoscope.inspection.predictors import COLUMNS_LEFT_OUT, list_predictors
from gadoscope.inspection.verdicts import STRONG, WEAK, judge_predictor
from gadoscope.labels import Label
from gadoscope.preparation.data_digest import digest_described, digest_files, digest_labelled
from gadoscope.preparation.items import Item
from gadoscope.preparation.name_blocks import number_blocks
from gadoscope.preparation.near_duplicates import group_near_duplicates, hash_slice
from gadoscope.preparation.subjects import number_subjects
from gadoscope.progress import OnCount, count_nothing
from gadoscope.records import Data
from gadoscope.statistics.predictors import Nature, score_predictors
from gadoscope.wording import area, list_names, plural

VERSION = 2
"""Raised whenever the same images would give other figures; what an earlier one left counts no more."""
MAX_IMAGES = 600
"""That are measured, drawn by content: a strong predictor shows in far fewer, and more would take minutes."""


def describe_data(items: Sequence[Item], digests: Sequence[str]) -> str:
    """Return the SHA-256 of all that the figures here rest on: contents, labels, subjects and columns."""
    return digest_described(items, digests, COLUMNS_LEFT_OUT)


def measure_shortcuts(
    items: Sequence[Item],
    digests: Sequence[str],
    *,
    jobs: int = 0,
    on_progress: OnCount = count_nothing,
) -> Data:
    """Return ``version``, ``data_sha256``, ``n_images``, ``n_measured``, ``paired_sources``, ``predictors``.

    Parameters
    ----------
    items
        Labelled images, none of them other.
    digests
        SHA-256 of each file.
    jobs
        Threads; 0 means one for each core that the process may use.
    """
    drawn = _draw(items, digests)
    looked_at = measure_items(drawn, jobs=jobs, on_progress=on_progress)
    kept = [
        (item, result)
        for item, result in zip(looked_at.items, looked_at.results, strict=True)
        if not isinstance(result, InputError)
    ]
    measured = [result for _, result in kept]
    readable = [item for item, _ in kept]
    return {
        "version": VERSION,
        "data_sha256": describe_data(items, digests),
        "n_images": len(items),
        "n_measured": len({item.path for item in readable}),
        "paired_sources": list_paired_sources(items),
        "predictors": judge_predictors(readable, measured, _number_subjects(readable, measured)),
    }


def find_shortcuts(
    items: Sequence[Item],
    digests: Sequence[str],
    *,
    near: Iterable[Path],
    kept: Iterable[Any] = (),
    jobs: int = 0,
    on_progress: OnCount = count_nothing,
) -> Data:
    """Return what `measure_shortcuts` does, from an earlier command or an audit where one is of these data.

    Parameters
    ----------
    near
        Where an audit.json is looked for.
    kept
        What may be the answer already, as it was read from a file.
    """
    data_sha256 = describe_data(items, digests)
    for one in kept:
        if is_current(one, data_sha256):
            return dict(one)
    known = DataDigests(digest_labelled(items, digests), digest_files(digests))
    path = find_audit_of(known, near)
    if path is None:
        return measure_shortcuts(items, digests, jobs=jobs, on_progress=on_progress)
    return {
        "version": VERSION,
        "data_sha256": data_sha256,
        "n_images": len(items),
        "n_measured": len(items),
        "paired_sources": list_paired_sources(items),
        "predictors": read_audit(path)["predictors"],
    }


def judge_predictors(
    items: Sequence[Item],
    measured: Sequence[Measurement],
    subject: NDArray[np.int64],
    on_progress: OnCount = count_nothing,
) -> list[Data]:
    """Return how well each trivial predictor tells the two phases apart.

    Parameters
    ----------
    items, measured
        Pre- and post-contrast images, and what was measured of each.
    subject
        Number of each image's subject, shape (n,).
    """
    if not items:
        return []
    is_post = np.array([item.label is Label.POST for item in items], dtype=np.bool_)
    predictors = list_predictors(items, measured)
    n_tried = sum(not predictor.is_constant for predictor in predictors)
    judged: list[Data] = []
    for scored in score_predictors(predictors, is_post, subject):
        judged.append(judge_predictor(scored, is_post, subject, n_tried=max(1, n_tried)))
        on_progress(len(judged), len(predictors))
    return judged


def is_current(kept: Any, data_sha256: str) -> bool:
    """Return whether ``kept``, read from a file of an earlier command, is of these data and this version."""
    return (
        isinstance(kept, dict)
        and kept.get("version") == VERSION
        and kept.get("data_sha256") == data_sha256
        and all(type(kept.get(key)) is int for key in ("n_images", "n_measured"))
        and _are_texts(kept.get("paired_sources"))
        and isinstance(kept.get("predictors"), list)
        and all(_is_predictor(one) for one in kept["predictors"])
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_predictor(one: Any) -> bool:
    if not isinstance(one, dict) or not all(
        isinstance(one.get(key), str) for key in ("name", "nature", "verdict")
    ):
        return False
    auc = one.get("auc")
    return auc is None or (
        isinstance(auc, dict) and all(_is_share(auc.get(k)) for k in ("value", "lower", "upper"))
    )


def _is_share(value: Any) -> bool:
    return value is None or type(value) in (int, float)


def list_paired_sources(items: Iterable[Item]) -> list[str]:
    """Return the sources that hold both labels."""
    labels: dict[str, set[Label]] = {}
    for item in items:
        labels.setdefault(item.source, set()).add(item.label)
    return sorted(name for name, found in labels.items() if {Label.PRE, Label.POST} <= found)


def tell_strong(predictors: Sequence[Mapping[str, Any]], paired_sources: Sequence[str]) -> Data | None:
    """Return ``title`` and ``text`` of what gives the label away, or None where nothing does."""
    strong = select_predictors(predictors, Nature.CIRCUMSTANCE, STRONG)
    if not strong:
        return None
    names = list_names([one["name"] for one in strong])
    verb = "gives" if len(strong) == 1 else "each give"
    figures = "; ".join(f"{one['name']} with an AUC of {with_interval(one['auc'])}" for one in strong)
    advice = dict.fromkeys(_advise(one["name"], paired_sources) for one in strong)
    return {
        "title": f"{names[0].upper()}{names[1:]} alone {verb} the label away",
        "text": "Without a look at the brain, the label of images that were set aside is told by "
        f"{figures}. A network can learn this instead of contrast. {' '.join(advice)}",
    }


def tell_weak(predictors: Sequence[Mapping[str, Any]]) -> Data | None:
    """Return ``title`` and ``text`` of the circumstances that tell more than chance, but not much."""
    weak = select_predictors(predictors, Nature.CIRCUMSTANCE, WEAK)
    if not weak:
        return None
    named = list_names([f"{one['name']} (AUC {with_interval(one['auc'])})" for one in weak])
    return {
        "title": "Circumstances tell a little of the label",
        "text": f"More than chance is told by {named}. "
        "A network that is hardly better has learned no contrast.",
    }


def tell_unmeasured(predictors: Sequence[Mapping[str, Any]]) -> Data | None:
    """Return ``title`` and ``text`` where a class has too few subjects for any trial."""
    if not any(one.get("reason") == "too few subjects" for one in predictors):
        return None
    return {
        "title": "What gives the label away could not be measured",
        "text": "A class has fewer than five subjects, so no trivial predictor can be tried on unseen ones.",
    }


def warn(shortcuts: Data) -> list[str]:
    """Return a sentence for a person who is about to train on these images; none where nothing is strong."""
    found = tell_strong(shortcuts["predictors"], shortcuts["paired_sources"])
    return [] if found is None else [f"{found['title']}. {found['text']}{tell_part(shortcuts)}"]


def tell_part(shortcuts: Data) -> str:
    """Return on how many of the images this rests, where it is not all of them."""
    n, n_all = shortcuts["n_measured"], shortcuts["n_images"]
    return "" if n == n_all else f" Measured on {n:,} of the {plural(n_all, 'image')}."


def select_predictors(
    predictors: Sequence[Mapping[str, Any]], nature: Nature, verdict: str
) -> list[Mapping[str, Any]]:
    """Return the predictors of one nature and one verdict."""
    return [one for one in predictors if one["nature"] == nature.value and one["verdict"] == verdict]


def with_interval(figure: Mapping[str, float | None]) -> str:
    """Return an AUC with its interval, where it has one."""
    text = area(figure["value"])
    if figure.get("lower") is None:
        return text
    return f"{text}, 95 % interval {area(figure['lower'])} to {area(figure['upper'])}"


_BORDERS = (
    "Look at the borders and corners; `gadoscope prepare` cuts all images to the head; blacken what is left."
)
_ONE_FORMAT = (
    "Write all images in one size and format, with `gadoscope prepare DATA --output FOLDER`, and audit the "
    "copies."
)
_ADVICE = {
    "border": _BORDERS,
    "burned-in text": _BORDERS,
    "image size": _ONE_FORMAT,
    "file size": _ONE_FORMAT,
    "encoding": _ONE_FORMAT,
    "grain and sharpness": "Resample and smooth all images alike from the originals, and audit again.",
    "position": "Turn all heads one way, crop them alike with `gadoscope prepare`, and audit again.",
    "plane": "Balance the planes within each label, or train and report one plane at a time.",
}


def _advise(name: str, paired_sources: Sequence[str]) -> str:
    if name == "source":
        if paired_sources:
            return f"Believe figures on sources that hold both labels: {list_names(list(paired_sources))}."
        return "No source holds both labels: add one that does, or no figure will mean anything."
    if name in _ADVICE:
        return _ADVICE[name]
    return f"Balance it within each label, and report figures for each {name}."


def _draw(items: Sequence[Item], digests: Sequence[str]) -> list[Item]:
    """Return at most `MAX_IMAGES` of the images: the same ones whatever their order and names."""
    if len(items) <= MAX_IMAGES:
        return list(items)
    order = sorted(
        range(len(items)), key=lambda index: hashlib.sha256(f"draw {digests[index]}".encode()).digest()
    )
    return [items[index] for index in sorted(order[:MAX_IMAGES])]


def _number_subjects(items: Sequence[Item], measured: Sequence[Measurement]) -> NDArray[np.int64]:
    """Return a number for each image's subject; where it is unknown, of its block of names.

    An image that nearly repeats an earlier one goes with that one.
    """
    if not items:
        return np.empty(0, dtype=np.int64)
    hashes = np.array([hash_slice(one.thumbnail) for one in measured], dtype=np.uint64)
    block = number_blocks([item.path for item in items])
    blocks = [f"block {block[first]}" for first in group_near_duplicates(hashes)]
    return number_subjects([item.subject_id for item in items], blocks)
