"""The default model on images that it was not trained on: sources, planes, other contrasts, and copies.

    python -m benchmarks.default_model runs/default/model.onnx --data ../shared/data/manifest.csv \
        --trained-on runs/default/manifest.csv --beside lesson.onnx --out-of-fold runs/folds/predictions.csv

Scores the images of a manifest whose subjects are in no row of `--trained-on`, and prints Markdown tables
with 95 % intervals by subject: figures at the frozen operating point, what the gate refuses, what is left
unanswered, and how often a copy of an image (compressed, halved, turned, ...) gets another phase.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.default_copies import COPIES, Pixels
from gadoscope.decision.aggregation import Aggregation
from gadoscope.decision.calibration import logit_of, sigmoid
from gadoscope.decision.gate import Gate, check_t1_brain
from gadoscope.errors import InputError, RefusedError
from gadoscope.freezing.aggregation import pool_series
from gadoscope.inference.session import Session
from gadoscope.labels import Label, Phase, Split
from gadoscope.parallel import count_jobs, map_in_order
from gadoscope.preparation.manifest import Item, read_manifest
from gadoscope.reading.images import read_slice
from gadoscope.statistics.estimates import estimate_figures
from gadoscope.statistics.intervals import Estimate
from gadoscope.statistics.table import Predictions, read_predictions
from recipes.default.data import PAIRED_SOURCES, SUBTRACTED_SOURCE, list_teachers

MEAN = Aggregation("mean")
ANSWERS = (Phase.PRE_CONTRAST, Phase.POST_CONTRAST)
SEED = 5
NAME_PARTS = 3
"""Source, folder and name: the same image in two copies of the data."""
SCANNED_SOURCES = ("volunteer-flair", "volunteer-t2")
"""Other images whose subjects have one scan each, of three slices; of Feltrin's T2 no subject is known."""
COPIED = 300
"""Images that are copied: 2 % of them are six."""


@dataclass(frozen=True)
class Scored:
    """One image and what a bundle says of it; ``phase`` is None where the gate refuses.

    ``called_post`` is the answer at the threshold, without the band in which the bundle is silent;
    ``t1_brain`` the gate's logit, None of a bundle without a gate.
    """

    item: Item
    logit: float
    called_post: bool
    phase: Phase | None
    t1_brain: float | None = None


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--trained-on", type=Path, action="append", default=[], help="a run's manifest.csv")
    parser.add_argument("--sources", nargs="*", default=[], help="only these of the manifest")
    parser.add_argument(
        "--suspects", type=Path, help="suspects.json of another run: left out in a second row"
    )
    parser.add_argument("--beside", type=Path, help="another bundle, such as the lesson's")
    parser.add_argument("--out-of-fold", type=Path, help="predictions.csv of `gadoscope train --folds`")
    arguments = parser.parse_args()
    items = choose_items(arguments.data, arguments.trained_on, arguments.sources)
    suspects = read_suspects(arguments.suspects) if arguments.suspects else frozenset()
    session = Session(arguments.bundle)
    scored = score(session, items)
    print(f"\n{session.bundle.model_id}: images of subjects that it was not trained on\n")
    print(format_figures(scored, suspects))
    print("\nWhat is no T1 brain\n")
    print(format_gate(scored, session.bundle.metadata.decision.gate))
    print(f"\nCopies of {COPIED} images: the phase of the copy, where both are answered\n")
    print(format_copies(session, scored))
    if arguments.beside:
        other = Session(arguments.beside)
        print(f"\n{other.bundle.model_id}: the same images\n")
        print(format_figures(score(other, [one.item for one in scored]), suspects))
    if arguments.out_of_fold:
        print("\nOut of fold: each image by a network that has not seen its subject\n")
        print(format_out_of_fold(read_predictions(arguments.out_of_fold)))


def choose_items(data: Path, trained_on: Sequence[Path], sources: Sequence[str]) -> list[Item]:
    """Return the images of subjects that none of the runs has seen: what a run held out, it has not."""
    seen = {
        item.subject_id
        for path in trained_on
        for item in read_manifest(path).items
        if item.split is not Split.TEST
    }
    return [
        item
        for item in read_manifest(data).items
        if item.subject_id not in seen and (not sources or item.source in sources)
    ]


def read_suspects(path: Path) -> frozenset[str]:
    """Return the images whose labels were doubted, alone or with their series: folder and name."""
    with path.open(encoding="utf-8") as file:
        found = json.load(file)
    images = [*found["images"], *(image for series in found["series"] for image in series["images"])]
    return frozenset(_short(Path(image["path"])) for image in images)


