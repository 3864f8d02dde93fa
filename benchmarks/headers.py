"""How long the header of a classic instance takes, beside opening its file alone and beside pydicom.

    make bench
    python -m benchmarks.headers

Instances of the archive's phantom, about 130 elements a header, in files that the system holds in memory.
Time of the processor, the least of many turns that read every file once; the ways take turns, so that a busy
machine is busy for all of them. Then whole processes from cold: a PNG, one series of 60 and of 176
instances, and a NIfTI volume of 176 slices, classified with the default, beside Python importing NumPy and
ONNX Runtime. Modules are compiled before, as those of an installation are.
"""

import csv
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from PIL import Image
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from benchmarks.default_latency import make_slice
from benchmarks.scan_files import make_templates, write_series
from benchmarks.table import Row, begin_parser, finish
from gadoscope.labels import Phase, Plane
from gadoscope.phantom.forms.cohort import Cohort, scan
from gadoscope.phantom.forms.nifti import write_nifti
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.at_once import scan_at_once
from gadoscope.reading.dicom.facts import read_facts
from gadoscope.reading.dicom.header import describe
from gadoscope.reading.dicom.parsed_facts import parse_facts
from gadoscope.reading.dicom.parsed_pixels import parse_pixel_header
from gadoscope.reading.dicom.pixel_header import read_pixel_header
from gadoscope.reading.dicom.raw_header import read_raw_header

MATRIX, INSTANCES = 256, 48
SERIES_LENGTHS = {60: 2.5, 176: 3.0}
"""Instances of a series, and how many times as long as the imports alone it may take from cold."""
LONGEST = max(SERIES_LENGTHS)
MOST_SLICE, MOST_VOLUME = 2.0, 4.0
"""The same of a PNG, and of a NIfTI volume of as many slices."""
MOST_HEADER_US, MOST_OPENINGS = 120.0, 6.0
READ_BYTES = 128 * 1024
"""Of each file, where it is only opened and read: what the header reader takes at most at first."""
IMPORTS = (sys.executable, "-c", "import numpy, onnxruntime")
MICRO = 1e6


def main() -> None:
    """Measure and print."""
    parser = begin_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="for each encoding")
    parser.add_argument("--starts", type=int, default=5, help="cold processes of each kind")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gadoscope-bench-") as folder:
        work = Path(folder)
        rows = [
            row
            for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
            for row in measure_headers(make_series(work, syntax, INSTANCES), syntax.name, arguments.seconds)
        ]
        finish(rows + measure_cold(work, arguments.starts), arguments.rows)


def make_series(work: Path, syntax: UID, count: int) -> Path:
    """Write one series and return its folder."""
    folder = work / f"{syntax.keyword}-{count}"
    templates = make_templates(Plane.SAGITTAL, Phase.POST_CONTRAST, syntax, matrix=MATRIX, most=LONGEST)
    write_series(templates, folder, study=0, number=0, count=count)
    return folder


def measure_headers(folder: Path, name: str, seconds: float) -> list[Row]:
    """Return microseconds a header, by each way."""
    ways: dict[str, Callable[[Source], object]] = {
        "open and read": _opened(lambda file: file.read(READ_BYTES)),
        "header": scan_at_once,  # as `classify` does it
        "header by pydicom": _opened(lambda file: describe(read_raw_header(file), "name")),
        "pixel header": _opened(read_pixel_header),
        "pixel header by pydicom": _opened(parse_pixel_header),
        "facts": _opened(read_facts),
        "facts by pydicom": _opened(parse_facts),
    }
    took = time_ways(ways, sorted(folder.iterdir()), seconds)
    opening, header = took["open and read"], took["header"]
    rows = [
        Row(
            f"{name}: a header, processor",
            f"<= {MOST_HEADER_US:g} us, {MOST_OPENINGS:g} x open and read",
            f"{header:.0f} us = {header / opening:.1f} x",
            header <= min(MOST_HEADER_US, MOST_OPENINGS * opening),
            limit=f"open and read {READ_BYTES // 1024} KiB: {opening:.0f} us",
        )
    ]
    for way in ("header", "pixel header", "facts"):
        ours, theirs = took[way], took[f"{way} by pydicom"]
        measured = f"{ours:.0f} us = {theirs / ours:.1f} x faster"
        rows.append(Row(f"{name}: {way}", "", measured, peer=f"pydicom: {theirs:.0f} us"))
    return rows


def _opened(read: Callable[[BinaryIO], object]) -> Callable[[Source], object]:
    def open_and_read(source: Source) -> object:
        with source.open() as file:
            return read(file)

    return open_and_read


def time_ways(
    ways: Mapping[str, Callable[[Source], object]], paths: Sequence[Path], seconds: float
) -> dict[str, float]:
    """Return for each way the microseconds of processor time a file, the least of all turns."""
    least = dict.fromkeys(ways, math.inf)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for name, read in ways.items():
            start = time.process_time()
            if any(read(Source(path)) is None for path in paths):
                raise SystemExit(f"not one way of reading may give up, but {name} did")
            least[name] = min(least[name], time.process_time() - start)
    return {name: MICRO * took / len(paths) for name, took in least.items()}


def measure_cold(work: Path, starts: int) -> list[Row]:
    """Return seconds of processor time that whole processes take, beside the imports alone."""
    inputs = make_cold_inputs(work)
    commands = {name: _classify(path, work / f"{name}.csv") for name, (path, _) in inputs.items()}
    imports: list[float] = []
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(starts + 1):
        import_s = _time_process(IMPORTS)
        took = {name: _time_process(command) for name, command in commands.items()}
        if turn:  # the first one compiles modules
            imports.append(import_s)
            for name, each in took.items():
                taken[name].append(each)
    least = statistics.median(imports)
    rows = []
    for name, (_, most) in inputs.items():
        _check_answered(work / f"{name}.csv")
        seconds = statistics.median(taken[name])
        rows.append(
            Row(
                f"{name} from cold, processor",
                f"<= {most:g} x the imports",
                f"{seconds:.2f} s = {seconds / least:.1f} x",
                seconds <= most * least,
                limit=f"importing NumPy and ONNX Runtime: {least:.2f} s",
            )
        )
    return rows


def make_cold_inputs(work: Path) -> dict[str, tuple[Path, float]]:
    """Return what is classified from cold, and how many times as long as the imports it may take."""
    slice_path = work / "slice.png"
    Image.fromarray(make_slice()).save(slice_path)
    done = scan(Cohort(subjects=1, seed=1, slices=LONGEST, matrix=MATRIX), 1)
    volume_path = write_nifti(done, work / "volume")[0][1]
    series = {
        f"one series of {count}": (make_series(work, ExplicitVRLittleEndian, count), most)
        for count, most in SERIES_LENGTHS.items()
    }
    return {"one PNG": (slice_path, MOST_SLICE), **series, "one .nii.gz": (volume_path, MOST_VOLUME)}


def _classify(folder: Path, table: Path) -> tuple[str, ...]:
    words = ("-m", "gadoscope", "classify", str(folder), "--output", str(table))
    return sys.executable, *words


def _check_answered(table: Path) -> None:
    with table.open(newline="", encoding="utf-8") as file:
        statuses = [row["status"] for row in csv.DictReader(file)]
    if statuses != ["answered"]:  # a refusal is quick
        raise SystemExit(f"expected one answer, but the table holds {statuses}")


def _time_process(command: Sequence[str]) -> float:
    """Return the processor time of a process and its children, s."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = os.times()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


if __name__ == "__main__":
    main()
