"""A cluster of many workers, simulated from the times of tasks that were recorded here.

    python -m benchmarks.simulate_cluster
    python -m benchmarks.simulate_cluster --record ARCHIVE

The driver hands over tasks and takes their results one after the other, each at a cost; it has so many under
way as `gadoscope.cluster` has, and passes results on in order. Workers take what a recorded study took, drawn
anew for each task. What is simulated is that queue: no network, no disk, nobody dies.
"""

import heapq
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.table import Row, begin_parser, finish
from gadoscope.cluster.engine import MOST_TASKS, TASKS_PER_THREAD

RECORDED_S = (0.09, 0.09, 0.09, 0.09, 0.09, 0.10, 0.10, 0.10, 0.10, 0.11)
"""Processor time of a study of five series of 20 to 60 instances, by tenths: what `--record` printed."""
DRIVER_S = 0.0026
"""Processor time of the driver and the scheduler for a task: what `benchmarks.cluster` measures."""
SERIES_A_STUDY = 5
TASKS = 20_000
SEED = 24
WORKERS = (1, 10, 100, 1000)


def main() -> None:
    """Simulate, and print the rows."""
    parser = begin_parser(__doc__)
    parser.add_argument("--record", type=Path, metavar="ARCHIVE", help="print times of its studies by tenths")
    parser.add_argument("--driver-ms", type=float, default=DRIVER_S * 1000, help="of a task")
    options = parser.parse_args()
    if options.record:
        taken = sorted(record(options.record))
        print([round(value, 2) for value in statistics.quantiles(taken, n=11, method="inclusive")])
        return
    finish(describe(options.driver_ms / 1000), options.rows)


def describe(driver_s: float) -> list[Row]:
    """Return a row for each number of workers."""
    rows = []
    for n_workers in WORKERS:
        n_tasks = TASKS if n_workers > 1 else TASKS // 10
        wall, busy = simulate(n_workers, n_tasks, driver_s)
        rate = n_tasks / wall
        said = f"{rate:,.1f} studies and {rate * SERIES_A_STUDY:,.0f} series a second"
        rows.append(
            Row(
                f"{n_workers:,} workers",
                "",
                f"{said}; workers busy {busy:.0%}",
            )
        )
    return rows


def simulate(
    n_workers: int, n_tasks: int, driver_s: float, recorded_s: Sequence[float] = RECORDED_S
) -> tuple[float, float]:
    """Return the seconds that a run takes, and the part of them that its workers work.

    Parameters
    ----------
    n_workers, n_tasks
        Of one thread each; a study a task.
    driver_s
        For a task, half of it to hand it over and half to take its result.
    recorded_s
        Seconds of tasks, each as likely as the others.
    """
    chance = random.Random(SEED)  # noqa: S311 — no secret
    ahead = min(MOST_TASKS, TASKS_PER_THREAD * n_workers)
    free = [0.0] * n_workers  # when each worker has nothing to do
    driver = worked = 0.0
    ended: list[tuple[float, int]] = []  # of tasks whose result the driver has not taken
    taken: set[int] = set()
    n_sent = n_passed = 0
    while n_passed < n_tasks:
        if n_sent < n_tasks and n_sent - n_passed < ahead:
            driver += driver_s / 2
            takes = chance.choice(recorded_s)
            end = max(driver, heapq.heappop(free)) + takes
            heapq.heappush(free, end)
            heapq.heappush(ended, (end, n_sent))
            worked += takes
            n_sent += 1
            continue
        end, number = heapq.heappop(ended)
        driver = max(driver, end) + driver_s / 2
        taken.add(number)
        while n_passed in taken:
            taken.remove(n_passed)
            n_passed += 1
    return driver, worked / (driver * n_workers)


def record(archive: Path) -> Iterator[float]:
    """Yield the processor time of each study of an archive, as one task."""
    from gadoscope.classification.options import RunOptions  # noqa: PLC0415 — to record
    from gadoscope.classification.study.whole import StudyTask, answer_study  # noqa: PLC0415
    from gadoscope.inference.default import find_default  # noqa: PLC0415
    from gadoscope.inference.session import Session  # noqa: PLC0415
    from gadoscope.reading.dicom.grouping.identify import identify_series  # noqa: PLC0415
    from gadoscope.reading.dicom.grouping.index import SeriesIndex  # noqa: PLC0415
    from gadoscope.reading.discover import iter_inputs  # noqa: PLC0415
    from gadoscope.reading.scan import scan_group  # noqa: PLC0415

    session, options = Session(find_default()), RunOptions()
    with SeriesIndex() as index:
        index.add(scan_group(list(iter_inputs([archive]))).batches)
        identify_series(index)
        for number, entries in enumerate(index.iter_studies()):
            batches = [index.read_batches(entry.number) for entry in entries]
            began = time.process_time()
            answer_study(StudyTask(number, entries, batches), session, options)
            yield time.process_time() - began


if __name__ == "__main__":
    main()
