"""Pages of a list: cursors that nobody need understand, and answers that are not sent twice."""

import hashlib
from typing import Annotated

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from gadoscope.results.store import cursors
from gadoscope.web.api.schemas import Said
from gadoscope.web.problems import Problem

MOST = 500
"""Items of a page."""
_REVALIDATED = "private, no-cache"
_ETAG_DIGITS = 32


Unsaid = SkipJsonSchema[None]
"""A part of an address that is left out: there is no null in one."""


class Paging(Said):
    """Which part of a list."""

    cursor: Annotated[str, Field(max_length=2000)] | Unsaid = Field(
        None, description="`next` of the page before; leave it out for the first page."
    )
    limit: int = Field(100, ge=1, le=MOST, description="Items of a page.")


def read_numbers(cursor: str | None, n: int) -> list[int] | None:
    """Return a key of ``n`` whole numbers; ``None`` for the first page."""
    if cursor is None:
        return None
    key = _read(cursor)
    if isinstance(key, list) and len(key) == n and all(type(one) is int and 0 <= one < 2**63 for one in key):
        return key
    raise _refuse()


def read_text(cursor: str | None) -> str | None:
    """Return a key that is a text; ``None`` for the first page."""
    if cursor is None:
        return None
    key = _read(cursor)
    if isinstance(key, str) and key.isprintable():
        return key
    raise _refuse()


def respond(request: Request, content: BaseModel) -> Response:
    """Return the answer with its ETag; or that it is as it was, to whoever has it already."""
    body = content.model_dump_json().encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:_ETAG_DIGITS]}"'
    headers = {"ETag": etag, "Cache-Control": _REVALIDATED}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _read(cursor: str) -> object:
    try:
        return cursors.read(cursor)
    except ValueError:
        raise _refuse() from None


def _refuse() -> Problem:
    return Problem(400, "no-cursor", "that is no cursor of this list; begin again at the first page.")
