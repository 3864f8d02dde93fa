"""Jobs: how far they are, asked or told as they go, and their end."""

from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import Field

from gadoscope.web.api.answers import Answer, to_answer
from gadoscope.web.api.schemas import Said, problems
from gadoscope.web.jobs import OVER, Job, Jobs, JobState
from gadoscope.web.security.access import Scope
from gadoscope.web.security.identity import Caller, need

AT = "/api/v1/jobs"
SECONDS = 0.2
"""Between two looks at how far a job is."""

router = APIRouter(prefix="/jobs", tags=["jobs"])
Classifying = Annotated[Caller, Depends(need(Scope.CLASSIFY))]


class Far(Said):
    """How far a job is."""

    n_files: int = Field(description="Files that were looked at.", examples=[176])
    n_series: int | None = Field(description="DICOM series, once all files were looked at.", examples=[1])
    n_series_done: int = Field(examples=[0])


class JobView(Said):
    """A job; its answers stand there once it is finished."""

    id: str = Field(examples=["Zr1XbYw0f3qYcUeGkz4n9A"])
    state: JobState
    created: str = Field(examples=["2026-11-30T20:26:00+00:00"])
    progress: Far
    fault: str | None = Field(description="Why it failed.", examples=[None])
    answers: list[Answer] | None = None


class JobList(Said):
    """Jobs, without their answers."""

    jobs: list[JobView]


@router.get("", responses=problems(401, 403, 429))
def list_jobs(request: Request, caller: Classifying) -> JobList:
    """Return your jobs, the first one first."""
    jobs: Jobs = request.app.state.desk.jobs
    return JobList(jobs=[view_job(one, with_answers=False) for one in jobs.of(caller.key)])


@router.get("/{job_id}", responses=problems(401, 403, 404, 429))
def show_job(request: Request, job_id: str, caller: Classifying) -> JobView:
    """Return a job of yours, with its answers once it is finished."""
    return view_job(_find(request, job_id, caller))


@router.delete("/{job_id}", responses=problems(401, 403, 404, 429))
def cancel_job(request: Request, job_id: str, caller: Classifying) -> JobView:
    """End a job: what it has answered so far is dropped. One that is over stays as it is."""
    job = _find(request, job_id, caller)
    job.is_cancelled.set()
    return view_job(job)


def find_for_events(request: Request, job_id: str, caller: Classifying) -> Job:
    """Return the job whose events are asked for: before the answer begins, so that it can be a problem."""
    return _find(request, job_id, caller)


@router.get("/{job_id}/events", response_class=EventSourceResponse, responses=problems(401, 403, 404, 429))
async def watch_job(job: Annotated[Job, Depends(find_for_events)]) -> AsyncIterator[ServerSentEvent]:
    """Tell how far a job is, as server-sent events: `progress`, and at its end `end` with its state."""
    told: object = None
    while True:
        state, progress = job.state, job.progress
        if (state, progress) != told:
            told = (state, progress)
            name = "end" if state in OVER else "progress"
            yield ServerSentEvent(data=view_job(job, with_answers=False), event=name)
        if state in OVER:
            return
        await anyio.sleep(SECONDS)


def view_job(job: Job, *, with_answers: bool = True) -> JobView:
    """Return a job as the API says it."""
    is_whole = with_answers and job.state is JobState.FINISHED
    return JobView(
        id=job.id,
        state=job.state,
        created=job.created,
        progress=Far(
            n_files=job.progress.n_files,
            n_series=job.progress.n_series,
            n_series_done=job.progress.n_series_done,
        ),
        fault=job.fault or None,
        answers=[to_answer(row) for row in job.answers] if is_whole else None,
    )


def address_of(job: Job) -> str:
    """Return where a job is."""
    return f"{AT}/{job.id}"


def _find(request: Request, job_id: str, caller: Caller) -> Job:
    jobs: Jobs = request.app.state.desk.jobs
    return jobs.find(caller.key, job_id)
