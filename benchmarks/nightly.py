"""The run that is repeated each night: first over all, then over the same, then with a few studies more.

All into one SQLite store, by whole processes with the default. Every run has to give the rows of the one
before it.
"""

import argparse
import csv
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scan_files import SERIES_A_STUDY, Plan, make_archive
from benchmarks.table import Row, begin_parser, finish

LEAST_RATIO = 10.0
NEW_STUDIES = 0.01
"""Of all, that come in a night."""


@dataclass(frozen=True)
class Run:
    """One run.

    Parameters
    ----------
    seconds
        Wall clock.
    rows
        By series: path to its cells.
    """

    seconds: float
    rows: dict[str, dict[str, str]]


def main() -> None:
    """Run the benchmark from a command line."""
    parser = begin_parser(__doc__)
    parser.add_argument("--studies", type=int, default=2000, help="each of five series")
    parser.add_argument("--most", type=int, default=20, help="instances of a series, one in nine fewer")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        finish(measure(Path(name), arguments), arguments.rows)


def measure(work: Path, arguments: argparse.Namespace) -> list[Row]:
    """Return the rows of the three nights."""
    archive, kept = work / "archive", work / "later"
    make_archive(Plan(studies=arguments.studies, matrix=128, most=arguments.most), archive)
    n_new = max(1, round(arguments.studies * NEW_STUDIES))
    later = sorted(archive.glob("study-*"))[-n_new:]
    kept.mkdir()
    for study in later:
        shutil.move(study, kept / study.name)
    first = classify(archive, work)
    again = classify(archive, work)
    if again.rows != first.rows:
        raise SystemExit("the second run gave other rows than the first")
    for study in later:
        shutil.move(kept / study.name, study)
    more = classify(archive, work)
    if {path: more.rows[path] for path in first.rows} != first.rows:
        raise SystemExit("a night with new studies changed the rows of others")
    n_series, ratio = len(first.rows), first.seconds / again.seconds
    return [
        Row(
            f"first run, {n_series} series",
            "",
            f"{first.seconds:.1f} s = {n_series / first.seconds:.1f} a second",
        ),
        Row(
            f"the same archive again, {n_series} series",
            f">= {LEAST_RATIO:g} x faster",
            f"{again.seconds:.1f} s = {ratio:.1f} x faster",
            ratio >= LEAST_RATIO,
        ),
        Row(
            f"with {n_new * SERIES_A_STUDY} series more",
            "",
            f"{more.seconds:.1f} s = {first.seconds / more.seconds:.1f} x faster",
        ),
        Row("the store", "", f"{(work / 'answers.db').stat().st_size / 1e6:.1f} MB"),
    ]


def classify(archive: Path, work: Path) -> Run:
    """Classify an archive into the store, as a process of its own."""
    table = work / "rows.csv"
    words = ("-m", "gadoscope", "classify", str(archive), "--output", str(table))
    start = time.monotonic()
    subprocess.run(
        (sys.executable, *words, "--store", f"sqlite:///{work / 'answers.db'}", "--quiet"), check=True
    )
    seconds = time.monotonic() - start
    with table.open(newline="", encoding="utf-8") as file:
        return Run(seconds, {row["path"]: row for row in csv.DictReader(file)})


if __name__ == "__main__":
    main()
