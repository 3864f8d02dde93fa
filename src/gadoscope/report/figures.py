"""How every figure looks, and how it becomes SVG text that is the same on every run."""

import io
import re
import warnings
from contextlib import AbstractContextManager
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from gadoscope.markup import POST_COLOUR, PRE_COLOUR
from gadoscope.text import CUT, printable

# Okabe and Ito's palette, as of the classes in `gadoscope.markup`: a split has one colour in all figures.
TRAIN_COLOUR = "#555555"
VALIDATION_COLOUR = "#009E73"
TEST_COLOUR = "#7A3E9D"
INK = "#1d2430"
FAINT = "#8a93a0"
GRID = "#e4e8ed"

MAX_LABEL = 32
"""Characters of a name in a legend; a longer one leaves no room for the curves."""

_STYLE: Any = {
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "grid.color": GRID,
    "font.family": ["DejaVu Sans"],  # comes with matplotlib: the layout is the same everywhere
    "font.size": 10,
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "text.color": INK,
    "text.parse_math": False,  # a source may be called $x
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "white",
    "axes.facecolor": "none",
    "svg.fonttype": "none",  # text stays text: it can be searched, read aloud and printed sharply
}

_THEMED = {
    "#ffffff": "--paper",
    INK: "--ink",
    FAINT: "--faint",
    GRID: "--line",
    TRAIN_COLOUR: "--train",
    VALIDATION_COLOUR: "--validation",
    TEST_COLOUR: "--test",
    PRE_COLOUR: "--pre",
    POST_COLOUR: "--post",
}
"""What the style of a page calls these colours; on a dark page they are others."""
_COLOUR = re.compile(rf"(?<=(?:fill|roke): )(?:{'|'.join(_THEMED)})\b", re.IGNORECASE)
_STYLED = re.compile(r'style="[^"]*"')

_PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
# The style sheet is moved to the element: inside a page it would apply to the whole page.
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>|\s*<defs>\s*<style.*?</defs>", re.DOTALL)
_STROKES = 'style="stroke-linejoin: round; stroke-linecap: butt"'
_IDENTIFIER = re.compile(r'(?<=\bid=")|(?<=url\(#)|(?<=href="#)')


def short_label(name: str) -> str:
    """Return a name from the user's data, such as a source's, as it fits into a legend."""
    # matplotlib leaves out of a legend what begins with an underscore.
    shown = printable(name if not name.startswith("_") else f" {name}")
    return shown if len(shown) <= MAX_LABEL else shown[: MAX_LABEL - 1] + CUT


def drawing() -> AbstractContextManager[None]:
    """Hold the style while a figure is made; outside the block matplotlib is as it was."""
    return mpl.rc_context(_STYLE)


def new_figure(width: float, height: float, panels: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a figure of ``width`` x ``height`` inches with its panels side by side."""
    figure = Figure(figsize=(width, height))  # laid out when it is written, see `_lay_out`
    axes = figure.subplots(1, panels, squeeze=False)
    return figure, list(axes[0])


def _lay_out(figure: Figure) -> None:
    """Give the panels their places, so that no text runs into another.

    A figure that knows its layout is drawn twice, the first time for nothing: it takes a third longer.
    """
    FigureCanvasSVG(figure)  # so that text is measured as it will be written
    dpi, figure.dpi = figure.dpi, FigureCanvasSVG.fixed_dpi
    ConstrainedLayoutEngine().execute(figure)
    figure.dpi = dpi


def to_svg(figure: Figure, *, name: str, title: str, description: str) -> str:
    """Return the figure as one ``<svg>`` element that needs nothing else.

    Parameters
    ----------
    name
        Prefix of every identifier, so that several figures can stand in one page.
    title, description
        Read aloud by a screen reader in place of the picture.
    """
    buffer = io.StringIO()
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        # Text stays text: the reader's own fonts draw what this one lacks.
        warnings.filterwarnings("ignore", message="Glyph ")
        _lay_out(figure)
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    svg = _PROLOGUE.sub("", buffer.getvalue(), count=1)
    svg = _METADATA.sub("", svg)
    svg = _IDENTIFIER.sub(f"{name}-", svg)
    heading = (
        f'{_STROKES} role="img" aria-labelledby="{name}-title {name}-description">\n'
        f' <title id="{name}-title">{escape(title)}</title>\n'
        f' <desc id="{name}-description">{escape(description)}</desc>'
    )
    opening, rest = svg.split(">", 1)
    return f"{opening} {heading}{rest}"


def follow_page(svg: str) -> str:
    """Return a figure with the colours of the page around it, dark or light; alone it would be black."""
    names = {colour.lower(): f"var({name})" for colour, name in _THEMED.items()}
    return _STYLED.sub(lambda style: _COLOUR.sub(lambda colour: names[colour[0].lower()], style[0]), svg)
