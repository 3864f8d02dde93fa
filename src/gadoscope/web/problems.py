"""What went wrong, for programs: `application/problem+json` for every answer of 4xx and 5xx.

References
----------
RFC 9457, Problem Details for HTTP APIs
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from gadoscope.errors import GadoscopeError, OutputError
from gadoscope.text import printable

MEDIA_TYPE = "application/problem+json"
MAX_SAID = 5
"""Faults of one request that are named; a thousand fields make no longer answer."""


class Problem(HTTPException):
    """A request that has no other answer than why.

    Parameters
    ----------
    status
        Of HTTP.
    kind
        Machine-readable word: what `type` of the answer ends with.
    detail
        One sentence: what is wrong, and what to do.
    headers
        Of the answer, beside its own.
    """

    def __init__(
        self, status: int, kind: str, detail: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.kind = kind

    def __str__(self) -> str:
        return str(self.detail)


def too_many(most: int, what: str = "files") -> Problem:
    """Return the answer to a request that holds too much; ``what`` is counted."""
    said = f"more than {most:,} {what}; send a series, or a study, at a time."
    return Problem(413, "too-many-files", said)


class ProblemResponse(Response):
    """The answer that a `Problem` becomes."""

    media_type = MEDIA_TYPE

    def __init__(self, problem: Problem) -> None:
        content = {
            "type": f"urn:gadoscope:problem:{problem.kind}",
            "title": HTTPStatus(problem.status_code).phrase,
            "status": problem.status_code,
            "detail": printable(problem.detail),
        }
        headers = {"Cache-Control": "no-store", **(problem.headers or {})}
        super().__init__(json.dumps(content), status_code=problem.status_code, headers=headers)


def answer_problem(_: Request, error: Exception) -> Response:
    """Return the answer to a request that raised a `Problem`."""
    assert isinstance(error, Problem)  # noqa: S101 — for the type checker: it is registered for these
    return ProblemResponse(error)


def answer_http(_: Request, error: Exception) -> Response:
    """Return the answer to what the framework refuses: a path that is none, a method, a body too large."""
    assert isinstance(error, HTTPException)  # noqa: S101 — as above
    kind = HTTPStatus(error.status_code).name.lower().replace("_", "-")
    return ProblemResponse(Problem(error.status_code, kind, _explain_http(error), headers=error.headers))


def answer_invalid(_: Request, error: Exception) -> Response:
    """Return the answer to a request whose values do not fit; none of them is quoted."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 — as above
    said = [f"{_name_place(one['loc'])}: {one['msg']}" for one in error.errors()[:MAX_SAID]]
    return ProblemResponse(Problem(422, "invalid-request", "; ".join(said) + "."))


def answer_ours(_: Request, error: Exception) -> Response:
    """Return the answer where an error of ours stands in the way: a store is locked, or cannot be written."""
    assert isinstance(error, GadoscopeError)  # noqa: S101 — as above
    is_passing = isinstance(error, OutputError)
    status, kind = (503, "store-unavailable") if is_passing else (400, "refused")
    headers = {"Retry-After": "5"} if is_passing else {}
    return ProblemResponse(Problem(status, kind, str(error), headers=headers))


def _explain_http(error: HTTPException) -> str:
    said = {
        HTTPStatus.NOT_FOUND: "there is nothing at this address.",
        HTTPStatus.METHOD_NOT_ALLOWED: "this address takes other methods; the header Allow names them.",
    }
    own = str(error.detail)
    is_bare = own == HTTPStatus(error.status_code).phrase
    return said.get(HTTPStatus(error.status_code), own) if is_bare else own


def _name_place(place: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in place) or "body"
