"""How time and memory grow with the work: with series, with their length, with folders, files and frames.

    make bench
    python -m benchmarks.growth --quick

Each kind of work is made in several sizes and classified with the lesson's network, untrained: series of ten
instances of 32 x 32, in studies of five and all in one; twenty series of more and more instances; a chain of
folders, a few files in each; files in one folder; frames of one Enhanced MR object. What is measured is a
whole process with its children: seconds of the processor, the least of a few runs where they are short, and
the most memory of all together.

Time is fitted as ``start + each * n ** exponent``: a straight line has the exponent 1, whatever the start.
"""

import csv
import math
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.uid import ExplicitVRLittleEndian
from scipy.optimize import least_squares

from benchmarks.archive import write_lesson_bundle
from benchmarks.multi_frame import PLACES, write_object
from benchmarks.processes import run
from benchmarks.scan_files import SERIES_A_STUDY, Plan, make_archive, make_templates, write_series
from benchmarks.table import Row, begin_parser, finish
from gadoscope.labels import Phase, Plane

MATRIX = 32
"""What grows is what is measured, and not the pixels."""
INSTANCES, SERIES = 10, 20
"""Of a series, where series grow; series, where instances do."""
FILES_A_FOLDER = 5
MOST_LINKS = 30_000
"""Names of one file: fewer than any file system allows."""
MOST_EXPONENT, MOST_MB = 1.1, 500
RUNS, SHORT_S = 3, 3.0
"""A point is measured again while all its runs together are shorter."""
NOISE = 0.04
"""How far a time may lie from a line, as a share of it: as far as two runs of the same work lie apart."""


@dataclass(frozen=True)
class Kind:
    """What grows.

    Parameters
    ----------
    name
        In the plural.
    counts, quick
        How many, and how many in a quick run; the fewest first.
    make
        Writes so many into a folder.
    count_rows
        How many rows so many have.
    reason
        Why the line is not quite straight, where it cannot be.
    """

    name: str
    counts: tuple[int, ...]
    quick: tuple[int, ...]
    make: Callable[[Path, int], object]
    count_rows: Callable[[int], int]
    reason: str = ""


@dataclass(frozen=True)
class Point:
    """So many, and what they cost."""

    n: int
    seconds: float
    peak_mb: float


def main() -> None:
    """Measure and print."""
    parser = begin_parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes")
    parser.add_argument("--only", nargs="+", metavar="KIND", help=", ".join(kind.name for kind in KINDS))
    arguments = parser.parse_args()
    rows: list[Row] = []
    runs = 1 if arguments.quick else RUNS
    with tempfile.TemporaryDirectory(prefix="gadoscope-bench-") as temporary:
        bundle = write_lesson_bundle(Path(temporary) / "lesson.onnx")
        for kind in KINDS:
            if arguments.only is None or kind.name in arguments.only:
                counts = kind.quick if arguments.quick else kind.counts
                rows += describe(kind, [measure(kind, n, Path(temporary), bundle, runs) for n in counts])
    finish(rows, arguments.rows)


def measure(kind: Kind, n: int, work: Path, bundle: Path, runs: int) -> Point:
    """Make so many, classify them, and take them away."""
    folder = work / "growing"
    folder.mkdir()
    kind.make(folder, n)
    seconds: list[float] = []
    peaks: list[float] = []
    while len(seconds) < runs and sum(seconds) < SHORT_S:
        before = os.times()
        table = work / "answers.csv"
        finished = run(
            [
                sys.executable,
                "-m",
                "gadoscope",
                "classify",
                folder,
                "--model",
                bundle,
                "--output",
                table,
                "--quiet",
            ]
        )
        after = os.times()
        _check(table, kind.count_rows(n))
        seconds.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
        peaks.append(finished.peak_mb)
    shutil.rmtree(folder)
    print(f"{n:,} {kind.name}: {min(seconds):.2f} s, {max(peaks):.0f} MB", file=sys.stderr, flush=True)
    return Point(n, min(seconds), max(peaks))


def _check(table: Path, n_rows: int) -> None:
    """Make sure that nothing was left out: what fails is quick."""
    with table.open(newline="", encoding="utf-8") as file:
        statuses = Counter(row["status"] for row in csv.DictReader(file))
    if statuses.total() != n_rows or "failed" in statuses:
        raise SystemExit(f"expected {n_rows} rows, none failed, but the table holds {dict(statuses)}")


