"""The audit as one HTML page that needs nothing else, and the pictures on it."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gadoscope import wording
from gadoscope.imaging.intensity import MAX_GREY
from gadoscope.inspection.measure import Measurement
from gadoscope.inspection.report import Audited
from gadoscope.labels import Label
from gadoscope.preparation.copies.thumbnail import THUMBNAIL_SIDE
from gadoscope.report.page import render_page
from gadoscope.report.pictures import overlay, picture

MAX_PICTURES = 6
"""Of one group of copies: a row of the page."""
SHOWN_GREY, SHOWN_PERCENTILE = 230.0, 99.0
"""A mean image is shown with this grey at this percentile."""
MIN_MEAN_IMAGES = 5
"""Of each label: the mean of fewer images shows those images."""


@dataclass(frozen=True, kw_only=True)
class MeanImage:
    """What the two classes look like on the whole, in one plane; pictures as embedded addresses."""

    plane: str
    n_pre: int
    n_post: int
    pre: str
    post: str
    difference: str


@dataclass
class Pictures:
    """All pictures of the page, in the order of the report's lists."""

    copies: list[list[str]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    means: list[MeanImage] = field(default_factory=list)


def draw_pictures(audited: Audited, report: dict[str, Any], n_cases: int) -> Pictures:
    """Return the pictures of the first ``n_cases`` groups of copies, of text, and the mean images."""
    measured = {index: one for index, one in enumerate(audited.results) if isinstance(one, Measurement)}
    with_text = [one for one in measured.values() if one.marks]
    return Pictures(
        copies=[
            [_show(measured[index]) for index in group.members[:MAX_PICTURES]]
            for group in audited.copies[:n_cases]
        ],
        text=[_show(one) for one in with_text[: len(report["text"]["cases"])]],
        means=_draw_means(audited),
    )


def _show(one: Measurement) -> str:
    """Return the picture of a slice: itself where it was kept, else its thumbnail in its own proportions."""
    if one.pixels is not None:
        return picture(one.pixels)
    rows, columns = one.shape
    scale = THUMBNAIL_SIDE / max(rows, columns)
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    return picture(np.asarray(Image.fromarray(one.thumbnail).resize(size, Image.Resampling.LANCZOS)))


def _draw_means(audited: Audited) -> list[MeanImage]:
    """Return the mean image of each label and their difference, for each plane that holds both."""
    piles: dict[str, dict[Label, list[NDArray[np.uint8]]]] = defaultdict(lambda: defaultdict(list))
    for item, result in zip(audited.manifest.items, audited.results, strict=True):
        if isinstance(result, Measurement) and item.label is not Label.OTHER:
            piles[item.plane.value][item.label].append(result.thumbnail)
    drawn = []
    for plane, labels in sorted(piles.items()):
        pre, post = labels[Label.PRE], labels[Label.POST]
        if min(len(pre), len(post)) < MIN_MEAN_IMAGES:
            continue
        means = [np.mean(pile, axis=0, dtype=np.float32) for pile in (pre, post)]
        # A mean is darker than any slice: both are brightened, by the same factor.
        brighten = SHOWN_GREY / max(1.0, *(float(np.percentile(mean, SHOWN_PERCENTILE)) for mean in means))
        grey = [np.clip(np.rint(mean * brighten), 0, MAX_GREY).astype(np.uint8) for mean in means]
        # Each brought to its own mean: a class that is brighter everywhere would hide where it is brighter.
        level = [np.divide(mean, max(float(mean.mean()), 1.0)) for mean in means]
        drawn.append(
            MeanImage(
                plane=plane,
                n_pre=len(pre),
                n_post=len(post),
                pre=picture(grey[0]),
                post=picture(grey[1]),
                difference=overlay(
                    ((grey[0].astype(np.float32) + grey[1]) / 2).astype(np.uint8),
                    np.subtract(level[1], level[0], dtype=np.float32),
                ),
            )
        )
    return drawn


def render_html(report: dict[str, Any], pictures: Pictures) -> str:
    """Return the audit as one HTML page: no script, nothing loaded from anywhere."""
    helpers = {name: getattr(wording, name) for name in ("area", "percent", "plural", "whole")}
    return render_page("gadoscope.inspection", "audit.html", helpers, report=report, pictures=pictures)
