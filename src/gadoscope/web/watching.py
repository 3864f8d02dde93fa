"""Each request watched from outside: a line in the log, a count, and an answer to a fault nobody foresaw."""

import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gadoscope.web.log import Log
from gadoscope.web.metrics import Metrics
from gadoscope.web.problems import Problem, ProblemResponse

NO_ROUTE = "none"
"""In the place of an address that is none of ours: strangers try thousands."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CLIENT_GONE = 499
"""As nginx logs it: whoever asked went away before the answer."""


class Watch:
    """Logs and counts each request; a fault that nobody foresaw becomes an answer of 500 without words."""

    def __init__(self, app: ASGIApp, log: Log, metrics: Metrics) -> None:
        self._app, self._log, self._metrics = app, log, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, n_bytes = time.perf_counter(), _CLIENT_GONE, 0

        async def send_watched(message: Message) -> None:
            nonlocal status, n_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                n_bytes += len(message.get("body", b""))
            await send(message)

        with self._metrics.under_way.track_inprogress():
            try:
                await self._app(scope, receive, send_watched)
            except Exception as error:
                self._log.fault(error, route=name_route(scope))
                if status != _CLIENT_GONE:
                    raise
                await ProblemResponse(_unforeseen())(scope, receive, send_watched)
        self._note(scope, status, n_bytes, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, n_bytes: int, seconds: float) -> None:
        route = name_route(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        caller: Any = scope.get("state", {}).get("caller")
        self._log(
            "request",
            method=method,
            route=route,
            status=status,
            bytes=n_bytes,
            ms=round(seconds * 1000, 1),
            by=None if caller is None else caller.key,
        )


def name_route(scope: Scope) -> str:
    """Return the pattern of the address that was asked for: no value of it."""
    path = getattr(scope.get("route"), "path_format", None) or getattr(scope.get("route"), "path", None)
    return str(path) if path else NO_ROUTE


def _unforeseen() -> Problem:
    return Problem(
        500,
        "unforeseen",
        "something went wrong that was not foreseen; the log of the server says where. Please report it.",
    )
