"""Classify thousands of damaged files in child processes; every one becomes a row, none crashes or hangs.

    python -m tests.fuzz.campaign --seconds 60
    python -m tests.fuzz.campaign --first 4711 --cases 1 --keep damaged/

A case is a number: the same number makes the same file. A child that dies or hangs costs its case, which
is reported as a fault, and another child goes on with the next.
"""

import argparse
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.fuzz.case import LIMIT_S, write_case

START_S = 120.0
"""A child imports and makes its seeds first, and unloads all at its end, on a machine that may be busy."""
GRACE_S = 2.0
"""Beyond the limit, for the child's own bookkeeping, before it is killed."""
CASES_A_CHILD = 500
COMPLAINT = 2000
"""Characters quoted of what a dying child wrote."""
N_CASES = 2000
MOST_CASES = 10**9
WORKER = ("-m", "tests.fuzz.worker")


@dataclass
class Campaign:
    """What was found so far."""

    n_cases: int = 0
    n_rows: int = 0
    slowest_s: float = 0.0
    most_memory_mb: float = 0.0
    faults: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: dict[str, object]) -> None:
        """Count one case."""
        self.n_cases += 1
        self.n_rows += int(str(outcome["n_rows"]))
        self.slowest_s = max(self.slowest_s, float(str(outcome["seconds"])))
        self.most_memory_mb = max(self.most_memory_mb, float(str(outcome["memory_mb"])))
        for name in ("faults", "reasons"):
            values = outcome[name]
            assert isinstance(values, list)
            if name == "faults":
                self.faults += [f"case {outcome['number']}: {fault}" for fault in values]
            else:
                self.reasons.update(values)

    def fail(self, number: int, fault: str) -> None:
        """Count one case that gave no outcome."""
        self.n_cases += 1
        self.faults.append(f"case {number}: {fault}")


def run_campaign(
    folder: Path, *, first: int, cases: int, jobs: int, deadline: float, step: int = 1
) -> Campaign:
    """Run every ``step``-th case from ``first`` on, ``cases`` in all, in ``jobs`` children.

    None begins after ``deadline`` (monotonic seconds).
    """
    campaign, lock, end = Campaign(), threading.Lock(), first + step * cases
    threads = [
        threading.Thread(
            target=_run_every, args=(campaign, lock, folder, first + step * job, end, step * jobs, deadline)
        )
        for job in range(min(jobs, cases))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return campaign


def _run_every(
    campaign: Campaign,
    lock: threading.Lock,
    folder: Path,
    first: int,
    end: int,
    step: int,
    deadline: float,
) -> None:
    """Run ``first, first + step, ...`` below ``end`` in one child after the other."""
    following = first
    while following < end and time.monotonic() < deadline:
        count = min(CASES_A_CHILD, len(range(following, end, step)))
        started: int | None = None
        for message in _iter_messages(folder, following, step, count, deadline):
            with lock:
                if "fault" in message:
                    campaign.fail(started if started is not None else following, str(message["fault"]))
                elif "n_rows" in message:
                    campaign.add(message)
                else:
                    started = int(str(message["number"]))
        following = (started if started is not None else following + step * count) + step


def _iter_messages(
    folder: Path, first: int, step: int, count: int, deadline: float
) -> Iterator[dict[str, object]]:
    """Start a child and yield what it says; last, perhaps, a fault: how it ended before its time."""
    command = [sys.executable, *WORKER, str(folder), str(first), str(step), str(count)]
    lines: queue.Queue[str] = queue.Queue()
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True) as child,
    ):
        assert child.stdout is not None
        reader = threading.Thread(target=_copy_lines, args=(child.stdout, lines))
        reader.start()
        patience, left = START_S, count
        try:
            while line := lines.get(timeout=patience):
                yield json.loads(line)
                left -= "n_rows" in line
                patience = LIMIT_S + GRACE_S if left else START_S
                if time.monotonic() > deadline and "n_rows" in line:
                    child.kill()
                    return
        except queue.Empty:
            child.kill()
            yield {"fault": f"hung for {patience:.0f} s"}
            return
        finally:
            child.wait()
            reader.join()
        if child.returncode:
            complaints.seek(0)
            yield {"fault": f"the process ended with {child.returncode}: {complaints.read()[-COMPLAINT:]}"}


def _copy_lines(source: IO[str], lines: "queue.Queue[str]") -> None:
    for line in source:
        lines.put(line)
    lines.put("")


def describe(campaign: Campaign, seconds: float) -> str:
    """Return the summary, faults last."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in campaign.reasons.most_common())
    lines = [
        f"{campaign.n_cases} damaged files in {seconds:.0f} s: {campaign.n_rows} rows, "
        f"slowest {campaign.slowest_s:.2f} s, {campaign.most_memory_mb:.0f} MB, "
        f"{len(campaign.faults)} faults",
        f"rows: {reasons}",
        *campaign.faults,
    ]
    return "\n".join(lines)


def main() -> None:
    """Run a campaign from the command line; exit code 1 where a fault was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cases", type=int, help=f"default: {N_CASES}, or as many as --seconds allows where that is given"
    )
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seconds", type=float, help="go on no longer than this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path, help="write the files of the cases here instead of running them")
    arguments = parser.parse_args()
    cases = arguments.cases or (N_CASES if arguments.seconds is None else MOST_CASES)
    if arguments.keep:
        for number in range(arguments.first, arguments.first + cases):
            print(write_case(number, arguments.keep / f"case-{number:06d}"))
        return
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gadoscope-fuzz-") as folder:
        campaign = run_campaign(
            Path(folder),
            first=arguments.first,
            cases=cases,
            jobs=arguments.jobs,
            deadline=start + (arguments.seconds or float("inf")),
        )
    print(describe(campaign, time.monotonic() - start))
    sys.exit(1 if campaign.faults else 0)


if __name__ == "__main__":
    main()
