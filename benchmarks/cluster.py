"""The engine of a Dask cluster: tasks a second, the driver's memory, and the rate beside the plain path.

    python -m benchmarks.cluster
    python -m benchmarks.cluster --series 100000 --studies 200

Series whose headers are simulated are sent as real tasks, a study each, to two workers of this machine: each
opens its file, which is the same for all and is refused for its header. That is the least that a task can be,
so it shows what the driver can hand over. Then an archive is classified by two workers and by two threads,
by turns.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from pydicom import dcmread

from benchmarks.archive import write_lesson_bundle
from benchmarks.scan_files import Plan, make_archive
from benchmarks.table import Row, begin_parser, finish

SERIES, STUDIES = 20_000, 40
WORKERS = 2
LEAST_TASKS_A_SECOND, MOST_MEMORY_MB, LEAST_RATIO = 300, 500, 0.9
TURNS = 3


def main() -> None:
    """Measure, and print the rows."""
    parser = begin_parser(__doc__)
    parser.add_argument("--series", type=int, default=SERIES, help="tasks of simulated headers")
    parser.add_argument("--studies", type=int, default=STUDIES, help="of five series, classified both ways")
    parser.add_argument("--driver", nargs=2, metavar=("BUNDLE", "FILE"), help="be the driver")
    arguments = parser.parse_args()
    if arguments.driver:
        print(json.dumps(send_tasks(Path(arguments.driver[0]), Path(arguments.driver[1]), arguments.series)))
        return
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        bundle = write_lesson_bundle(work / "model.onnx")
        archive = work / "archive"
        make_archive(Plan(studies=arguments.studies, matrix=256, most=60), archive)
        refused = work / "refused.dcm"
        dataset = dcmread(next(iter(sorted(archive.rglob("*.dcm")))))
        dataset.Modality = "CT"
        dataset.save_as(refused)
        rows = measure_tasks(bundle, refused, arguments.series)
        finish([*rows, compare(bundle, archive, work)], arguments.rows)


def measure_tasks(bundle: Path, file: Path, n_series: int) -> list[Row]:
    """Return what a driver of its own process says of so many series."""
    command = [sys.executable, "-m", "benchmarks.cluster", "--series", str(n_series)]
    ended = subprocess.run(
        [*command, "--driver", str(bundle), str(file)], check=True, capture_output=True, text=True
    )
    said = json.loads(ended.stdout.splitlines()[-1])
    rate, memory = n_series / said["wall_s"], said["peak_mb"]
    return [
        Row(
            f"tasks a second, {n_series:,} series, {WORKERS} workers",
            f"at least {LEAST_TASKS_A_SECOND}",
            f"{rate:,.0f}",
            rate >= LEAST_TASKS_A_SECOND,
        ),
        Row("processor time of the driver a task", "", f"{said['cpu_s'] / n_series * 1000:.2f} ms"),
        Row(
            f"memory of the driver at {n_series:,} series",
            f"under {MOST_MEMORY_MB} MB",
            f"{memory:,.0f} MB",
            memory < MOST_MEMORY_MB,
        ),
    ]


def send_tasks(bundle: Path, file: Path, n_series: int) -> dict[str, float]:
    """Send a task for each of some simulated series; return seconds of wall and processor, and memory."""
    from gadoscope.classification.options import RunOptions  # noqa: PLC0415 — of the driver alone
    from gadoscope.cluster.engine import DaskEngine  # noqa: PLC0415
    from gadoscope.inference.session import Session  # noqa: PLC0415
    from gadoscope.reading.archives.sources import Source  # noqa: PLC0415
    from gadoscope.reading.dicom.grouping.batches import pack  # noqa: PLC0415
    from gadoscope.reading.dicom.grouping.index import SeriesIndex  # noqa: PLC0415
    from gadoscope.reading.dicom.header import scan_header  # noqa: PLC0415

    source = Source(file)
    with source.open() as opened:
        header = scan_header(opened, str(source))
    workers = DaskEngine(workers=WORKERS).start(Session(bundle), RunOptions())
    with SeriesIndex() as index:
        for number in range(n_series):
            uid = f"1.2.{number}"
            index.add(pack([(replace(header, study_instance_uid=uid, series_instance_uid=uid), source)]))
        began, cpu = time.monotonic(), time.process_time()
        n_answered = sum(1 for _ in workers.answer(index))
        wall, cpu = time.monotonic() - began, time.process_time() - cpu
    workers.close()
    if n_answered != n_series:
        raise SystemExit(f"{n_answered} answers of {n_series} series")
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return {"wall_s": wall, "cpu_s": cpu, "peak_mb": int(peak[1]) / 1024 if peak else 0.0}


def compare(bundle: Path, archive: Path, work: Path) -> Row:
    """Classify an archive with threads and with workers by turns; the rows have to be the same."""
    seconds: dict[str, list[float]] = {"--jobs": [], "--workers": []}
    tables = {}
    for turn in range(TURNS):
        for engine, taken in seconds.items():
            table = work / f"{turn}{engine}.csv"
            began = time.monotonic()
            command = [sys.executable, "-m", "gadoscope", "classify", str(archive), "--model", str(bundle)]
            subprocess.run([*command, "--output", str(table), "--quiet", engine, str(WORKERS)], check=True)
            taken.append(time.monotonic() - began)
            tables[engine] = table.read_text(encoding="utf-8")
    if len(set(tables.values())) > 1:
        raise SystemExit("the rows of the two engines differ")
    n_rows = len(tables["--jobs"].splitlines()) - 1
    plain, cluster = min(seconds["--jobs"]), min(seconds["--workers"])
    return Row(
        f"rate of {WORKERS} workers beside {WORKERS} threads, {n_rows:,} series, with the start of both",
        f"at least {LEAST_RATIO}",
        f"{plain / cluster:.2f} ({n_rows / cluster:.1f} a second)",
        plain / cluster >= LEAST_RATIO,
        peer=f"{n_rows / plain:.1f} a second",
    )


if __name__ == "__main__":
    main()
