"""An archive of phantom DICOM, classified, beside the plain script that one would write instead.

    make bench
    python -m benchmarks.archive --folder /data/bench --large

Makes 200 studies of five T1 series (20-180 instances of 256 x 256, mixed transfer syntaxes, about 150
elements a header), classifies them with the lesson's network, untrained, and prints one table with what was
asked for and what was measured. Files are read once before the clock starts. Memory is that of the process
and all its children together. Ratios to the plain script matter; seconds drift with the machine.
"""

import csv
import shutil
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydicom.uid import ExplicitVRLittleEndian

from benchmarks.processes import Finished, run
from benchmarks.scan_files import SERIES_A_STUDY, Plan, make_archive, make_templates, write_series
from benchmarks.table import Row, begin_parser, finish
from gadoscope.decision.decision import Decision, LevelDecision
from gadoscope.decision.operating_point import OperatingPoint
from gadoscope.imaging.intensity import ImagePath
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.inference.bundle import BundleMetadata
from gadoscope.labels import Phase, Plane

STUDIES, LARGE_STUDIES = 200, 2000
LARGE_MATRIX = 64
"""A million instances of 256 x 256 would fill a disk; what costs memory is their number."""
FEW = 10
"""Time is measured on a tenth of an archive too: it has to grow in proportion."""
COLD_INSTANCES, COLD_STARTS = 176, 5
LEAST_SERIES_A_SECOND, MOST_MEMORY_MB, MOST_COLD_S = 15, 500, 0.7
MOST_GROWTH = 1.15
"""Of the time a series, from the tenth to the whole: noise of a busy machine, and no more."""
READ_BYTES = 2**20


def main() -> None:
    """Measure and print."""
    parser = begin_parser(__doc__)
    parser.add_argument("--folder", type=Path, help="keep the archives here and use them again")
    parser.add_argument("--studies", type=int, default=STUDIES, help="of five series each")
    parser.add_argument("--most", type=int, default=180, help="instances of the longest series")
    parser.add_argument("--large", action="store_true", help=f"also {LARGE_STUDIES * SERIES_A_STUDY} series")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gadoscope-bench-") as temporary:
        work = Path(temporary)
        folder = arguments.folder or work
        bundle = write_lesson_bundle(work / "lesson.onnx")
        rows = measure_archive(
            Plan(studies=arguments.studies, most=arguments.most), folder / "archive", bundle, with_peer=True
        )
        if arguments.folder is None:
            shutil.rmtree(folder / "archive")
        rows += measure_cold_start(folder / "one", bundle, most=min(arguments.most, COLD_INSTANCES))
        if arguments.large:
            plan = Plan(studies=LARGE_STUDIES, most=arguments.most, matrix=LARGE_MATRIX)
            rows += measure_archive(plan, folder / "large", bundle, with_peer=False)
            if arguments.folder is None:
                shutil.rmtree(folder / "large")
    finish(rows, arguments.rows)


def write_lesson_bundle(path: Path) -> Path:
    """Write the lesson's network with the weights that training begins with: time does not depend on them."""
    from gadoscope.models.siim import Siim  # noqa: PLC0415 - torch, only here
    from gadoscope.training.export import export_bundle  # noqa: PLC0415

    point = OperatingPoint(
        threshold=0.5, lower=0.5, upper=0.5, rule="by hand", chosen_on="nothing: for timing"
    )
    model = Siim()
    metadata = BundleMetadata(
        name="lesson-untrained",
        network="siim",
        n_parameters=sum(parameter.numel() for parameter in model.parameters()),
        image_path=ImagePath(size=331),
        slice_policy=SlicePolicy(),
        planes=(),
        decision=Decision(of_slice=LevelDecision(point=point)),
        licence="Apache-2.0",
    )
    export_bundle(model, path, metadata)
    return path