def _short(path: Path) -> str:
    return "/".join(path.parts[-NAME_PARTS:])


def score(session: Session, items: Sequence[Item]) -> list[Scored]:
    """Ask a bundle about each image that can be read."""
    answers = map_in_order(lambda item: _score_file(session, item), items, count_jobs(0))
    return [answer for answer in answers if answer is not None]


def _score_file(session: Session, item: Item) -> Scored | None:
    try:
        pixels = read_slice(item.path).pixels
    except InputError:
        return None
    return Scored(item, *ask(session, pixels))


def ask(session: Session, pixels: Pixels) -> tuple[float, bool, Phase | None, float | None]:
    """Return the fields of `Scored` for one slice."""
    metadata, decision = session.bundle.metadata, session.bundle.metadata.decision
    answers = session.slice_answers(metadata.image_path.resize_slice(pixels)[np.newaxis])
    probability = decision.probability(answers.phase)
    phase: Phase | None = decision.decide(float(probability[0]))
    t1_brain = None if answers.t1_brain is None else float(answers.t1_brain[0])
    if answers.t1_brain is not None and decision.refuses(answers.t1_brain)[0]:
        phase = None
    called_post = bool(decision.of_slice.calls_post(probability)[0])
    return float(answers.phase[0]), called_post, phase, t1_brain


def is_refused(t1_brain: Sequence[float], gate: Gate) -> bool:
    """Return whether `gadoscope classify` refuses what the gate gives these logits: a slice, or a scan's."""
    try:
        check_t1_brain(np.array(t1_brain), gate)
    except RefusedError:
        return True
    return False


def format_figures(scored: Sequence[Scored], suspects: frozenset[str]) -> str:
    """Return a row for each source and plane of T1 images, and one without doubted labels."""
    groups: dict[tuple[str, str], list[Scored]] = defaultdict(list)
    for one in scored:
        if one.item.label is not Label.OTHER:
            groups[one.item.source, one.item.plane.value].append(one)
    lines = [
        "| source | plane | pre | post | refused | AUC | sensitivity | specificity | balanced accuracy "
        "| silent | wrong of all | balanced accuracy of the answered |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (source, plane), members in sorted(groups.items()):
        lines.append(_figure_row(source, plane, members))
        trusted = [one for one in members if _short(one.item.path) not in suspects]
        if len(trusted) < len(members):
            lines.append(_figure_row(f"{source}, without suspects", plane, trusted))
    return "\n".join(lines)


def _figure_row(source: str, plane: str, members: Sequence[Scored]) -> str:
    """Return figures at the threshold of what the gate lets pass, then those with the band of silence."""
    passed = [one for one in members if one.phase is not None]
    answered = [one for one in passed if one.phase is not Phase.INDETERMINATE]
    rates, kept = estimate_figures(*_columns(passed)), estimate_figures(*_columns(answered))
    wrong = sum((one.phase is Phase.POST_CONTRAST) != (one.item.label is Label.POST) for one in answered)
    n = len(members)
    n_post = sum(one.item.label is Label.POST for one in members)
    cells = [
        f"{(n - len(passed)) / n:.1%}",
        _show(rates.auc, share=False),
        *map(_show, (rates.sensitivity, rates.specificity, rates.balanced_accuracy)),
        f"{(len(passed) - len(answered)) / n:.1%}",
        f"{wrong / n:.1%}",
        _show(kept.balanced_accuracy),
    ]
    return f"| {source} | {plane} | {n - n_post} | {n_post} | {' | '.join(cells)} |"


def _columns(
    members: Sequence[Scored],
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.bool_], NDArray[np.str_]]:
    return (
        np.array([one.item.label is Label.POST for one in members]),
        np.array([one.logit for one in members]),
        np.array([one.called_post for one in members]),
        np.array([one.item.subject_id or str(one.item.path) for one in members]),
    )


def _show(estimate: Estimate, *, share: bool = True) -> str:
    if estimate.value is None or estimate.lower is None or estimate.upper is None:
        return "-"
    values = (estimate.value, estimate.lower, estimate.upper)
    value, lower, upper = (f"{100 * one:.1f}" if share else f"{one:.3f}" for one in values)
    return f"{value} ({lower}-{upper})"


