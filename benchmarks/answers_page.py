"""What the page of `classify --report` adds to a run of 1,000 series, and how large it is for 10,000.

    make bench
    python -m benchmarks.answers_page --keep pages

Classifies an archive of phantom DICOM with and without the page, in turn: first the one, then the other, then
the other way round. The archive is that of `benchmarks.scan_files`, seed 1: 200 studies of five series of 20
instances of 64 x 64, so that little is read and the page weighs as much as it can. Counted are processor
seconds of the command and its workers, of which a busy machine takes none away; the medians are compared. The
page of 10,000 is made of the rows of 100 series, each a hundred times under other names, with every group of
the page as full as it gets.
"""

import resource
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks.archive import run
from benchmarks.scan_files import SERIES_A_STUDY, Plan, make_archive
from benchmarks.table import Row, begin_parser, finish
from gadoscope.classification.classifier import classify
from gadoscope.classification.options import RunOptions
from gadoscope.classification.page import Page
from gadoscope.inference.default import DEFAULT_BUNDLE
from gadoscope.labels import Phase, PicturedResult, SeriesResult, Status
from gadoscope.results.ledger import AGREEMENTS, STUDY_WARNINGS

STUDIES, INSTANCES, MATRIX, ROUNDS = 200, 20, 64, 2
MOST_ADDED = 0.10
"""Of the run without the page."""
LARGE, LARGE_STUDIES = 10_000, 20
"""Rows of the large page, and the studies whose answers they repeat."""
MOST_MB = 20
KINDS: tuple[dict[str, Any], ...] = (
    {},
    {"agreement": AGREEMENTS[0]},
    {"warnings": (next(iter(STUDY_WARNINGS)),)},
    {"status": Status.INDETERMINATE, "phase": Phase.INDETERMINATE},
    {"warnings": ("something about the input is odd",)},
    {"status": Status.REFUSED, "phase": None, "probability": None, "reason": "not_t1_brain"},
)
"""What becomes of a row in the large page, in turn: each group of it is filled."""


def main() -> None:
    """Measure and print."""
    parser = begin_parser(__doc__)
    parser.add_argument("--folder", type=Path, help="keep the archive here and use it again")
    parser.add_argument("--keep", type=Path, help="keep both pages in this folder, to look at them")
    parser.add_argument("--studies", type=int, default=STUDIES, help="of five series each")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="each with and without the page")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gadoscope-bench-") as temporary:
        work = Path(temporary)
        folder, pages = arguments.folder or work / "archive", arguments.keep or work
        pages.mkdir(parents=True, exist_ok=True)
        make_archive(Plan(studies=arguments.studies, matrix=MATRIX, most=INSTANCES), folder)
        rows = measure_added(folder, pages / "page.html", arguments.studies, arguments.rounds)
        studies = sorted(folder.glob("study-*"))[:LARGE_STUDIES]
        rows.append(measure_large(studies, pages / "page-large.html"))
    finish(rows, arguments.rows)


def measure_added(folder: Path, page: Path, studies: int, rounds: int) -> list[Row]:
    """Classify with and without the page, in turn."""
    table = page.with_name("answers.csv")
    command = [sys.executable, "-m", "gadoscope", "classify", folder, "--quiet", "--output", table]
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for number in range(rounds):
        for with_page in (False, True) if number % 2 == 0 else (True, False):
            seconds[with_page].append(_count_seconds([*command, *(("--report", page) if with_page else ())]))
    without, with_ = (statistics.median(seconds[with_page]) for with_page in (False, True))
    added, n = with_ / without - 1, studies * SERIES_A_STUDY
    each = ", ".join(f"{one:.1f} and {other:.1f}" for one, other in zip(*seconds.values(), strict=True))
    return [
        Row(
            f"classify {n:,} series, processor seconds without and with --report ({rounds} rounds: {each})",
            f"< {MOST_ADDED:.0%} added",
            f"{1000 * without / n:.1f} and {1000 * with_ / n:.1f} ms a series: {added:+.1%}",
            added < MOST_ADDED,
        ),
        Row(f"page of {n:,} series", "", _megabytes(page)),
    ]


def measure_large(studies: Sequence[Path], path: Path) -> Row:
    """Write the page of many rows, whose slices are those of a few series."""
    options = RunOptions(pictures=True, series_alone=True)
    known = list(classify(studies, DEFAULT_BUNDLE, 1, options=options))
    page, kinds = Page(), cycle(KINDS)
    for number, row in enumerate(islice(cycle(known), LARGE)):
        page.add(_rename(row, number, next(kinds)))
    page.write(path, "default")
    size = path.stat().st_size / 2**20
    return Row(
        f"page of {LARGE:,} series, every group full", f"< {MOST_MB} MB", _megabytes(path), size < MOST_MB
    )


def _rename(row: SeriesResult, number: int, kind: dict[str, Any]) -> SeriesResult:
    """Return a row as another series of another study, of which something else became."""
    assert isinstance(row, PicturedResult)  # noqa: S101 - asked for above
    names: dict[str, Any] = {
        "path": f"archive/study-{number:05d}/series-1",
        "study_instance_uid": f"{row.study_instance_uid}.{number}",
        "series_instance_uid": f"{row.series_instance_uid}.{number}",
    }
    return replace(row, **names, **kind)


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 2**20:.1f} MB"


def _count_seconds(command: Sequence[object]) -> float:
    """Return the processor seconds of a command and of all that it waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
