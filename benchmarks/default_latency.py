"""How long the default bundle takes for one slice on one core, and how large it is.

    make bench
    python -m benchmarks.default_latency

A slice of the phantom, again and again, in one thread: the network alone in ONNX Runtime, and the image path
before it. Decoding a file is not in it.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.table import Row, begin_parser, finish
from gadoscope.inference.default import find_default
from gadoscope.inference.session import Session
from gadoscope.labels import Plane
from gadoscope.phantom.forms.cohort import Cohort, scan
from gadoscope.phantom.physics.acquire import window

MOST_MS, MOST_MB = 8.0, 8.0
WARM_UP = 20
"""Runs before the first that counts: ONNX Runtime allocates, the processor wakes up."""


def main() -> None:
    """Measure and print."""
    parser = begin_parser(__doc__)
    parser.add_argument("--model", type=Path, help="another bundle than the default")
    parser.add_argument("--runs", type=int, default=200)
    arguments = parser.parse_args()
    finish(measure(arguments.model or find_default(), arguments.runs), arguments.rows)


def measure(bundle: Path, runs: int) -> list[Row]:
    """Return milliseconds a slice and megabytes."""
    session = Session(bundle, threads=1)
    image_path = session.bundle.metadata.image_path
    pixels = make_slice()
    resized = image_path.resize_slice(pixels)[None]
    scaled = image_path.scale(resized)
    network_ms = time_median(lambda: session.answers(scaled), runs)
    path_ms = time_median(lambda: image_path.scale(image_path.resize_slice(pixels)[None]), runs)
    size_mb = bundle.stat().st_size / 1e6
    shape = " x ".join(map(str, pixels.shape))
    return [
        Row(
            f"network, a slice on one core, median of {runs}",
            f"<= {MOST_MS:g} ms",
            f"{network_ms:.1f} ms",
            network_ms <= MOST_MS,
        ),
        Row(f"image path before it, {shape} pixels", "", f"{path_ms:.1f} ms"),
        Row("bundle", f"<= {MOST_MB:g} MB", f"{size_mb:.1f} MB", size_mb <= MOST_MB),
    ]


def make_slice() -> NDArray[np.uint8]:
    """Return an axial slice through a synthetic brain, shape (row, column)."""
    done = scan(Cohort(subjects=1, seed=1, slices=1, plane=Plane.AXIAL, brain=True), 1)
    return window(done.series[0].signal[0], done.scanner)


def time_median(call: Callable[[], object], runs: int) -> float:
    """Return the median of ``runs`` calls, ms."""
    for _ in range(WARM_UP):
        call()
    seconds = []
    for _ in range(runs):
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    return 1000 * statistics.median(seconds)


if __name__ == "__main__":
    main()
