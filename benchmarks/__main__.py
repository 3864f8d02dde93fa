"""All benchmarks in turn, each in a process of its own, and one page of what they found.

    make bench
    make bench-quick
    python -m benchmarks --quick --only headers growth --output page.md

A benchmark that fails, or takes too long, is a row that says so, and the others go on.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import describe_machine, is_busy, measure_load
from benchmarks.page import Circumstances, Result, render, show_seconds
from benchmarks.plan import PLAN, Benchmark
from benchmarks.table import Row, read_rows
from gadoscope.files import write_text

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
MOST_S, MOST_QUICK_S = 1800, 600
"""Of one benchmark: several times what it takes, so that one that hangs ends."""
MOST_LETTERS = 200
"""Of what a benchmark that failed said last."""


def main() -> None:
    """Run them, and write or print the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [benchmark.name for benchmark in PLAN]
    parser.add_argument("--quick", action="store_true", help="the same rows from smaller work: 6 minutes")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="some of them")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write the page here, not to the terminal"
    )
    parser.add_argument(
        "--peer-python", default="python3", metavar="FILE", help="Python that has TensorFlow, for `lesson`"
    )
    parser.add_argument("--peer", default="none", metavar="FILE", help="the lesson in Keras, for `lesson`")
    arguments = parser.parse_args()
    load = measure_load()
    how = Circumstances(
        command="make bench-quick" if arguments.quick else "make bench",
        date=f"{datetime.now(UTC):%d %B %Y, %H:%M} UTC",
        commit=_name_commit(),
        machine=describe_machine() | {"load before": f"{load:.1f}"},
        is_quick=arguments.quick,
        is_busy=is_busy(load),
    )
    results: list[Result] = []
    for benchmark in PLAN:
        if benchmark.name in arguments.only:
            results.append(run(benchmark, arguments))
            if arguments.output is not None:  # after each, for a whole run is long
                write_text(arguments.output, render(results, how))
    if arguments.output is None:
        print(render(results, how))
    print(f"{show_seconds(sum(result.seconds for result in results))} in all")


def run(benchmark: Benchmark, arguments: argparse.Namespace) -> Result:
    """Run one benchmark; whatever becomes of it, there are rows."""
    most_s = MOST_QUICK_S if arguments.quick else MOST_S
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="gadoscope-bench-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL runs as another user where this is root, in a folder below
        path = Path(folder) / "rows.json"
        options: list[object] = [*(benchmark.quick if arguments.quick else benchmark.whole), "--rows", path]
        if benchmark.name == "lesson":
            options += ["--peer-python", arguments.peer_python, "--peer", arguments.peer]
        command = [sys.executable, "-m", f"benchmarks.{benchmark.name}", *map(str, options)]
        said = _execute(command, folder, most_s)
        rows = read_rows(path) if path.exists() else [Row(benchmark.title, "figures", said, met=False)]
    seconds = time.perf_counter() - start
    print(f"{benchmark.name}: {len(rows)} rows in {show_seconds(seconds)}", flush=True)
    return Result(benchmark, tuple(rows), seconds)


def _execute(command: Sequence[str], folder: str, most_s: float) -> str:
    """Run a command whose own temporary files go into a folder, and return how it ended."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd=ROOT,
        env={**os.environ, "TMPDIR": folder},
        start_new_session=True,  # so that what it started ends with it
    )
    try:
        said, _ = process.communicate(timeout=most_s)
    except subprocess.TimeoutExpired:
        return f"stopped after {show_seconds(most_s)}"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    last = next(reversed(said.splitlines()), "")
    return f"failed with {process.returncode}: {last[:MOST_LETTERS]}"


def _name_commit() -> str:
    """Return the commit that was measured, and whether there was more than it holds."""
    commit = _ask_git("rev-parse", "--short", "HEAD")
    if not commit:
        return "a copy without its history"
    changed = [
        line for line in _ask_git("status", "--porcelain", "-uno").splitlines() if PAGE.name not in line
    ]
    return f"commit {commit}" + (" and changes that are not committed" if changed else "")


def _ask_git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, cwd=ROOT, check=False)
    except OSError:  # no git here
        return ""
    return done.stdout.rstrip()


if __name__ == "__main__":
    main()
