"""How many planted label errors the folds find, and how many right labels they suspect.

    python -m benchmarks.label_errors --subjects 80 --wrong 0.1

Phantom slices get wrong labels by whole series, as archives have them: one series filed under the other
label, or both series of a subject exchanged. `gadoscope train --folds` trains on them as they are, and
once more on the same slices with right labels. Beside it stands the plain rule: every series whose mean
probability is on the other side of one half.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gadoscope.experiments.crossvalidate import CrossValidation, cross_validate
from gadoscope.labels import Label, Level
from gadoscope.phantom.forms.cohort import Cohort
from gadoscope.phantom.forms.write import Form, write_cohort
from gadoscope.preparation.manifest import Item, Manifest, read_manifest, write_manifest
from gadoscope.preparation.series import SERIES_COLUMN
from gadoscope.statistics.levels import group_cases
from gadoscope.statistics.table import Predictions
from gadoscope.training.config import read_config
from gadoscope.training.job import Job
from gadoscope.training.shipped import CONFIGS

LESSON = CONFIGS / "lesson.toml"
SEED = 5
SLICES = 6
OTHER = {Label.PRE: Label.POST, Label.POST: Label.PRE}
PRE_AS_POST, POST_AS_PRE = "pre-contrast filed as post", "post-contrast filed as pre"
EXCHANGED = "both series of a subject exchanged"
RIGHT = "right"


@dataclass(frozen=True)
class Found:
    """Of the series with one kind of label: how many there are, and how many are suspected."""

    kind: str
    n_series: int
    n_suspected: int
    n_contradicted: int


def name_images(manifest: Manifest) -> Manifest:
    """Return the manifest with a name for each series, and with nothing held back as a test."""
    items = [
        replace(item, split=None, extra={**item.extra, SERIES_COLUMN: f"{item.subject_id} {item.label}"})
        for item in manifest.items
    ]
    return replace(manifest, items=tuple(items))


def choose_wrong(manifest: Manifest, share: float) -> dict[str, str]:
    """Return which series get the other label, and what kind of error that is.

    Half of them are pairs, of subjects that show both phases.
    """
    by_subject: dict[str, list[Item]] = {}
    for item in {item.extra[SERIES_COLUMN]: item for item in manifest.items}.values():
        by_subject.setdefault(item.subject_id or "", []).append(item)
    generator = np.random.default_rng(SEED)
    subjects = [by_subject[name] for name in generator.permutation(sorted(by_subject)).tolist()]
    pairs = [series for series in subjects if len(series) == len(OTHER)]
    n_wrong = round(share * sum(map(len, subjects)))
    n_pairs = n_wrong // 4
    wrong = {item.extra[SERIES_COLUMN]: EXCHANGED for series in pairs[:n_pairs] for item in series}
    alone = [series[0] for series in subjects if len(series) == 1]
    for item in alone[: n_wrong - len(wrong)]:
        wrong[item.extra[SERIES_COLUMN]] = PRE_AS_POST if item.label is Label.PRE else POST_AS_PRE
    return wrong


def plant(manifest: Manifest, wrong: Mapping[str, str]) -> Manifest:
    """Return the manifest with the other label on every slice of the ``wrong`` series."""
    items = [
        replace(item, label=OTHER[item.label]) if item.extra[SERIES_COLUMN] in wrong else item
        for item in manifest.items
    ]
    return replace(manifest, items=tuple(items))


def judge(predictions: Predictions, suspects: dict[str, Any], wrong: Mapping[str, str]) -> list[Found]:
    """Count by kind of label which series are suspected, and which the plain rule contradicts."""
    series = group_cases(predictions, Level.SERIES)
    if series is None:
        raise ValueError("the predictions name no series")
    suspected = {case["images"][0]["path"] for case in suspects["series"]}
    counts: dict[str, Counter[str]] = {
        kind: Counter() for kind in (PRE_AS_POST, POST_AS_PRE, EXCHANGED, RIGHT)
    }
    for number in range(int(series.max()) + 1):
        rows = np.flatnonzero(series == number)
        kind = wrong.get(str(predictions.attributes[SERIES_COLUMN][rows[0]]), RIGHT)
        says_post = predictions.probability[rows].mean() >= 0.5  # noqa: PLR2004  # one half, as the plain rule says
        counts[kind]["series"] += 1
        counts[kind]["suspected"] += any(str(predictions.path[row]) in suspected for row in rows)
        counts[kind]["contradicted"] += bool(says_post != predictions.is_post[rows[0]])
    return [
        Found(kind, count["series"], count["suspected"], count["contradicted"])
        for kind, count in counts.items()
        if count["series"]
    ]


def format_table(planted: Sequence[Found], clean: Sequence[Found]) -> str:
    """Return the counts as a Markdown table."""
    lines = ["| label | series | suspected | contradicted |", "|---|---|---|---|"]
    rows = [*planted, *(replace(row, kind=f"{row.kind}, in data without errors") for row in clean)]
    lines += [f"| {row.kind} | {row.n_series} | {row.n_suspected} | {row.n_contradicted} |" for row in rows]
    return "\n".join(lines)


def _train(manifest: Manifest, folder: Path, arguments: argparse.Namespace) -> CrossValidation:
    folder.mkdir()
    write_manifest(manifest, folder / "manifest.csv")
    settings = ("split.method=subject", f"precision={arguments.precision}", f"epochs={arguments.epochs}")
    job = Job(config=read_config(LESSON, settings), data=folder / "manifest.csv", run=folder / "folds")
    done = cross_validate(job, arguments.folds, watch=lambda _: None)
    if done is None:
        raise SystemExit("run this in one process, not under torchrun")
    return done


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=80)
    parser.add_argument("--wrong", type=float, default=0.1, help="share of all series")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--output", type=Path, help="where the images and the pages are kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gadoscope-labels-") as name:
        work = arguments.output or Path(name)
        work.mkdir(exist_ok=True)
        write_cohort(
            Cohort(subjects=arguments.subjects, seed=SEED, slices=SLICES), work / "heads", form=Form.PNG
        )
        right = name_images(read_manifest(work / "heads"))
        wrong = choose_wrong(right, arguments.wrong)
        planted = _train(plant(right, wrong), work / "planted", arguments)
        clean = _train(right, work / "clean", arguments)
    print(
        f"{len(right.items)} phantom slices, {arguments.subjects} subjects, {arguments.folds} folds, "
        f"{arguments.epochs} epochs\n"
        f"out-of-fold AUC with wrong labels {planted.figures['auc']['value']:.3f}, "
        f"without {clean.figures['auc']['value']:.3f}\n"
    )
    print(
        format_table(
            judge(planted.predictions, planted.suspects, wrong), judge(clean.predictions, clean.suspects, {})
        )
    )


if __name__ == "__main__":
    main()
