"""What takes longer is a job: watched as it goes, seen by its owner alone, ended when asked to."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import gadoscope as gs
from gadoscope.classification.options import Progress
from gadoscope.labels import SeriesResult
from gadoscope.web.jobs import Job, JobState
from tests.support.web_server import Served
from tests.web.conftest import SMALL, Guarded
from tests.web.test_uploads import CLASSIFY, plain, refused_as, send, without_path

JOBS = "/api/v1/jobs"


def start(client: httpx.Client, folder: Path) -> httpx.Response:
    response = client.post(CLASSIFY, json={"path": str(folder / "slices")})
    assert response.status_code == 202, response.text
    return response


def wait(client: httpx.Client, address: str) -> dict[str, Any]:
    for _ in range(500):
        job: dict[str, Any] = client.get(address).json()
        if job["state"] not in ("queued", "running"):
            return job
        time.sleep(0.02)
    raise AssertionError("the job does not end")


def test_a_path_is_answered_as_the_command_line_answers_it(client: httpx.Client, folder: Path) -> None:
    job = wait(client, start(client, folder).headers["location"])
    expected = [plain(row) for row in gs.classify(folder / "slices", folder / "tiny.onnx", jobs=1)]
    assert (job["state"], without_path(job["answers"])) == ("finished", expected)
    assert job["progress"]["n_files"] == len(expected)
    listed = client.get(JOBS).json()["jobs"]
    assert [one["answers"] for one in listed if one["id"] == job["id"]] == [None]


@pytest.mark.parametrize("large", [False, True])
def test_an_upload_becomes_a_job_where_it_is_large_or_asked_for(
    client: httpx.Client, folder: Path, *, large: bool
) -> None:
    files = {"0.png": (folder / "slices" / "0.png").read_bytes()}
    if large:
        files["padding"] = b"\1" * (SMALL.inline_bytes + 1)
    response = send(client, files, **({} if large else {"Prefer": "respond-async, wait=10"}))
    assert response.status_code == 202
    job = wait(client, response.headers["location"])
    assert job["answers"][0]["path"] == "0.png"
    assert not [one for one in (folder / "spool").rglob("*") if one.is_file()]


def test_events_tell_of_a_job_until_its_end(client: httpx.Client, folder: Path) -> None:
    address = start(client, folder).headers["location"]
    with client.stream("GET", f"{address}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines() if line]
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    data = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    assert names[-1] == "end"
    assert data[-1]["state"] == "finished"


@contextmanager
def work_before(served: Served) -> Iterator[Callable[[], None]]:
    """Keep the one thread of jobs at work for somebody else until the function that is yielded is called."""
    ends = threading.Event()

    def work(job: Job) -> Iterator[SeriesResult]:
        ends.wait(30)
        yield from ()

    served.app.state.desk.jobs.start("somebody else", work, lambda: None)
    try:
        yield ends.set
    finally:
        ends.set()


def test_a_job_is_ended_when_asked_and_too_many_are_not_taken(
    served: Served, client: httpx.Client, folder: Path
) -> None:
    with work_before(served) as go_on:
        addresses = [start(client, folder).headers["location"] for _ in range(SMALL.jobs)]
        one_more = client.post(CLASSIFY, json={"path": str(folder / "slices")})
        assert refused_as(one_more) == (429, "too-many-jobs")
        assert int(one_more.headers["retry-after"]) > 0
        assert client.delete(addresses[0]).json()["state"] == "queued"
        go_on()
        ended = [wait(client, address) for address in addresses]
    assert [one["state"] for one in ended] == ["cancelled", "finished", "finished"]
    assert ended[0]["answers"] is None


def test_a_job_that_runs_ends_at_its_next_step(served: Served) -> None:
    cleaned = threading.Event()

    def endless(job: Job) -> Iterator[SeriesResult]:
        while True:
            job.note(Progress(n_files=1))
            time.sleep(0.001)
            yield from ()

    job = served.app.state.desk.jobs.start("somebody", endless, cleaned.set)
    while job.state is not JobState.RUNNING:
        time.sleep(0.001)
    job.is_cancelled.set()
    assert cleaned.wait(5)
    assert job.state.value == "cancelled"


def test_nobody_sees_the_job_of_somebody_else(guarded: Guarded, folder: Path) -> None:
    with guarded.served.client() as client:
        sent = {"0.png": (folder / "slices" / "0.png").read_bytes()}
        response = send(client, sent, Prefer="respond-async", **guarded.bearer("classify"))
        address = response.headers["location"]
        assert client.get(address, headers=guarded.bearer("classify")).status_code == 200
        assert refused_as(client.get(address, headers=guarded.bearer("read"))) == (403, "insufficient-scope")
        client.post("/sign-in", data={"name": "anna", "password": "a password that is long"})
        for path in (address, f"{address}/events"):
            assert refused_as(client.get(path)) == (404, "no-such-job")
        assert refused_as(client.delete(address, headers={})) == (404, "no-such-job")
