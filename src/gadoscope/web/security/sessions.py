"""A reader's cookie: who signed in and until when, signed, so that the server keeps nothing of it.

It ends when the user is taken out of the file or has another password: what is signed holds that of both.
"""

import base64
import binascii
import hashlib
import hmac
import json
import time

from starlette.responses import Response

from gadoscope.web.security.access import Access

COOKIE = "gadoscope_session"
SECONDS = 12 * 3600
"""A working day."""
_DIGEST_BYTES = 32


def write_cookie(response: Response, access: Access, name: str, *, is_secure: bool) -> None:
    """Sign a user in."""
    said = json.dumps([name, int(time.time()) + SECONDS]).encode()
    signed = base64.urlsafe_b64encode(_sign(access, name, said) + said).decode()
    response.set_cookie(
        COOKIE, signed, max_age=SECONDS, httponly=True, secure=is_secure, samesite="strict", path="/"
    )


def drop_cookie(response: Response) -> None:
    """Sign a user out."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", path="/")


def read_cookie(cookie: str | None, access: Access) -> str | None:
    """Return the user whose cookie this is; ``None`` if it is nobody's, or its time is over."""
    try:
        content = base64.urlsafe_b64decode(cookie or "")
        signature, said = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        name, until = json.loads(said)
    except (ValueError, TypeError, binascii.Error):
        return None
    if not isinstance(name, str) or not isinstance(until, int) or name not in access.users:
        return None
    is_ours = hmac.compare_digest(signature, _sign(access, name, said))
    return name if is_ours and until > time.time() else None


def _sign(access: Access, name: str, said: bytes) -> bytes:
    key = f"{access.secret}/{access.users[name].password}".encode()
    return hmac.new(key, said, hashlib.sha256).digest()
