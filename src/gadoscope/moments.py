"""Points in time, as people write them."""

import re
from datetime import UTC, datetime, timedelta

from gadoscope.errors import UsageError

_AGO = re.compile(r"(?P<number>\d{1,6}) ?(?P<unit>[mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_moment(text: str, what: str) -> datetime:
    """Return the moment that a text names, in UTC.

    Parameters
    ----------
    text
        A date, or a date and a time, as ISO 8601 writes them (``2026-11-30``, ``2026-11-30T22:00``), of this
        machine's time zone where none is given; or how long ago: ``90m``, ``36h``, ``7d``, ``2w``.
    what
        What is named so, for the sentence that says what is wrong.

    Raises
    ------
    UsageError
        If it is no moment.
    """
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago is not None:
            return datetime.now(UTC) - timedelta(**{_UNITS[ago["unit"]]: int(ago["number"])})
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{what} {text!r} is no moment; write a date (2026-11-30), a date and a time (2026-11-30T22:00), "
            "or how long ago (36h, 7d)."
        ) from None
