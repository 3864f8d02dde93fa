"""The gate of the server: each request learns who asks, or is sent away."""

from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gadoscope.web.limits import RateLimit
from gadoscope.web.problems import Problem, ProblemResponse
from gadoscope.web.security.access import AccessFile
from gadoscope.web.security.identity import Means, identify, not_signed_in
from gadoscope.web.security.origin import SAFE_METHODS, check_origin

SIGN_IN = "/sign-in"
_OPEN = (SIGN_IN, "/healthz", "/readyz", "/favicon.ico")
_OPEN_BELOW = "/static/"


class Gate:
    """Puts `caller` and `reader` (a name) into the state of each request, before anything else sees it.

    Parameters
    ----------
    app
        What lies behind it.
    file
        Users and tokens; ``None`` where there are no accounts.
    rate
        Of tokens.
    """

    def __init__(self, app: ASGIApp, file: AccessFile | None, rate: RateLimit) -> None:
        self._app, self._file, self._rate = app, file, rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._look_at(scope)
        await (refusal or self._app)(scope, receive, send)

    def _look_at(self, scope: Scope) -> Response | None:
        request = HTTPConnection(scope)
        path = request.url.path
        state = scope.setdefault("state", {})
        state["caller"] = state["reader"] = None
        is_open = path in _OPEN or path.startswith(_OPEN_BELOW)
        try:
            caller = identify(request, self._file)
            if caller is None:
                check_origin(request)
            elif caller.means is Means.TOKEN:
                self._rate.check(caller.key)
        except Problem as problem:
            is_shown = is_open and self._file is not None and scope["method"] in SAFE_METHODS
            return None if is_shown else ProblemResponse(problem)
        if caller is not None:
            state["caller"], state["reader"] = caller, caller.name
        elif not is_open:
            return _send_to_sign_in(request) if _is_page(request) else ProblemResponse(not_signed_in())
        return None


def _is_page(request: HTTPConnection) -> bool:
    asks = request.headers.get("accept", "")
    return (
        request.scope["method"] == "GET" and "text/html" in asks and not request.url.path.startswith("/api/")
    )


def _send_to_sign_in(request: HTTPConnection) -> Response:
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{SIGN_IN}?next={quote(request.url.path + query, safe='')}", status_code=303)
