"""How long a body may be: by what a request declares, and where it declares nothing by what comes."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gadoscope.web.problems import Problem, ProblemResponse


class BodyLimit:
    """Refuses bodies that are too long: one that says so before anything of it was read.

    FastAPI has a limit of its own, which answers in plain text.

    Parameters
    ----------
    app
        What lies behind it.
    most
        Bytes of any body.
    longer
        Of those at some paths.
    """

    def __init__(self, app: ASGIApp, most: int, longer: Mapping[str, int]) -> None:
        self._app, self._most, self._longer = app, most, longer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._longer.get(scope["path"], self._most)
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdecimal() or int(declared) > most:
            await ProblemResponse(_too_long(most))(scope, receive, send)
            return
        n_bytes = 0

        async def receive_counted() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > most:
                raise _too_long(most)
            return message

        await self._app(scope, receive_counted, send)


def _too_long(most: int) -> Problem:
    return Problem(
        413,
        "body-too-long",
        f"the body has more than {most:,} bytes, which is all that is taken here.",
        headers={"Connection": "close"},  # else the server would read on, to find the next request behind it
    )
