"""The API described as OpenAPI 3.1: what FastAPI knows of it, with its problems and its tokens."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.security import HTTPBearer

from gadoscope.web.api.schemas import ProblemDetails

BEARER = HTTPBearer(
    scheme_name="token",
    description="A token of `gadoscope access --add-token`. A server without accounts asks for none.",
    auto_error=False,
)
"""Only described by this: who asks is known at the gate."""


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the description; made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = schema["components"]["schemas"]
        schemas[ProblemDetails.__name__] = ProblemDetails.model_json_schema()
        app.openapi_schema = schema
    return app.openapi_schema
