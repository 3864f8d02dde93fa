"""Keys of pages as opaque texts: whoever asks for the next page sends one back, and need not read it."""

import base64
import json
from typing import Any


def write(key: object) -> str:
    """Return a key, of what JSON has, as a text that an address may hold."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def read(cursor: str) -> Any:
    """Return the key of a cursor.

    Raises
    ------
    ValueError
        If it is none that `write` made.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except RecursionError:
        raise ValueError("it nests too deep") from None
