"""The page where a reader signs in, and the way out."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gadoscope.report.page import render_page
from gadoscope.web.assets import asset_url
from gadoscope.web.limits import RateLimit
from gadoscope.web.problems import Problem
from gadoscope.web.security.access import MAX_NAME, MAX_PASSWORD, AccessFile
from gadoscope.web.security.gate import SIGN_IN
from gadoscope.web.security.sessions import drop_cookie, write_cookie

TRIES_PER_MINUTE = 10
"""Of one address, and of one user: enough for fingers, and for a list of passwords too few."""
HOME = "/"

router = APIRouter(include_in_schema=False)


@router.get(SIGN_IN)
def show_sign_in(request: Request, next: str = HOME) -> Response:  # noqa: A002 — the name in the address
    """Show the form; where there are no accounts, go on."""
    if request.app.state.access is None:
        return RedirectResponse(HOME, status_code=303)
    return HTMLResponse(_render(next=_own_path(next), fault=""))


@router.post(SIGN_IN)
async def sign_in(
    request: Request,
    name: Annotated[str, Form(max_length=MAX_NAME)],
    password: Annotated[str, Form(max_length=MAX_PASSWORD)],
    next: Annotated[str, Form()] = HOME,  # noqa: A002 — the name in the form
) -> Response:
    """Sign in, or say that it did not work; not whether it was the name."""
    file: AccessFile | None = request.app.state.access
    if file is None:
        raise Problem(404, "no-accounts", "this server has no accounts: nobody needs to sign in.")
    tries: RateLimit = request.app.state.sign_in_tries
    tries.check(f"name:{name}")
    tries.check(f"from:{request.client.host if request.client else ''}")
    access = file.access
    if not await run_in_threadpool(access.check_password, name, password):
        page = _render(next=_own_path(next), fault="This name and password do not fit.")
        return HTMLResponse(page, status_code=401)
    response = RedirectResponse(_own_path(next), status_code=303)
    write_cookie(response, access, name, is_secure=request.url.scheme == "https")
    return response


@router.post("/sign-out")
def sign_out() -> Response:
    """Forget who is signed in."""
    response = RedirectResponse(SIGN_IN, status_code=303)
    drop_cookie(response)
    return response


def _own_path(asked: str) -> str:
    """Return a path of ours, or the first page: nobody is led elsewhere by a link to this page."""
    parts = urlsplit(asked)
    is_ours = asked.startswith("/") and not asked.startswith(("//", "/\\")) and not parts.netloc
    return asked if is_ours and asked.isprintable() and "\\" not in asked else HOME


def _render(**values: str) -> str:
    return render_page("gadoscope.web", "sign_in.html", {"asset_url": asset_url}, **values)
