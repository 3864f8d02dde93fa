"""What a report or an audit has to say: how grave it is, in a line, and in a sentence or two."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gadoscope.records import Data, from_plain

SERIOUS = "serious"
"""The figure does not measure what it seems to."""
CAUTION = "caution"
"""The figure is less certain than it looks."""
NOTE = "note"
_ORDER = (SERIOUS, CAUTION, NOTE)
SEVERITY_COLOURS: Mapping[str, str] = {SERIOUS: "#b3261e", CAUTION: "#9a6700", NOTE: "#44607c"}
"""Of the titles, on every page."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that an evaluation or an audit has to say of its figures.

    Attributes
    ----------
    severity
        ``serious``, ``caution`` or ``note``.
    title, text
        A line, and a sentence or two on what it means and what to do.
    code
        Names its kind where programs read it; empty where none do.
    """

    severity: str
    title: str
    text: str
    code: str = ""

    @property
    def is_caveat(self) -> bool:
        """Whether it limits what the figures are worth; a note only explains."""
        return self.severity != NOTE


def finding(severity: str, title: str, text: str, *, code: str = "") -> Data:
    """Return one finding for a page or a JSON file; ``code`` names its kind where programs read it."""
    named = {"code": code} if code else {}
    return {"severity": severity, **named, "title": title, "text": text}


def rank(found: Sequence[Data]) -> list[Data]:
    """Return the gravest first; of equal severity the order stays."""
    return sorted(found, key=lambda one: _ORDER.index(one["severity"]))


def read_findings(plain: Iterable[Data]) -> tuple[Finding, ...]:
    """Return what `finding` made, in the same order."""
    return tuple(from_plain(Finding, one, partial=True) for one in plain)


def list_caveats(plain: Iterable[Data]) -> tuple[Finding, ...]:
    """Return those that limit the figures, in the same order."""
    return tuple(one for one in read_findings(plain) if one.is_caveat)
