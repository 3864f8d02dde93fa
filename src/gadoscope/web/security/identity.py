"""Who asks: a token, a cookie, or where there are no accounts whoever sits at this machine."""

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from fastapi import Request
from starlette.requests import HTTPConnection

from gadoscope.web.problems import Problem
from gadoscope.web.security.access import ALL_SCOPES, Access, AccessFile, Scope
from gadoscope.web.security.origin import SAFE_METHODS, check_host, check_origin
from gadoscope.web.security.sessions import COOKIE, read_cookie

_BEARER = "bearer"
SOMEBODY = "reader"
"""Where the system does not say who runs us."""


class Means(Enum):
    """By what somebody is known."""

    MACHINE = auto()
    COOKIE = auto()
    TOKEN = auto()


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Parameters
    ----------
    name
        Of the user, or of the token.
    scopes
        What they may.
    means
        By what they are known.
    """

    name: str
    scopes: frozenset[Scope]
    means: Means

    @property
    def key(self) -> str:
        """Return what tells callers apart: a user and a token may have one name."""
        return f"{self.means.name}:{self.name}"


def identify(request: HTTPConnection, file: AccessFile | None) -> Caller | None:
    """Return who asks; ``None`` for a stranger.

    Raises
    ------
    Problem
        If a token is wrong or over, or the request comes from a page of another address.
    """
    if file is None:
        check_host(request.headers)
        check_origin(request)
        return Caller(name_machine_user(), ALL_SCOPES, Means.MACHINE)
    access = file.access
    given = request.headers.get("authorization")
    if given is not None:
        return _identify_token(given, access)
    name = read_cookie(request.cookies.get(COOKIE), access)
    if name is None:
        return None
    check_origin(request)
    return Caller(name, frozenset(access.users[name].scopes), Means.COOKIE)


def name_machine_user() -> str:
    """Return who runs this server, by the system."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return SOMEBODY


def need(*scopes: Scope) -> Callable[[Request], Caller]:
    """Return a dependency: whoever asks is known, and may do all of ``scopes``."""

    def check(request: Request) -> Caller:
        caller: Any = getattr(request.state, "caller", None)
        if not isinstance(caller, Caller):
            raise not_signed_in()
        missing = sorted(set(scopes) - caller.scopes)
        if missing:
            raise Problem(
                403,
                "insufficient-scope",
                f"this takes the scope {' and '.join(missing)}, which {caller.name} does not have; ask "
                "whoever keeps the server for another token.",
                headers={
                    "WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{" ".join(scopes)}"'
                },
            )
        return caller

    return check


def need_for_page(request: Request) -> Caller:
    """Return who looks at a page (`read`), or sends something from one (`review`)."""
    scope = Scope.READ if request.method in SAFE_METHODS else Scope.REVIEW
    return need(scope)(request)


def not_signed_in() -> Problem:
    """Return the answer to a stranger."""
    return Problem(
        401,
        "not-signed-in",
        "say who asks: with the header `Authorization: Bearer TOKEN`, or sign in at /sign-in.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _identify_token(given: str, access: Access) -> Caller:
    scheme, _, text = given.partition(" ")
    found = access.find_token(text.strip()) if scheme.lower() == _BEARER else None
    if found is None:
        raise _refuse_token("this token is none that was given out here; check that all of it was copied.")
    name, token = found
    if token.is_over:
        raise _refuse_token(f"this token expired at {token.expires}; ask for another one.")
    return Caller(name, frozenset(token.scopes), Means.TOKEN)


def _refuse_token(why: str) -> Problem:
    return Problem(401, "invalid-token", why, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
