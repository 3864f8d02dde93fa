"""Whether a request comes from a page of ours: what a stranger's page in the same browser sends is refused.

A browser says where a request comes from, in `Sec-Fetch-Site` and `Origin`, and no page can change that; a
program that is no browser says neither. Who has no account is known by the machine alone, so that there the
name in the address must be this machine's, too: a stranger's name may lead here (DNS rebinding).

References
----------
W3C Fetch Metadata Request Headers; OWASP Cross-Site Request Forgery Prevention, 2025
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from gadoscope.web.problems import Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({"same-origin", "none"})
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def check_origin(request: HTTPConnection) -> None:
    """Raise a Problem if a request that changes something comes from a page that is not ours.

    For whoever is known by a cookie or by the machine; a token is never sent by a browser on its own.
    """
    if request.scope["method"] in SAFE_METHODS:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    # By the name of the host alone where there is a proxy that takes TLS away; so is the port.
    is_foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")
    if is_foreign or (site is not None and site not in _OURS):
        raise Problem(
            403,
            "cross-origin",
            "this request comes from a page of another address; open the review room itself. Behind a proxy, "
            "let that pass on the header Host.",
        )


def check_host(headers: Headers) -> None:
    """Raise a Problem if the name by which this machine was asked is not its own."""
    host = headers.get("host", "")
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        name = ""
    if name not in _LOCAL:
        raise Problem(
            421,
            "wrong-host",
            "without users and tokens this server answers to localhost and 127.0.0.1 alone; start it with "
            "--access to give it another name.",
        )
