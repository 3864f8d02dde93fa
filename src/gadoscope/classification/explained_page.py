"""An explained scan as one HTML page that needs nothing else, or as a picture."""

import base64
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from markupsafe import Markup
from PIL import Image

from gadoscope import wording
from gadoscope.classification.explained import ExplainedSeries
from gadoscope.classification.page import draw_bar_of, explain_row, name_bundle
from gadoscope.errors import UsageError
from gadoscope.files import write_beside, write_text
from gadoscope.labels import Plane
from gadoscope.report.page import render_page
from gadoscope.report.pictures import overlay, picture, shrink, tint
from gadoscope.version import __version__

PAGES, PICTURES = (".html", ".htm"), (".png",)
PHANTOMS = "phantoms"
"""Folder of the pictures that `recipes.phantom_pictures` makes."""
GAP = 6
"""Pixels between the slices of a picture."""


def check_explained_path(path: Path) -> None:
    """Raise UsageError if an explanation cannot have this name."""
    if path.suffix.lower() not in (*PAGES, *PICTURES):
        raise UsageError(
            f"{path} is neither a page nor a picture; give it a name that ends in .html or .png."
        )


def write_explained(series: Sequence[ExplainedSeries], path: Path, model: str) -> None:
    """Write a page or, where the name ends in .png, the slices of the first explained series.

    Raises
    ------
    UsageError
        If the name has another ending, or a picture is asked for and no slice was read.
    OutputError
        If the system cannot write.
    """
    check_explained_path(path)
    if path.suffix.lower() in PICTURES:
        _write_picture(series, path)
    else:
        write_text(path, render_explained(series, model))


def render_explained(series: Sequence[ExplainedSeries], model: str) -> str:
    """Return the page: no script, nothing loaded from anywhere."""
    shown = {one.result.plane for one in series if one.slices} - {Plane.UNKNOWN} or {Plane.SAGITTAL}
    helpers = {
        "plural": wording.plural,
        "whole": wording.whole,
        "short": wording.short_name,
        "picture": picture,
        "overlay": overlay,
        "bar": draw_bar_of,
        "explain": explain_row,
        "phantom": _show_phantom,
    }
    return render_page(
        "gadoscope.classification",
        "explained.html",
        helpers,
        series=series,
        n_explained=sum(bool(one.slices) for one in series),
        planes=sorted(plane.value for plane in shown),
        counts=Counter(one.result.phase for one in series),
        model=name_bundle((one.result for one in series), model),
        version=__version__,
    )


@cache
def _show_phantom(plane: str, phase: str) -> Markup:
    """Return the address of an embedded slice of a phantom of this plane, ``pre`` or ``post``."""
    pixels = (files("gadoscope.classification") / PHANTOMS / f"{plane}-{phase}.webp").read_bytes()
    address = f"data:image/webp;base64,{base64.b64encode(pixels).decode('ascii')}"
    return Markup(address)  # noqa: S704 - made of letters and digits


def _write_picture(series: Sequence[ExplainedSeries], path: Path) -> None:
    """Write the slices in a row, and below each what argued for which phase."""
    first = next((one for one in series if one.slices), None)
    if first is None:
        raise UsageError(
            f"no slice of this was read, so there is no picture ({explain_row(series[0].result)}); "
            "a page, FILE.html, says why."
        )
    columns = []
    for one in first.slices:
        plain = Image.fromarray(shrink(one.pixels)).convert("RGB")
        column = Image.new("RGB", (plain.width, 2 * plain.height + GAP))
        column.paste(plain, (0, 0))
        column.paste(tint(one.pixels, one.evidence, first.strongest).convert("RGB"), (0, plain.height + GAP))
        columns.append(column)
    width = sum(one.width for one in columns) + GAP * (len(columns) - 1)
    sheet = Image.new("RGB", (width, max(one.height for one in columns)))
    for column, left in zip(columns, np.cumsum([0, *(one.width + GAP for one in columns)]), strict=False):
        sheet.paste(column, (int(left), 0))
    with write_beside(path) as partial:
        sheet.save(partial, "PNG", optimize=True)
