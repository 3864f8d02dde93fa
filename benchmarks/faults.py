"""Kills at random moments of real runs on a cluster, into PostgreSQL, and the rows that are there in the end.

    make faults
    python -m benchmarks.faults --seed 2 --driver 20

Each trial is `gadoscope classify ARCHIVE --scheduler ADDRESS --store URL` into an empty database, with a
scheduler, two workers and a PostgreSQL of processes of their own. At a moment that is drawn from the seed,
one of them is killed (SIGKILL): a worker, the scheduler, the run itself, or PostgreSQL. What a place would
start again is started again (a worker at once, PostgreSQL after a second, a scheduler when the run has
ended), and where the run ended, the same command runs again. Then its table and its store have to equal
those of the undisturbed run: no row twice, none lost, none changed. A kill that came after the end of its
run does not count, and is repeated.
"""

import argparse
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.archive import write_lesson_bundle
from benchmarks.scan_files import Plan, make_archive
from benchmarks.table import Row, begin_parser, finish
from gadoscope.labels import SeriesResult
from gadoscope.results.store.store import Store
from tests.support.copies import Copy, start_with_files
from tests.support.dask_processes import DaskCluster, dask_cluster
from tests.support.postgresql import Server, find_free_port, run_server

WORKERS = 2
KILLS = {"worker": 20, "scheduler": 5, "driver": 5, "PostgreSQL": 3}
EARLIEST, LATEST = 0.02, 0.95
"""Of the undisturbed run: later ones would mostly come after its end."""
MOST_RUNS = 3
"""Of one command: one that was disturbed, the one after it, and one to spare."""
PAUSE_S = 1.0
"""Until PostgreSQL is started again."""
LOOK_S = 0.01


@dataclass(frozen=True)
class Answers:
    """What a command left: its table, and the rows of its store in an order of their own."""

    table: str
    rows: tuple[SeriesResult, ...]
    n_stored: int


@dataclass
class Tally:
    """What became of the kills of one kind."""

    moments: list[float] = field(default_factory=list)
    n_late: int = 0
    n_again: int = 0
    faults: list[str] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)
    """What runs said that ended by themselves before they were done."""

    def row(self, kind: str, n_rows: int) -> Row:
        """Return its figures."""
        n_equal = len(self.moments) - len(self.faults)
        span = f"{min(self.moments):.0%} to {max(self.moments):.0%}" if self.moments else "none"
        said = "; ".join(self.faults)
        return Row(
            f"{kind} killed, {len(self.moments)} times, at {span} of a run",
            f"the {n_rows} rows of a run in peace",
            f"equal {n_equal} of {len(self.moments)} times; run again {self.n_again} times"
            + (f"; too late and repeated {self.n_late}" if self.n_late else "")
            + (f"; differs {said}" if said else ""),
            not self.faults,
        )


class Place:
    """The archive, the bundle, the cluster and the server of all trials."""

    def __init__(self, work: Path, archive: Path, bundle: Path, cluster: DaskCluster, server: Server) -> None:
        self.cluster, self.server = cluster, server
        self._work, self._archive, self._bundle = work, archive, bundle
        self._n_trials = 0
        self.folder, self.url = work, ""

    def begin(self) -> None:
        """Make an empty database and an empty folder for the next trial."""
        self._n_trials += 1
        self.url = self.server.make_database(f"trial-{self._n_trials}")
        self.folder = self._work / f"trial-{self._n_trials}"

    def start(self) -> Copy:
        """Start the command, the same each time."""
        words = ("classify", self._archive, "--model", self._bundle, "--scheduler", self.cluster.address)
        ends = ("--store", self.url, "--output", self._work / "rows.csv", "--quiet")
        return start_with_files((*words, *ends), self.folder)

    def read(self) -> Answers:
        """Return what is there now."""
        store = Store(self.url)
        rows = tuple(sorted(store.rows(), key=lambda row: (row.path, str(row.volume_index))))
        return Answers((self._work / "rows.csv").read_text(), rows, store.count(all_versions=True, gone=True))

    def said(self) -> str:
        """Return the last thing that the command said."""
        lines = (self.folder / "stderr").read_text().strip().splitlines()
        return lines[-1] if lines else "nothing"


def main() -> None:
    """Kill, and print what became of it."""
    parser = begin_parser(__doc__)
    parser.add_argument("--studies", type=int, default=24, help="of the archive, each of five series")
    parser.add_argument("--seed", type=int, default=1, help="what the moments are drawn from")
    for kind, n_kills in KILLS.items():
        parser.add_argument(
            f"--{kind.lower()}", type=int, default=n_kills, metavar="N", help="how many kills"
        )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gadoscope-faults-") as name:
        rows = measure(Path(name), arguments)
    finish(rows, arguments.rows)
    if not all(row.met for row in rows if row.met is not None):
        raise SystemExit("rows were lost, changed or doubled")


