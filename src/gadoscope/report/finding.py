"""What a report or an audit has to say: how grave it is, in a line, and in a sentence or two."""

from collections.abc import Sequence

from gadoscope.records import Data

SERIOUS = "serious"
"""The figure does not measure what it seems to."""
CAUTION = "caution"
"""The figure is less certain than it looks."""
NOTE = "note"
_ORDER = (SERIOUS, CAUTION, NOTE)


def finding(severity: str, title: str, text: str, *, code: str = "") -> Data:
    """Return one finding for a page or a JSON file; ``code`` names its kind where programs read it."""
    named = {"code": code} if code else {}
    return {"severity": severity, **named, "title": title, "text": text}


def rank(found: Sequence[Data]) -> list[Data]:
    """Return the gravest first; of equal severity the order stays."""
    return sorted(found, key=lambda one: _ORDER.index(one["severity"]))
