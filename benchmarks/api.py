"""The REST API under load: many clients that send slices at once, and a DICOM series sent whole.

    python -m benchmarks.api
    python -m benchmarks.api --clients 8 --seconds 3 --instances 12

A server of its own, `gadoscope serve` with the default model, is asked over sockets of this machine. Every
answer is compared with what the command line says of the same slice; what is neither an answer nor 429 ends
the benchmark. Memory is the server's, with its children's, from the first tenth of the time to the last.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

import gadoscope as gs
from benchmarks.processes import measure_memory_mb
from benchmarks.table import Row, begin_parser, finish
from gadoscope.labels import SeriesResult

CLASSIFY = "/api/v1/classify"
MOST_UPLOAD_S = 1.5
MOST_GROWTH = 1.10
"""Of memory, from the first tenth to the last: what is measured of two equal states differs by less."""
SAMPLE_S = 0.25
START_S = 60.0
SAID = ("status", "phase", "probability", "reason", "header_state", "header_quote", "agreement", "model")
Said = dict[str, Any]


def main() -> None:
    """Run the benchmark from a command line."""
    parser = begin_parser(__doc__)
    parser.add_argument("--clients", type=int, default=50, help="that send at once")
    parser.add_argument("--seconds", type=float, default=60.0, help="for which they do")
    parser.add_argument("--instances", type=int, default=176, help="of the series")
    parser.add_argument("--rounds", type=int, default=5, help="in which the series is sent")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        finish(measure(Path(name), arguments), arguments.rows)


def measure(work: Path, arguments: argparse.Namespace) -> list[Row]:
    """Return the rows."""
    gs.make_phantom(work / "slices", form="png", subjects=4, seed=1)
    slices = sorted((work / "slices").rglob("*.png"))
    command = [sys.executable, "-m", "gadoscope"]
    store = work / "answers.db"
    subprocess.run(
        [*command, "classify", slices[0], "--store", store, "--quiet"], check=True, stdout=subprocess.DEVNULL
    )
    expected = {path.name: _said(row) for path, row in zip(slices, gs.classify(slices, jobs=1), strict=True)}
    with serve([*command, "serve", str(store), "--port", "0"]) as (url, process):
        rows = _send_slices(url, process.pid, slices, expected, arguments)
        rows.append(_send_series(url, work, arguments))
    return rows


@contextmanager
def serve(command: list[str]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Yield the address of a server and its process, once it answers; end it afterwards."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None  # noqa: S101 — asked for above
        try:
            said = process.stderr.readline()
            address = re.search(r"http://\S+", said)
            if address is None:
                raise SystemExit(f"the server does not start: {said}{process.stderr.read()}")
            threading.Thread(target=process.stderr.read, daemon=True).start()  # or the pipe would fill
            httpx.get(f"{address[0]}readyz", timeout=START_S).raise_for_status()
            yield address[0].rstrip("/"), process
        finally:
            process.terminate()


def _send_slices(
    url: str, pid: int, slices: list[Path], expected: dict[str, Said], arguments: argparse.Namespace
) -> list[Row]:
    content = {path.name: path.read_bytes() for path in slices}
    statuses: Counter[int] = Counter()
    seconds: list[float] = []
    until = time.perf_counter() + arguments.seconds

    def send(number: int) -> None:
        with httpx.Client(base_url=url, timeout=START_S) as client:
            names = sorted(content)
            for step in range(number, sys.maxsize):
                if time.perf_counter() > until:
                    return
                name, began = names[step % len(names)], time.perf_counter()
                response = client.post(CLASSIFY, files=[("files", (name, content[name]))])
                statuses[response.status_code] += 1
                if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                    time.sleep(float(response.headers["retry-after"]))
                    continue
                seconds.append(time.perf_counter() - began)
                _compare(name, response, expected)

    memory: list[float] = []
    with ThreadPoolExecutor(arguments.clients) as pool:
        sent = [pool.submit(send, number) for number in range(arguments.clients)]
        while not all(one.done() for one in sent):
            memory.append(measure_memory_mb(pid))
            time.sleep(SAMPLE_S)
        for one in sent:
            one.result()
    tenth = max(1, len(memory) // 10)
    # What is loaded by the first requests is no growth: the first tenth is left out.
    first, last = (statistics.median(part) for part in (memory[tenth : 2 * tenth] or memory, memory[-tenth:]))
    name = f"{arguments.clients} clients, {arguments.seconds:g} s"
    median_ms, late_ms = (1000 * value for value in _quantiles(seconds))
    return [
        Row(
            f"slices answered, {name}", "no error but 429", f"{statuses[200]:,}; 429: {statuses[429]:,}", True
        ),
        Row("a slice, median and 95th percentile", "", f"{median_ms:.0f} ms, {late_ms:.0f} ms"),
        Row("answers equal to the command line's", "all", f"{statuses[200]:,} of {statuses[200]:,}", True),
        Row(
            "the server's memory, second tenth and last",
            "flat",
            f"{first:.0f} MB, {last:.0f} MB",
            last <= first * MOST_GROWTH,
        ),
    ]


def _send_series(url: str, work: Path, arguments: argparse.Namespace) -> Row:
    gs.make_phantom(work / "dicom", form="dicom", subjects=1, slices=arguments.instances, matrix=256, seed=1)
    folder = max(
        (path for path in (work / "dicom").rglob("*") if path.is_dir()),
        key=lambda one: len(list(one.iterdir())),
    )
    paths = sorted(path for path in folder.iterdir() if path.is_file())[: arguments.instances]
    files = [("files", (path.name, path.read_bytes())) for path in paths]
    (row,) = gs.classify(folder)
    times = []
    with httpx.Client(base_url=url, timeout=START_S) as client:
        for _ in range(arguments.rounds):
            began = time.perf_counter()
            response = client.post(CLASSIFY, files=files)
            times.append(time.perf_counter() - began)
            _compare("the series", response, {"the series": _said(row)})
    n_bytes = sum(len(content) for _, (_, content) in files)
    median = statistics.median(times)
    return Row(
        f"a series of {len(paths)} instances, {n_bytes / 2**20:.0f} MB, uploaded and answered",
        f"< {MOST_UPLOAD_S} s",
        f"{median:.2f} s",
        median < MOST_UPLOAD_S,
    )


def _compare(name: str, response: httpx.Response, expected: dict[str, Said]) -> None:
    if response.status_code != httpx.codes.OK:
        raise SystemExit(f"{name}: {response.status_code} {response.text}")
    (answer,) = response.json()["answers"]
    if {key: answer[key] for key in SAID} != expected[name]:
        raise SystemExit(f"{name}: the server and the command line differ: {answer} {expected[name]}")


def _said(row: SeriesResult) -> Said:
    return {key: getattr(row, key) for key in SAID}


def _quantiles(seconds: list[float]) -> tuple[float, float]:
    """Return the median and the 95th percentile."""
    cuts = statistics.quantiles(seconds, n=20)
    return cuts[9], cuts[18]


if __name__ == "__main__":
    main()
