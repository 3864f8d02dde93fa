"""The engine that sends a run's work to a Dask cluster; what comes back is what the plain path gives.

Discovery, the index of series and whatever keeps answers stay here. Files travel as paths, which every worker
has to see; a series travels as its packed headers. What lies in memory, and what was unpacked from a
compressed archive, is answered here.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from gadoscope.classification.engine import Take
from gadoscope.classification.inputs import Container
from gadoscope.classification.options import Progress, RunOptions
from gadoscope.classification.rows import Answer
from gadoscope.errors import UsageError
from gadoscope.extras import name_what_is_missing
from gadoscope.inference.default import find_default, is_default
from gadoscope.inference.session import Session
from gadoscope.reading.given import Input

if TYPE_CHECKING:
    from distributed import Client

    from gadoscope.cluster.tasks import Setup
    from gadoscope.reading.dicom.grouping.index import SeriesIndex

TASKS_PER_THREAD = 32
"""Under way for each thread of a worker: enough that one that takes long at the front keeps none waiting."""
MOST_TASKS = 2000
"""Under way in all: a study's packed headers are some 20 kB, so 40 MB."""


class DaskEngine:
    """The workers of a Dask cluster.

    Parameters
    ----------
    scheduler
        Address of a scheduler that runs already, such as ``tcp://host:8786``; ``None`` to start workers on
        this machine.
    workers
        How many to start on this machine, as processes of one thread.

    Raises
    ------
    UsageError
        If both are given, or none; or if `distributed` is not installed.
    """

    def __init__(self, scheduler: str | None = None, *, workers: int = 0) -> None:
        if (scheduler is None) == (not workers):
            raise UsageError("name the scheduler of a cluster, or a number of workers to start here.")
        if not isinstance(workers, int) or workers < 0:
            raise UsageError(f"workers = {workers!r}; expected a whole number, 1 or more.")
        with name_what_is_missing("a cluster", "cluster"):
            import distributed  # noqa: F401, PLC0415 — a base installation has none
        if scheduler is not None:
            from gadoscope.cluster.connect import check_address  # noqa: PLC0415 — as above

            check_address(scheduler)
        self._scheduler, self._workers = scheduler, workers

    def start(self, session: Session, options: RunOptions) -> "DaskWorkers":
        """Return workers for one run; errors as `open_client` and `check_workers`."""
        from gadoscope.cluster.checks import check_workers  # noqa: PLC0415 — needs distributed
        from gadoscope.cluster.connect import open_client  # noqa: PLC0415 — as above

        with ExitStack() as stack:
            client = stack.enter_context(open_client(self._scheduler, self._workers))
            setup = make_setup(session, options)
            check_workers(client, setup)
            return DaskWorkers(client, setup, session, options, stack.pop_all())


def make_setup(session: Session, options: RunOptions) -> "Setup":
    """Return what every task of a run is told."""
    from gadoscope.cluster.tasks import Setup  # noqa: PLC0415 — imports all that a worker needs

    path = session.bundle.path
    is_shipped = is_default(None) and path == find_default()
    return Setup(
        model="default" if is_shipped else str(path.absolute()),
        sha256=session.bundle.sha256,
        quote=options.quote,
        series_alone=options.series_alone,
        pictures=options.pictures,
        keeps=options.journal is not None,
        since=options.since,
    )


class DaskWorkers:
    """The cluster at work for one run."""

    is_here = False

    def __init__(
        self, client: "Client", setup: "Setup", session: Session, options: RunOptions, opened: ExitStack
    ) -> None:
        from gadoscope.cluster.files import FileWork  # noqa: PLC0415 — needs distributed
        from gadoscope.cluster.run import ClusterRun  # noqa: PLC0415 — as above
        from gadoscope.cluster.studies import StudyWork  # noqa: PLC0415 — as above

        self._opened = opened
        self._watch = options.watch or (lambda _: None)
        n_ahead = min(MOST_TASKS, TASKS_PER_THREAD * max(1, sum(client.nthreads().values())))
        run = ClusterRun(client, setup, session, options, n_ahead)
        self._files, self._studies = FileWork(run), StudyWork(run)

    def look(self, inputs: Iterable[Input], take: Take) -> Iterator[Answer | Container]:
        """Yield what became of inputs, as `Workers.look`."""
        return self._files.look(inputs, take)

    def answer(self, index: "SeriesIndex") -> Iterator[Answer]:
        """Yield an answer for each series, as `Workers.answer`."""
        n_series, n_done = index.n_series, 0

        def tick() -> None:
            self._watch(Progress(n_series=n_series, n_series_done=n_done))

        for answer in self._studies.answer(index, self._files.unpacked, tick):
            n_done += 1
            yield answer

    def close(self) -> None:
        """Let go of the cluster; one that was started here ends."""
        self._opened.close()