def measure(work: Path, arguments: argparse.Namespace) -> list[Row]:
    """Return the rows of all kinds of kills."""
    archive, bundle = work / "archive", write_lesson_bundle(work / "model.onnx")
    make_archive(Plan(studies=arguments.studies, matrix=128, most=24), archive)
    chance = random.Random(arguments.seed)  # noqa: S311 — which moment is no secret
    with ExitStack() as stack:
        server = stack.enter_context(run_server())
        cluster = stack.enter_context(dask_cluster(work / "dask", find_free_port()))
        for _ in range(WORKERS):
            cluster.keep_worker()
        place = Place(work, archive, bundle, cluster, server)
        place.begin()
        peace, seconds = run_in_peace(place)
        rows = [Row(f"a run in peace, {len(peace.rows)} rows, {WORKERS} workers", "", f"{seconds:.1f} s")]
        for kind in KILLS:
            tally = Tally()
            while len(tally.moments) < getattr(arguments, kind.lower()):
                disturb(place, kind, chance.uniform(EARLIEST, LATEST), seconds, peace, tally)
            rows.append(tally.row(kind, len(peace.rows)))
            print(f"{rows[-1].name}: {rows[-1].measured}", flush=True)
            for words, n_times in tally.said.items():
                print(f"  {n_times} x {words}", flush=True)
    return rows


def run_in_peace(place: Place) -> tuple[Answers, float]:
    """Return what an undisturbed run leaves, and its seconds: of the second one, when workers are warm."""
    found: list[Answers] = []
    for _ in range(2):
        place.begin()
        began = time.monotonic()
        run = place.start()
        if run.wait():
            raise SystemExit(f"the undisturbed run failed: {place.said()}")
        seconds = time.monotonic() - began
        found.append(place.read())
    if found[0] != found[1]:
        raise SystemExit("two undisturbed runs differ")
    return found[1], seconds


def disturb(place: Place, kind: str, moment: float, seconds: float, peace: Answers, tally: Tally) -> None:
    """Run once with a kill at this moment, and again until it ends well; add to the tally."""
    place.begin()
    run = place.start()
    end = time.monotonic() + moment * seconds
    while time.monotonic() < end and run.poll() is None:
        time.sleep(LOOK_S)
    restore = kill(place, kind, run, moment) if run.poll() is None else None
    if restore is None:
        tally.n_late += 1
        run.wait()
        return
    codes = [run.wait()]
    said = [place.said()]
    restore()
    while codes[-1] and len(codes) < MOST_RUNS:
        run = place.start()
        codes.append(run.wait())
        said.append(place.said())
    tally.moments.append(moment)
    tally.n_again += len(codes) - 1
    tally.said.update(words for code, words in zip(codes, said, strict=True) if code > 0)
    fault = compare(peace, place, codes, said)
    if fault:
        tally.faults.append(f"at {moment:.2f}: {fault}")


def kill(place: Place, kind: str, run: Copy, moment: float) -> Callable[[], None] | None:
    """Kill one of the kind; return what starts it again when the run has ended, None if there was none."""
    if kind == "worker":
        workers = place.cluster.find_workers()
        if not workers:
            return None
        os.kill(workers[int(moment * 1e6) % len(workers)], signal.SIGKILL)
    elif kind == "scheduler":
        place.cluster.scheduler.kill()
        return place.cluster.start_scheduler
    elif kind == "driver":
        run.kill()
    else:
        place.server.kill()
        time.sleep(PAUSE_S)
        place.server.start()
    return _nothing


def _nothing() -> None:
    """Start nothing: it is there already."""


def compare(peace: Answers, place: Place, codes: Sequence[int], said: Sequence[str]) -> str:
    """Return in what a trial differs from the run in peace; empty if in nothing."""
    if codes[-1]:
        return f"ended with {codes}: {said[-1]}"
    here = place.read()
    if here.n_stored != peace.n_stored:
        return (
            f"the store holds {here.n_stored} answers in place of {peace.n_stored} (runs ended with {codes})"
        )
    if here.rows != peace.rows:
        n_changed = len(set(here.rows) ^ set(peace.rows))
        return f"{n_changed} rows of the store differ (runs ended with {codes})"
    if here.table != peace.table:
        lines = zip(here.table.splitlines(), peace.table.splitlines(), strict=False)
        first = next((pair for pair in lines if pair[0] != pair[1]), ("", ""))
        return f"the table differs, first {first[0]!r} (runs ended with {codes})"
    return ""


if __name__ == "__main__":
    main()
