"""What the page of `classify --report` adds to a run of 1,000 series, and how large it is for 10,000.

    make bench
    python -m benchmarks.answers_page --keep pages

A few studies at a time are classified with and without what a page needs, in turn and in one process: each
pair lies within seconds, so a machine that is busy, or warm, is so for both, and the median of many pairs
counts: a busy machine takes no processor seconds away, but makes each do less. Counted are those of this
process and of its decoders. What writing the page takes comes once on top. The archive is that of
`benchmarks.scan_files`, seed 1: studies of five series of 20 instances of 64 x 64, so that little is read and
the page weighs as much as it can. The page of 10,000 is made of the rows of 100 series, each a hundred times
under other names, with every group of the page as full as it gets.
"""

import resource
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks.scan_files import SERIES_A_STUDY, Plan, make_archive
from benchmarks.table import Row, begin_parser, finish
from gadoscope.classification.classifier import Classifier
from gadoscope.classification.options import RunOptions
from gadoscope.classification.page import Page
from gadoscope.inference.default import DEFAULT_BUNDLE
from gadoscope.labels import Phase, PicturedResult, SeriesResult, Status
from gadoscope.results.ledger import AGREEMENTS, STUDY_WARNINGS

STUDIES, INSTANCES, MATRIX, ROUNDS = 40, 20, 64, 3
STUDIES_A_PAIR = 5
"""A second or two: shorter than what else a machine does, longer than its clock's steps."""
ASKED_SERIES, MOST_ADDED = 1_000, 0.10
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


@dataclass(frozen=True)
class Pair:
    """Processor seconds of a few series, without and with what a page needs."""

    without: float
    with_page: float


def main() -> None:
    """Measure and print."""
    parser = begin_parser(__doc__)
    parser.add_argument("--folder", type=Path, help="keep the archive here and use it again")
    parser.add_argument("--keep", type=Path, help="keep both pages in this folder, to look at them")
    parser.add_argument("--studies", type=int, default=STUDIES, help="of five series each")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="over all studies")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gadoscope-bench-") as temporary:
        work = Path(temporary)
        folder, pages = arguments.folder or work / "archive", arguments.keep or work
        pages.mkdir(parents=True, exist_ok=True)
        make_archive(Plan(studies=arguments.studies, matrix=MATRIX, most=INSTANCES), folder)
        studies = sorted(folder.glob("study-*"))
        with Classifier(DEFAULT_BUNDLE, 1) as classifier:
            options = RunOptions(pictures=True, series_alone=True)
            known = list(classifier.classify(studies[:LARGE_STUDIES], options=options))  # warms up, too
            pairs = list(measure_pairs(classifier, studies, arguments.rounds))
        rows = report_added(pairs, min(STUDIES_A_PAIR, len(studies)), known, pages / "page.html")
        rows.append(measure_large(known, pages / "page-large.html"))
    finish(rows, arguments.rows)


def measure_pairs(classifier: Classifier, studies: Sequence[Path], rounds: int) -> Iterator[Pair]:
    """Yield the pairs of all studies, those of the second round the other way round, and so on."""
    n_parts = len(studies) // STUDIES_A_PAIR or 1
    for number in range(rounds * n_parts):
        first = number % n_parts * STUDIES_A_PAIR
        part = studies[first : first + STUDIES_A_PAIR]
        turns = (False, True) if (number + number // n_parts) % 2 == 0 else (True, False)
        seconds = {with_page: count_seconds(classifier, part, with_page=with_page) for with_page in turns}
        yield Pair(seconds[False], seconds[True])


def count_seconds(classifier: Classifier, studies: Sequence[Path], *, with_page: bool) -> float:
    """Return the processor seconds of classifying, and of taking each row into a page."""
    before, page = _processor_seconds(), Page()
    for row in classifier.classify(studies, options=RunOptions(pictures=with_page)):
        if with_page:
            page.add(row)
    return _processor_seconds() - before


def report_added(pairs: Sequence[Pair], studies: int, known: Sequence[SeriesResult], path: Path) -> list[Row]:
    """Return what the pairs say of a run of `ASKED_SERIES`, whose page is written for it."""
    n = studies * SERIES_A_STUDY
    without_ms = 1000 * statistics.median(pair.without for pair in pairs) / n
    low, middle, high = (
        1000 * added / n
        for added in statistics.quantiles((pair.with_page - pair.without for pair in pairs), n=4)
    )
    page = Page()
    for number, row in enumerate(islice(cycle(known), ASKED_SERIES)):
        page.add(_rename(row, number, {}))
    before = _processor_seconds()
    page.write(path, "default")
    once_s = _processor_seconds() - before
    added = (middle + 1000 * once_s / ASKED_SERIES) / without_ms
    each = f"{middle:.1f} ms a series (quartiles {low:.1f} to {high:.1f})"
    return [
        Row(
            f"--report of {ASKED_SERIES:,} series, processor time: {len(pairs)} pairs of {n} series, "
            f"{without_ms:.1f} ms a series without it",
            f"< {MOST_ADDED:.0%} added",
            f"{added:+.1%}: {each}, {once_s:.2f} s once",
            added < MOST_ADDED,
        ),
        Row(f"page of {ASKED_SERIES:,} series", "", _megabytes(path)),
    ]


def measure_large(known: Sequence[SeriesResult], path: Path) -> Row:
    """Write the page of many rows, whose slices are those of a few series."""
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


def _processor_seconds() -> float:
    """Return the seconds of this process, and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main()
