"""A little HTML for notebooks: text that is never markup, a bar, a table; no script."""

from collections.abc import Iterable
from html import escape

from gadoscope.text import escaped

PRE_COLOUR, POST_COLOUR, BAND_COLOUR = "#0072B2", "#D55E00", "#d9dee5"
"""Of the classes, in every figure, table and map of evidence: Okabe and Ito's palette, told apart with every
kind of colour vision. Grey where nothing is answered."""
_BAR_WIDTH, _BAR_HEIGHT = 160, 14


def to_html(text: str) -> str:
    """Return a text as HTML shows it: nothing in it is markup, and what cannot be seen is spelt out."""
    return escape(escaped(text, also="\n"), quote=True)


def draw_bar(probability: float, band: tuple[float, float] | None) -> str:
    """Return a line from 0 to 1 as SVG, the band without an answer on it, and where a probability lies.

    Parameters
    ----------
    probability
        In [0, 1].
    band
        From where up to where nothing is answered; None where it is unknown.
    """
    at = probability * _BAR_WIDTH
    lower, upper = (edge * _BAR_WIDTH for edge in (band or (0.5, 0.5)))
    middle = _BAR_HEIGHT / 2
    parts = [
        f'<line x1="0" y1="{middle}" x2="{lower:.1f}" y2="{middle}" stroke="{PRE_COLOUR}" stroke-width="4"/>',
        f'<line x1="{lower:.1f}" y1="{middle}" x2="{upper:.1f}" y2="{middle}" stroke="{BAND_COLOUR}" '
        'stroke-width="8"/>',
        f'<line x1="{upper:.1f}" y1="{middle}" x2="{_BAR_WIDTH}" y2="{middle}" stroke="{POST_COLOUR}" '
        'stroke-width="4"/>',
        f'<circle cx="{at:.1f}" cy="{middle}" r="5" fill="currentColor"/>',
    ]
    size = f'width="{_BAR_WIDTH + 10}" height="{_BAR_HEIGHT}" viewBox="-5 0 {_BAR_WIDTH + 10} {_BAR_HEIGHT}"'
    return f'<svg {size} aria-hidden="true">{"".join(parts)}</svg>'


def draw_rows(rows: Iterable[tuple[str, str]]) -> str:
    """Return a table of names and cells; the cells are HTML already."""
    cells = "".join(
        f'<tr><th style="text-align:left">{to_html(name)}</th><td style="text-align:left">{cell}</td></tr>'
        for name, cell in rows
    )
    return f"<table>{cells}</table>"
