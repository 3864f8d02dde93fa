"""What a notebook shows of an evaluation or an audit: a heading, a table, findings; no script.

A style sheet would be that of the whole notebook, so every rule stands at its element; colours of text are
the notebook's own, which may be dark.
"""

from collections.abc import Callable, Iterable, Sequence

from gadoscope.markup import to_html
from gadoscope.report.finding import SEVERITY_COLOURS, Finding
from gadoscope.statistics.intervals import Measured
from gadoscope.wording import DASH

_CELL = "padding:3px 10px 3px 0;vertical-align:top;background:none;border:0"
_LINE = "border-bottom:1px solid rgba(128,128,128,.35)"
_SMALL = "font-size:.85em;opacity:.75"


def draw_box(parts: Iterable[str]) -> str:
    """Return the whole: parts one below the other, no wider than lines that are read with ease."""
    return f'<div style="max-width:52em;line-height:1.4">{"".join(parts)}</div>'


def draw_heading(title: str, text: str) -> str:
    """Return a line that says what this is, and a small one of what it rests on."""
    return f'<p style="margin:0 0 6px"><b>{to_html(title)}</b><br>{draw_small(text)}</p>'


def draw_small(text: str) -> str:
    """Return a text in small letters."""
    return f'<span style="{_SMALL}">{to_html(text)}</span>'


def draw_measured(measured: Measured | None, write: Callable[[float | None], str]) -> str:
    """Return a figure with its interval below it; a dash where there is none.

    Parameters
    ----------
    write
        Of `gadoscope.wording`: how figures of this kind are written.
    """
    if measured is None or measured.value is None:
        return DASH
    value = f"<b>{to_html(write(measured.value))}</b>"
    if measured.lower is None:
        return value
    return f"{value}<br>{draw_small(f'{write(measured.lower)} to {write(measured.upper)}')}"


def draw_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table that scrolls by itself where the notebook is narrow; its cells are HTML already."""
    lines = ["".join(_cell("th", cell, is_first=not n) for n, cell in enumerate(head))]
    for first, *others in rows:
        lines.append(_cell("th", first, is_first=True) + "".join(_cell("td", cell) for cell in others))
    body = "".join(f'<tr style="background:none">{line}</tr>' for line in lines)
    table = f'<table style="border-collapse:collapse;margin:0">{body}</table>'
    return f'<div style="overflow-x:auto;margin:0 0 8px">{table}</div>'


def _cell(tag: str, content: str, *, is_first: bool = False) -> str:
    weight = "normal" if is_first or tag == "td" else "bold"
    align = "left" if is_first else "right"
    return f'<{tag} style="{_CELL};{_LINE};text-align:{align};font-weight:{weight}">{content}</{tag}>'


def draw_findings(found: Iterable[Finding]) -> str:
    """Return findings as bars at whose colour one sees how grave each is; the word says it too."""
    return "".join(
        f'<div style="border-left:4px solid {SEVERITY_COLOURS[one.severity]};padding:1px 0 1px 10px;'
        f'margin:0 0 6px"><b>{to_html(one.severity.capitalize())}: {to_html(one.title)}.</b> '
        f"{to_html(one.text)}</div>"
        for one in found
    )
