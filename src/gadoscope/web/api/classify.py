"""`POST /classify`: an upload is answered at once, or becomes a job."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, ValidationError

from gadoscope.classification.options import Progress
from gadoscope.labels import SeriesResult
from gadoscope.parallel import count_jobs
from gadoscope.web.answering import Answering, find_below
from gadoscope.web.api.answers import Answers, to_answer
from gadoscope.web.api.jobs import JobView, address_of, view_job
from gadoscope.web.api.schemas import Said, problems
from gadoscope.web.jobs import Job, Jobs
from gadoscope.web.problems import Problem
from gadoscope.web.security.access import Scope
from gadoscope.web.security.identity import Caller, need
from gadoscope.web.settings import Limits
from gadoscope.web.uploads import FIELD, Upload, receive_uploads

AT = "/classify"
JSON = "application/json"
_LATER = "respond-async"
"""RFC 7240: whoever asks does not want to wait."""


class NamedPath(Said):
    """A path that the server can read, in place of an upload."""

    path: str = Field(min_length=1, max_length=4096, examples=["/archive/2026/study-113"])


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "additionalProperties": False,
                    "properties": {
                        FIELD: {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "contentMediaType": "application/octet-stream"},
                        }
                    },
                }
            },
            JSON: {"schema": NamedPath.model_json_schema()},
        },
    }
}


router = APIRouter(tags=["classify"])


@dataclass(frozen=True)
class Desk:
    """What `POST /classify` needs while the server runs.

    Parameters
    ----------
    answering
        Answers.
    jobs
        Do so in the background.
    folder
        Where uploads lie meanwhile.
    limits
        Of requests.
    turns
        As many as are answered at once.
    """

    answering: Answering
    jobs: Jobs
    folder: Path
    limits: Limits
    turns: CapacityLimiter

    @classmethod
    def open(cls, answering: Answering, jobs: Jobs, folder: Path, limits: Limits) -> "Desk":
        """Return one whose queue is empty."""
        return cls(answering, jobs, folder, limits, CapacityLimiter(count_jobs(limits.at_once)))

    def check_queue(self) -> None:
        """Raise a Problem if too many wait: before their bodies are read, which would fill the disk."""
        if self.turns.statistics().tasks_waiting >= self.limits.waiting:
            raise Problem(
                429,
                "too-many-at-once",
                f"{self.limits.waiting} uploads wait for their turn already; ask again in a second.",
                headers={"Retry-After": "1"},
            )


@router.post(
    AT,
    responses={
        202: {"model": JobView, "description": "It became a job; `Location` says where."},
        **problems(400, 401, 403, 413, 415, 422, 429, 503, 507),
    },
    response_model=Answers,
    openapi_extra=_BODY,
)
async def classify(
    request: Request, caller: Annotated[Caller, Depends(need(Scope.CLASSIFY))]
) -> Response | Answers:
    """Tell the contrast phase of what is sent: DICOM files, a zip of them, NIfTI volumes, slice images.

    Several files are answered together, as those of a folder are: instances of a series become one answer.
    What is larger than the server answers at once, and what is sent with `Prefer: respond-async`, becomes a
    job. A path below a folder that the server allows may be named as JSON, in place of an upload.
    """
    desk: Desk = request.app.state.desk
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == JSON:
        return _answer_path(desk, request, caller, await request.body())
    desk.check_queue()
    folder = Path(tempfile.mkdtemp(dir=desk.folder))
    is_handed_over = False
    try:
        uploads = await receive_uploads(request, folder, desk.limits.files)
        work = partial(desk.answering.uploads, uploads)
        if not _is_for_later(request, uploads, desk.limits):
            desk.check_queue()
            rows = await to_thread.run_sync(partial(_list, work), limiter=desk.turns)
            return Answers(answers=[to_answer(row) for row in rows])
        job = desk.jobs.start(caller.key, lambda job: work(job.note), partial(_remove, folder))
        is_handed_over = True
        return _accept(job)
    finally:
        if not is_handed_over:
            await to_thread.run_sync(_remove, folder)


def _answer_path(desk: Desk, request: Request, caller: Caller, body: bytes) -> Response:
    try:
        asked = NamedPath.model_validate_json(body)
    except ValidationError:
        raise Problem(422, "invalid-request", 'name a path as {"path": "..."}, and nothing else.') from None
    path = find_below(asked.path, request.app.state.settings.roots)

    def work(job: Job) -> Iterator[SeriesResult]:
        return desk.answering.path(path, job.note)

    return _accept(desk.jobs.start(caller.key, work, lambda: None))


def _is_for_later(request: Request, uploads: list[Upload], limits: Limits) -> bool:
    asked = [one.strip().lower() for one in request.headers.get("prefer", "").split(",")]
    return _LATER in asked or sum(one.n_bytes for one in uploads) > limits.inline_bytes


def _accept(job: Job) -> Response:
    view = view_job(job)
    return Response(
        view.model_dump_json(), status_code=202, media_type=JSON, headers={"Location": address_of(job)}
    )


def _list(work: Any) -> list[SeriesResult]:
    return list(work(_ignore))


def _ignore(_: Progress) -> None:
    """Whoever waits for the answer itself is told nothing on the way."""


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
