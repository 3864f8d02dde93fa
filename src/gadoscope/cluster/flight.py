"""Tasks under way on a cluster: a bounded number, and their results in order.

Dask gives a task to another worker where one died. After some deaths it gives up on all tasks that were on
their way to those workers, guilty or not: each of these is then tried alone, with nothing else under way.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar
from warnings import catch_warnings, simplefilter

from distributed import Client, Future
from distributed.scheduler import KilledWorker

from gadoscope.errors import ClusterError

Task = TypeVar("Task")
Result = TypeVar("Result")

TICK_S = 0.2
"""Between two looks at whether the user wants to stop, while no result comes."""
ASK_S = 5.0
"""Without a result, after which the scheduler is asked whether there are workers."""
PATIENCE_S = 60.0
"""Without any worker; batch systems and nannies start new ones in less."""
SUBMITTED_TOGETHER = 16
"""Tasks in one message to the scheduler: each message costs a millisecond, and a study may be megabytes."""
GATHERED_TOGETHER, GATHERED_S = 16, 0.05
"""Results asked for in one message, and how long the first of them waits for others, while the workers have
tasks enough: each message costs the driver and the workers some milliseconds."""
GONE = "What was answered stands in the store, or in the journal beside the table: run the command again."


class DiedError(Exception):
    """The workers that had a task died, each of them."""


@dataclass(frozen=True)
class Ready(Generic[Result]):
    """In the place of a task: its result, which was made here."""

    result: Result


@dataclass(frozen=True, kw_only=True)
class Course(Generic[Task, Result]):
    """What is done with tasks.

    Parameters
    ----------
    function
        What a worker does with one.
    alone
        Given a task whose workers died, and what runs a task while no other is under way, returns a result
        all the same; what it is given raises `DiedError`.
    tick
        Called while no result comes; may raise.
    follow
        Given a result, returns the task that follows it in its place, or ``None``.
    """

    function: Callable[[Task], Result]
    alone: Callable[[Task, Callable[[Task], Result]], Result]
    tick: Callable[[], None]
    follow: Callable[[Result], Task | None] = lambda result: None


@dataclass(eq=False)
class _Entry(Generic[Task, Result]):
    """A place in the order."""

    task: Task | None
    results: list[Result] = field(default_factory=list)
    future: "Future[Result] | None" = None  # while it is under way
    is_killed: bool = False


class Flight(Generic[Task, Result]):
    """Tasks of one course under way.

    Parameters
    ----------
    client
        Of the cluster.
    n_ahead
        How many may be under way.
    course
        What is done with them.
    """

    def __init__(self, client: Client, n_ahead: int, course: Course[Task, Result]) -> None:
        self._client, self._n_ahead, self._course = client, n_ahead, course
        self._under_way: deque[_Entry[Task, Result]] = deque()
        self._arrived: SimpleQueue[_Entry[Task, Result]] = SimpleQueue()

    def map(self, tasks: Iterable[Task | Ready[Result]]) -> Iterator[list[Result]]:
        """Yield the results of tasks in their order; of one that others followed, those of all."""
        rest = iter(tasks)
        try:
            while self._fill(rest):
                while self._under_way and self._under_way[0].future is None:
                    entry = self._under_way.popleft()
                    if entry.is_killed and entry.task is not None:
                        self._drain()
                        entry.results.append(self._course.alone(entry.task, self._run_alone))
                    yield entry.results
                    self._fill(rest)
                if self._under_way:
                    self._collect()
        finally:
            with suppress(OSError, RuntimeError):  # the client has given up: nothing is left to cancel
                self._client.cancel([one.future for one in self._under_way if one.future is not None])

    def _fill(self, rest: Iterator[Task | Ready[Result]]) -> bool:
        """Submit what there is room for; return whether anything is under way."""
        room = self._n_ahead - len(self._under_way)
        if room < SUBMITTED_TOGETHER and self._under_way:
            return True
        entries: list[_Entry[Task, Result]] = []
        for one in islice(rest, room):
            entries.append(_Entry(None, [one.result]) if isinstance(one, Ready) else _Entry(one))
            if len(entries) == SUBMITTED_TOGETHER:
                self._submit(entries)
                entries = []
        self._submit(entries)
        return bool(self._under_way)

    def _submit(self, entries: Sequence[_Entry[Task, Result]]) -> None:
        self._under_way.extend(entries)
        self._start([entry for entry in entries if entry.task is not None])

    def _start(self, entries: Sequence[_Entry[Task, Result]]) -> None:
        if not entries:
            return
        with catch_warnings():
            simplefilter("ignore", UserWarning)  # that a study's headers are many bytes
            try:
                futures = self._client.map(self._course.function, [one.task for one in entries], pure=False)
            except (OSError, RuntimeError) as error:  # as in `_has_workers`
                raise scheduler_is_gone() from error
        for entry, future in zip(entries, futures, strict=True):
            entry.future = future
            future.add_done_callback(lambda _, entry=entry: self._arrived.put(entry))

    def _collect(self) -> None:
        """Wait for results, and take some together."""
        arrived = [self._wait()]
        end = time.monotonic() + GATHERED_S
        while len(arrived) < GATHERED_TOGETHER and len(arrived) < len(self._under_way):
            try:
                arrived.append(self._arrived.get(timeout=max(0.0, end - time.monotonic())))
            except Empty:
                break
        following = []
        for entry, result in zip(arrived, self._gather(arrived), strict=True):
            entry.future = None
            if isinstance(result, DiedError):
                entry.is_killed = True
                continue
            entry.results.append(result)
            follows = self._course.follow(result)
            if follows is not None:
                entry.task = follows
                following.append(entry)
        self._start(following)

    def _wait(self) -> _Entry[Task, Result]:
        began = asked = seen = time.monotonic()
        while True:
            try:
                return self._arrived.get(timeout=TICK_S)
            except Empty:
                self._course.tick()
            now = time.monotonic()
            if now - asked > ASK_S:
                asked = now
                seen = now if self._has_workers() else seen
            if now - max(seen, began) > PATIENCE_S:
                raise ClusterError(f"the cluster has had no worker for {PATIENCE_S:.0f} s. {GONE}")

    def _has_workers(self) -> bool:
        try:
            return bool(self._client.nthreads())
        except (OSError, RuntimeError) as error:  # nobody listens, or the client has given up
            raise scheduler_is_gone() from error

    def _gather(self, entries: Sequence[_Entry[Task, Result]]) -> "list[Result | DiedError]":
        """Return results in one go; where something is wrong with one of them, one by one."""
        futures = [entry.future for entry in entries if entry.future is not None]
        if all(future.status == "finished" for future in futures):
            try:
                gathered: list[Result | DiedError] = self._client.gather(futures)
            except Exception:  # a worker died since; each future says how it came out
                return [self._take(future) for future in futures]
            return gathered
        return [self._take(future) for future in futures]

    def _take(self, future: "Future[Result]") -> "Result | DiedError":
        try:
            return future.result()
        except KilledWorker:
            return DiedError()
        except Exception as error:
            if future.status in ("cancelled", "lost"):
                raise scheduler_is_gone() from error
            raise

    def _drain(self) -> None:
        """Wait until nothing is under way any more; results stay in their places."""
        while any(entry.future is not None for entry in self._under_way):
            self._collect()

    def _run_alone(self, task: Task) -> Result:
        entry: _Entry[Task, Result] = _Entry(task)
        self._start([entry])
        (result,) = self._gather([self._wait()])
        if isinstance(result, DiedError):
            raise result
        return result


def scheduler_is_gone() -> ClusterError:
    """Return the error of it."""
    return ClusterError(f"the scheduler of the cluster is gone. {GONE}")
