"""Work that takes longer than a request may wait: done in the background, watched, ended when asked to."""

import secrets
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from gadoscope.classification.options import Progress
from gadoscope.errors import GadoscopeError
from gadoscope.labels import SeriesResult
from gadoscope.web.log import Log
from gadoscope.web.metrics import Metrics
from gadoscope.web.problems import Problem
from gadoscope.web.settings import Limits

AT_ONCE = 1
"""Jobs that run: one uses every core, and requests that wait for their answers come between."""
_ID_BYTES = 16
UNFORESEEN = "something went wrong that was not foreseen; the log of the server says where."


class JobState(StrEnum):
    """What became of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


OVER = (JobState.FINISHED, JobState.FAILED, JobState.CANCELLED)


class _CancelledError(Exception):
    """The job is to end."""


@dataclass(eq=False)
class Job:
    """One job; what changes is changed by its thread alone.

    Parameters
    ----------
    owner
        Key of who sent it: nobody else sees it.
    id
        Its name, which nobody guesses.
    """

    owner: str
    id: str = field(default_factory=lambda: secrets.token_urlsafe(_ID_BYTES))
    state: JobState = JobState.QUEUED
    progress: Progress = field(default_factory=Progress)
    answers: list[SeriesResult] = field(default_factory=list)
    fault: str = ""
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    ended: float | None = None
    is_cancelled: threading.Event = field(default_factory=threading.Event)

    def note(self, progress: Progress) -> None:
        """Take how far it is.

        Raises
        ------
        _CancelledError
            If it is to end.
        """
        self.progress = progress
        if self.is_cancelled.is_set():
            raise _CancelledError


Work = Callable[[Job], Iterable[SeriesResult]]
"""Does a job: yields its rows, and tells the job how far it is."""


class Jobs:
    """The jobs of one server. For several threads.

    Parameters
    ----------
    limits
        Of requests.
    log, metrics
        Hear how each ends.
    """

    def __init__(self, limits: Limits, log: Log, metrics: Metrics) -> None:
        self._limits, self._log, self._metrics = limits, log, metrics
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="job")

    def start(self, owner: str, work: Work, clean: Callable[[], None]) -> Job:
        """Return a new job, which waits for its turn.

        Parameters
        ----------
        owner
            Key of who sent it.
        work
            Does it.
        clean
            Called when it is over, however it ends.

        Raises
        ------
        Problem
            429, if its owner has too many already.
        """
        with self._lock:
            self._forget()
            n_open = sum(one.owner == owner and one.state not in OVER for one in self._jobs.values())
            if n_open >= self._limits.jobs:
                raise Problem(
                    429,
                    "too-many-jobs",
                    f"{n_open} jobs of yours wait or run already; wait for one, or cancel it.",
                    headers={"Retry-After": "10"},
                )
            job = Job(owner)
            self._jobs[job.id] = job
        self._pool.submit(self._run, job, work, clean)
        return job

    def find(self, owner: str, number: str) -> Job:
        """Return a job.

        Raises
        ------
        Problem
            404, if there is none, or it is somebody else's.
        """
        with self._lock:
            self._forget()
            job = self._jobs.get(number)
        if job is None or job.owner != owner:
            kept = self._limits.job_kept_seconds / 60
            raise Problem(
                404, "no-such-job", f"you have no such job; one is kept for {kept:.0f} min after its end."
            )
        return job

    def of(self, owner: str) -> list[Job]:
        """Return the jobs of one caller, the first one first."""
        with self._lock:
            self._forget()
            return [one for one in self._jobs.values() if one.owner == owner]

    def close(self) -> None:
        """End all jobs, and wait until they have ended."""
        with self._lock:
            for job in self._jobs.values():
                job.is_cancelled.set()
        self._pool.shutdown()

    def _forget(self) -> None:
        before = time.monotonic() - self._limits.job_kept_seconds
        old = [one.id for one in self._jobs.values() if one.ended is not None and one.ended < before]
        for number in old:
            del self._jobs[number]

    def _run(self, job: Job, work: Work, clean: Callable[[], None]) -> None:
        try:
            job.note(job.progress)
            job.state = JobState.RUNNING
            for row in work(job):
                job.answers.append(row)
                job.note(job.progress)
            job.state = JobState.FINISHED
        except _CancelledError:
            job.answers.clear()
            job.state = JobState.CANCELLED
        except (Problem, GadoscopeError) as error:
            job.fault, job.state = str(error), JobState.FAILED
        except Exception as error:  # whatever it is, the job is over and says so
            self._log.fault(error, job=job.id)
            job.fault, job.state = UNFORESEEN, JobState.FAILED
        finally:
            clean()
            job.ended = time.monotonic()
            self._metrics.jobs.labels(job.state.value).inc()
            self._log("job", job=job.id, state=job.state.value, answers=len(job.answers))
