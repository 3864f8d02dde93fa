"""The lesson's network on real sagittal slices, and what its figure is worth.

    python -m benchmarks.real_sagittal --data ../shared/data/manifest.csv --output runs/real

Three experiments, each split by subject:

all        IXI (all pre-contrast), figshare-cheng (all post-contrast), tcga-lgg-sagittal (both)
no-pairs   trained on IXI and figshare-cheng; tested on tcga-lgg-sagittal, another hospital with both
published  the published weights of the lesson, trained elsewhere, on the same test images

In the first the hospital gives the label away. The second says what is left when it does not.
"""

import argparse
import csv
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gadoscope.training.shipped import CONFIGS

SINGLE_LABEL = ("ixi", "figshare-cheng")
PAIRED = "tcga-lgg-sagittal"
SEED = 1020
# Of the subjects of each source and label.
FRACTIONS = {"train": 0.6, "validation": 0.15, "test": 0.25}

Rows = list[dict[str, str]]


def main() -> None:
    """Run the experiments and print a table of their figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the manifest of the real images")
    parser.add_argument("--output", type=Path, required=True, help="a new folder")
    parser.add_argument("--published", type=Path, help="the lesson's SimpleGadClass.h5")
    arguments = parser.parse_args()
    rows = read_sagittal(arguments.data)
    manifests = {
        "all": write(split_by_subject(rows), arguments.output / "all.csv"),
        "no-pairs": write(hold_out_pairs(rows), arguments.output / "no-pairs.csv"),
    }
    reports = {}
    for name, manifest in manifests.items():
        run = arguments.output / name
        gadoscope("train", CONFIGS / "lesson.toml", "--data", manifest, "--output", run)
        gadoscope("evaluate", run, "--output", run / "report")
        reports[name] = run / "report"
    if arguments.published:
        bundle = arguments.output / "published.onnx"
        gadoscope("import-keras", arguments.published, "--output", bundle)
        for name, manifest in manifests.items():
            report = arguments.output / f"published-on-{name}"
            test = write(
                [row for row in read(manifest) if row["split"] == "test"], report.with_suffix(".csv")
            )
            gadoscope("evaluate", bundle, "--data", test, "--output", report)
            reports[f"published weights on {name}"] = report
    print(format_table(reports))


def read_sagittal(manifest: Path) -> Rows:
    """Return the sagittal pre- and post-contrast rows, paths absolute."""
    sources = (*SINGLE_LABEL, PAIRED)
    return [
        {**row, "path": str((manifest.parent / row["path"]).resolve())}
        for row in read(manifest)
        if row["plane"] == "sagittal" and row["source"] in sources and row["label"] in ("pre", "post")
    ]


def split_by_subject(rows: Rows) -> Rows:
    """Give each subject to one split, within its source, in a seeded order."""
    subjects = defaultdict(set)
    for row in rows:
        subjects[row["source"]].add(row["subject_id"])
    split_of = {}
    for source, members in sorted(subjects.items()):
        order = np.random.default_rng(SEED).permutation(sorted(members))
        ends = np.cumsum([round(fraction * len(order)) for fraction in FRACTIONS.values()])
        for index, subject in enumerate(order):
            part = int(np.searchsorted(ends, index, side="right"))
            split_of[source, subject] = tuple(FRACTIONS)[min(part, len(FRACTIONS) - 1)]
    return [{**row, "split": split_of[row["source"], row["subject_id"]]} for row in rows]


def hold_out_pairs(rows: Rows) -> Rows:
    """Train and validate on the sources of one label; all of the paired source is test."""
    held_out = [{**row, "split": "test"} for row in rows if row["source"] == PAIRED]
    rest = split_by_subject([row for row in rows if row["source"] in SINGLE_LABEL])
    return [row for row in rest if row["split"] != "test"] + held_out


def read(manifest: Path) -> Rows:
    """Return the rows of a manifest."""
    with manifest.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(rows: Rows, path: Path) -> Path:
    """Write the rows as a manifest and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def gadoscope(*arguments: object) -> None:
    """Run one command of ours and let it print."""
    command = [sys.executable, "-m", "gadoscope", *map(str, arguments)]
    print("$ gadoscope", *arguments, flush=True)
    subprocess.run(command, check=True)


def format_table(reports: Mapping[str, Path]) -> str:
    """Return accuracy, sensitivity, specificity and AUC on test, by experiment and source."""
    lines = [
        "| experiment | test images of | pre | post | AUC | sensitivity | specificity |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, folder in reports.items():
        test = json.loads((folder / "report.json").read_text())["splits"]["test"]
        lines += [f"| {name} | {' | '.join(cells)} |" for cells in describe(test)]
    return "\n".join(lines)


def describe(test: Mapping[str, Any]) -> Iterable[list[str]]:
    """Yield the cells of a row for every source and for all of them."""
    for group in test["subgroups"]:
        yield [
            str(group["source"] or "all"),
            str(group["n_pre"]),
            str(group["n_post"]),
            _figure(group["auc"]),
            _figure(group["sensitivity"]),
            _figure(group["specificity"]),
        ]


def _figure(figure: object) -> str:
    if isinstance(figure, Mapping):
        value, lower, upper = (figure.get(key) for key in ("value", "lower", "upper"))
        if value is None:
            return "-"
        return f"{value:.3f}" + (f" ({lower:.3f}-{upper:.3f})" if lower is not None else "")
    return "-" if figure is None else f"{figure:.3f}"


if __name__ == "__main__":
    main()