def measure_archive(plan: Plan, folder: Path, bundle: Path, *, with_peer: bool) -> list[Row]:
    """Classify a tenth of an archive, all of it, and the tenth with the plain script."""
    n_instances = make_archive(plan, folder)
    studies = sorted(folder.glob("study-*"))
    _read_once(folder)
    tenth = studies[: max(1, len(studies) // FEW)]
    n_few, n_all = len(tenth) * SERIES_A_STUDY, plan.n_series
    few, all_ = (_classify(part, bundle, n) for part, n in ((tenth, n_few), (studies, n_all)))
    rate, few_rate = n_all / all_.wall_s, n_few / few.wall_s
    name = f"{n_all:,} series of {n_instances:,} instances, {plan.matrix} x {plan.matrix}"
    growth = few_rate / rate
    rows = [
        Row(
            f"classify {name}",
            f">= {LEAST_SERIES_A_SECOND} series/s",
            f"{rate:.1f} series/s, {n_instances / all_.wall_s:.0f} instances/s",
            rate >= LEAST_SERIES_A_SECOND,
        ),
        Row(
            f"time a series, {n_few:,} and {n_all:,}",
            f"<= {MOST_GROWTH:g} x",
            f"{1000 / few_rate:.0f} and {1000 / rate:.0f} ms = {growth:.2f} x",
            growth <= MOST_GROWTH,
        ),
        Row(
            f"peak memory, {n_few:,} and {n_all:,} series",
            f"< {MOST_MEMORY_MB} MB",
            f"{few.peak_mb:.0f} and {all_.peak_mb:.0f} MB",
            max(few.peak_mb, all_.peak_mb) < MOST_MEMORY_MB,
        ),
    ]
    if with_peer:
        peer = run([sys.executable, "-m", "benchmarks.naive", bundle, *tenth])
        peer_rate = n_few / peer.wall_s
        rows.append(
            Row(
                f"classify {n_few:,} series",
                "",
                f"{few_rate:.1f} series/s = {few_rate / peer_rate:.1f} x, {few.peak_mb:.0f} MB",
                peer=f"a plain pydicom script: {peer_rate:.1f} series/s, {peer.peak_mb:.0f} MB",
            )
        )
    return rows


def measure_cold_start(folder: Path, bundle: Path, *, most: int) -> list[Row]:
    """Classify one series again and again, each time with a new process."""
    shutil.rmtree(folder, ignore_errors=True)
    templates = make_templates(
        Plane.SAGITTAL, Phase.POST_CONTRAST, ExplicitVRLittleEndian, matrix=256, most=most
    )
    count = write_series(templates, folder, study=0, number=0, count=most)
    starts = [_classify([folder], bundle, 1) for _ in range(COLD_STARTS)]
    cold_s = statistics.median(start.wall_s for start in starts)
    return [
        Row(
            f"one series of {count} instances from a cold start",
            f"< {MOST_COLD_S:g} s",
            f"{cold_s:.2f} s",
            cold_s < MOST_COLD_S,
        )
    ]


def _read_once(folder: Path) -> None:
    """Have the system keep the files in memory: whoever came first would else pay for the disk alone."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                while file.read(READ_BYTES):
                    pass


def _classify(folders: Sequence[Path], bundle: Path, n_series: int) -> Finished:
    """Classify folders, and make sure that every series was answered: a refusal is quick."""
    with tempfile.TemporaryDirectory(prefix="gadoscope-bench-") as temporary:
        table = Path(temporary) / "answers.csv"
        finished = run(
            [sys.executable, "-m", "gadoscope", "classify", *folders, "--model", bundle, "--output", table]
        )
        with table.open(newline="", encoding="utf-8") as file:
            statuses = Counter(row["status"] for row in csv.DictReader(file))
    if statuses != {"answered": n_series}:
        raise SystemExit(f"expected {n_series} answers, but the table holds {dict(statuses)}")
    return finished


if __name__ == "__main__":
    main()
