"""What an address is: a scheme, a host or a bucket, a name; and what of it nobody is shown.

Light: every path that a user names is asked whether it is one, and fsspec is not imported for that.
"""

import re
from urllib.parse import unquote

_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)(?P<chain>::[^/]*)?://", re.DOTALL)
"""Two letters at least: one is a drive of Windows."""
WEB = ("http", "https")
"""Of these ``?`` begins a query; in a bucket it is a letter of a name."""
_SECRET = re.compile(
    r"sig|token|key|secret|passw|pwd|credential|auth|policy|^x-(amz|goog|ms)-", re.IGNORECASE
)
HIDDEN = "***"


def split_scheme(text: str) -> tuple[str, str]:
    """Return the scheme of an address in small letters, and what is chained to it; both empty for a path."""
    found = _ADDRESS.match(text)
    return (found["scheme"].lower(), found["chain"] or "") if found else ("", "")


def split_address(address: str) -> tuple[str, str, str]:
    """Return scheme and host, the name inside, and the query with its ``?``."""
    scheme, _, rest = address.partition("://")
    query = ""
    if scheme in WEB:
        rest, mark, query = rest.partition("#")[0].partition("?")
        query = mark + query
    host, _, inside = rest.partition("/")
    return f"{scheme}://{host}", inside, query


def hide_secrets(address: str) -> str:
    """Return an address as it may be shown: without a user and a password, and without what signs it."""
    root, inside, query = split_address(address)
    if "@" in root:
        scheme, _, host = root.partition("://")
        root = f"{scheme}://{host.rpartition('@')[2]}"
    shown = f"{root}/{inside}" if inside else root
    if query:
        shown += "?" + "&".join(map(_hide_value, query[1:].split("&")))
    return shown


def is_of_one_process(address: str) -> bool:
    """Return whether another process sees another store under this address."""
    return address.startswith("memory:")


def _hide_value(pair: str) -> str:
    name, mark, _ = pair.partition("=")
    return f"{name}{mark}{HIDDEN}" if _SECRET.search(unquote(name)) else pair