def describe(kind: Kind, points: Sequence[Point]) -> list[Row]:
    """Return a row for each size, and one for the line through them."""
    start, each, exponent = fit([one.n for one in points], [one.seconds for one in points])
    rows = [Row(f"{one.n:,} {kind.name}", "", f"{one.seconds:.2f} s, {one.peak_mb:.0f} MB") for one in points]
    least, most = (pick(one.peak_mb for one in points) for pick in (min, max))
    limit = f"{start:.1f} s to start" + (f"; {kind.reason}" if kind.reason else "")
    return [
        *rows,
        Row(
            f"{kind.name}: exponent of time (1: a straight line)",
            f"<= {MOST_EXPONENT:g}",
            f"{exponent:.2f}; {1000 * each * points[-1].n ** (exponent - 1):.2g} ms each",
            exponent <= MOST_EXPONENT,
            limit=limit,
        ),
        Row(
            f"{kind.name}: memory from the fewest to the most",
            f"< {MOST_MB} MB",
            f"{least:.0f} to {most:.0f} MB",
            most < MOST_MB,
        ),
    ]


def fit(counts: Sequence[int], seconds: Sequence[float]) -> tuple[float, float, float]:
    """Return the start, the cost of each and the exponent that fit best, relative to each time.

    A straight line that misses no time by more than `NOISE` is taken: where all the work is little beside the
    start, the best exponent is one of noise.
    """
    n, taken = np.array(counts, float), np.log(seconds)
    unit = n[-1]  # so that all three are near 1

    def miss(guess: np.ndarray) -> np.ndarray:
        start, all_, exponent = (*guess, 1.0)[:3]
        return np.asarray(np.log(start + all_ * (n / unit) ** exponent) - taken)

    line = least_squares(miss, (seconds[0], seconds[-1]), bounds=([0, 1e-9], np.inf))
    start, all_, exponent = *line.x, 1.0
    if np.abs(line.fun).max() > NOISE:
        best = least_squares(miss, (start, all_, 1.0), bounds=([0, 1e-9, 0.1], [np.inf, np.inf, 3]))
        start, all_, exponent = best.x
    return float(start), float(all_ / unit**exponent), float(exponent)


def make_series(folder: Path, n: int) -> None:
    """Write an archive of short series."""
    make_archive(Plan(studies=n // SERIES_A_STUDY, matrix=MATRIX, most=INSTANCES), folder / "archive")


def make_study(folder: Path, n: int) -> None:
    """Write ``n`` short series of one study, each of which may say something of the others."""
    templates = make_templates(
        Plane.AXIAL, Phase.POST_CONTRAST, ExplicitVRLittleEndian, matrix=MATRIX, most=INSTANCES
    )
    for number in range(n):
        write_series(templates, folder / f"{number:04}", study=0, number=number, count=INSTANCES)


def make_long_series(folder: Path, n: int) -> None:
    """Write a few series of ``n`` instances."""
    templates = make_templates(
        Plane.AXIAL, Phase.POST_CONTRAST, ExplicitVRLittleEndian, matrix=MATRIX, most=n
    )
    for number in range(SERIES):
        write_series(templates, folder / f"{number:02}", study=number, number=0, count=n)


def make_chain(folder: Path, n: int) -> None:
    """Make folders in folders, with some files of text in each."""
    for _ in range(n):
        folder /= "d"
        folder.mkdir()
        for number in range(FILES_A_FOLDER):
            (folder / f"{number}.txt").write_text("no image\n", encoding="utf-8")


def make_files(folder: Path, n: int) -> None:
    """Make one folder of ``n`` names, as long as a UID and in no order; of a few files that are text."""
    for number in range(n):
        place = folder / f"1.2.826.0.1.{number * 7919 % 10_000_019:08}.{number:09}.dcm"
        if number % MOST_LINKS == 0:
            first = place
            first.write_text("no image\n", encoding="utf-8")
        else:
            place.hardlink_to(first)


def make_object(folder: Path, n: int) -> None:
    """Write one multi-frame object."""
    write_object(folder / "object.dcm", n, MATRIX)


def count_volumes(n: int) -> int:
    """Return the rows of an object: one for each time point, and one for all where they are several."""
    n_volumes = math.ceil(n / PLACES)
    return n_volumes + (n_volumes > 1)


KINDS = (
    Kind("series", (10, 100, 1000, 10_000), (5, 25, 125), make_series, lambda n: n),
    Kind("series of one study", (10, 100, 1000), (5, 25, 125), make_study, lambda n: n),
    Kind(
        f"instances in each of {SERIES} series",
        (20, 200, 2000),
        (20, 60, 180),
        make_long_series,
        lambda _: SERIES,
    ),
    Kind(
        "folders in folders",
        (9, 90, 900),
        (9, 90, 900),
        make_chain,
        lambda n: n * FILES_A_FOLDER,
        "the system walks each path from its beginning",
    ),
    Kind(
        "files in one folder",
        (1000, 10_000, 100_000, 1_000_000),
        (300, 3000, 30_000),
        make_files,
        lambda n: n,
    ),
    Kind("frames of one object", (10, 100, 1000, 10_000), (20, 200, 2000), make_object, count_volumes),
)


if __name__ == "__main__":
    main()
