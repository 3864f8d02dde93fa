"""What the API says and hears, as OpenAPI describes it; each with an example."""

from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gadoscope.web.problems import MEDIA_TYPE


class Said(BaseModel):
    """A value that says no more than its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProblemDetails(Said):
    """Why a request has no other answer (RFC 9457)."""

    type: str = Field(examples=["urn:gadoscope:problem:too-many-requests"])
    title: str = Field(examples=["Too Many Requests"])
    status: int = Field(examples=[429])
    detail: str = Field(examples=["requests of one token may come 6000 times a minute; ask again in 1 s."])


class Health(Said):
    """The server lives."""

    status: Literal["alive"]
    version: str = Field(examples=["0.1.0"])


class Readiness(Said):
    """The server can work."""

    status: Literal["ready"]
    model: str = Field(examples=["default@v1 4f1c2a9b"])


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the descriptions of answers that are problems."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}