def format_gate(scored: Iterable[Scored], gate: Gate | None) -> str:
    """Return how much of each source of other images is refused, by slice and by scan."""
    groups: dict[str, list[Scored]] = defaultdict(list)
    for one in scored:
        if one.item.label is Label.OTHER:
            groups[one.item.source].append(one)
    lines = ["| source | images | refused | scans | refused |", "|---|---|---|---|---|"]
    for source, members in sorted(groups.items()):
        refused = sum(one.phase is None for one in members) / len(members)
        n_scans = share = "-"
        if gate is not None and source in SCANNED_SOURCES:
            scans = _join_scans(members)
            n_scans = str(len(scans))
            share = f"{sum(is_refused(scan, gate) for scan in scans) / len(scans):.1%}"
        lines.append(f"| {source} | {len(members)} | {refused:.1%} | {n_scans} | {share} |")
    return "\n".join(lines)


def _join_scans(members: Sequence[Scored]) -> list[list[float]]:
    """Return the gate's logits of each subject's slices."""
    scans: dict[str | None, list[float]] = defaultdict(list)
    for one in members:
        if one.t1_brain is not None:
            scans[one.item.subject_id].append(one.t1_brain)
    return list(scans.values())


def format_copies(session: Session, scored: Sequence[Scored]) -> str:
    """Return how often a copy gets another phase, and how often no answer."""
    answered = [one for one in scored if one.item.label is not Label.OTHER and one.phase in ANSWERS]
    if not answered:
        return "None of the T1 images is answered, so none was copied."
    chosen = np.random.default_rng(SEED).permutation(len(answered))[:COPIED]
    originals = [(answered[index].phase, read_slice(answered[index].item.path).pixels) for index in chosen]
    lines = ["| copy | asked | another phase | silent or refused |", "|---|---|---|---|"]
    for name, (make, most) in COPIES.items():
        phases = [ask(session, np.ascontiguousarray(make(pixels)))[2] for _, pixels in originals]
        pairs = [(old, new) for (old, _), new in zip(originals, phases, strict=True)]
        both = [(old, new) for old, new in pairs if new in ANSWERS]
        changed = sum(old is not new for old, new in both) / max(1, len(both))
        asked = "-" if most is None else f"<= {most:.0%}"
        lines.append(f"| {name} | {asked} | {changed:.1%} | {1 - len(both) / len(pairs):.1%} |")
    return "\n".join(lines)


def format_out_of_fold(table: Predictions) -> str:
    """Return figures by source and plane, of slices and of series, and how often pairs are in order."""
    lines = [
        "| source | plane | unit | n | AUC | sensitivity | specificity | balanced accuracy | in order |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    groups = [
        (source, plane, table.select((table.source == source) & (table.plane == plane)))
        for source, plane in sorted(set(zip(table.source.tolist(), table.plane.tolist(), strict=True)))
    ]
    if SUBTRACTED_SOURCE in table.source:
        paired = table.select(np.isin(table.source, PAIRED_SOURCES))
        teachers = list_teachers(paired.subject_id.tolist())
        of_others = paired.select(~np.isin(paired.subject_id, list(teachers)))
        groups.append(
            (f"{', '.join(PAIRED_SOURCES)}: patients that no subtraction learnt from", "all", of_others)
        )
    for source, plane, part in groups:
        for unit, one in (("slice", part), ("series", pool(part))):
            figures = estimate_figures(one.is_post, one.logit, one.probability >= 1 / 2, one.subject_id)
            cells = [
                _show(figures.auc, share=False),
                *map(_show, (figures.sensitivity, figures.specificity, figures.balanced_accuracy)),
                order_pairs(one) if unit == "series" else "-",
            ]
            lines.append(f"| {source} | {plane} | {unit} | {len(one)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def pool(table: Predictions) -> Predictions:
    """Return one row for each series: a subject's slices of one label, by the mean of their logits."""
    keys = [f"{subject}\n{is_post}" for subject, is_post in zip(table.subject_id, table.is_post, strict=True)]
    _, first, series = np.unique(keys, return_index=True, return_inverse=True)
    return replace(
        table.select(first),
        logit=pool_series(MEAN, table.logit, series),
        probability=sigmoid(pool_series(MEAN, logit_of(table.probability), series)),
    )


def order_pairs(series: Predictions) -> str:
    """Return in how many subjects with both series the post-contrast one has the higher logit."""
    by_subject: dict[str, dict[bool, float]] = defaultdict(dict)
    for subject, is_post, logit in zip(
        series.subject_id.tolist(), series.is_post.tolist(), series.logit.tolist(), strict=True
    ):
        by_subject[subject][is_post] = logit
    pairs = [pair for pair in by_subject.values() if len(pair) == 2]  # noqa: PLR2004 - pre and post
    return f"{sum(pair[True] > pair[False] for pair in pairs)} of {len(pairs)}" if pairs else "-"


if __name__ == "__main__":
    main()
