"""Files that every page needs: served from the package, kept by the browser until they change."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
AT = "/static"
_FOR_A_YEAR = "public, max-age=31536000, immutable"
_ASK_EACH_TIME = "no-cache"
_DIGITS = 12


@cache
def asset_url(name: str) -> str:
    """Return the address of a file of `static`: with its digest, so that it may be kept for ever.

    Raises
    ------
    FileNotFoundError
        If there is none of that name.
    """
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()
    return f"{AT}/{name}?v={digest[:_DIGITS]}"


class Assets(StaticFiles):
    """The same files over HTTP, with ETag."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file; one that was asked for by its digest is kept, others are asked for again."""
        response = await super().get_response(path, scope)
        named = b"v=" in scope["query_string"]
        response.headers["Cache-Control"] = _FOR_A_YEAR if named else _ASK_EACH_TIME
        return response
