"""The audit as one HTML page that needs nothing else, and the pictures on it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gadoscope import wording
from gadoscope.errors import InputError
from gadoscope.imaging.intensity import MAX_GREY
from gadoscope.inspection.copies import CopyGroup
from gadoscope.inspection.measure import Measurement
from gadoscope.inspection.report import Audited
from gadoscope.labels import Label
from gadoscope.reading.images import read_slice
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
    items = audited.manifest.items
    with_text = [
        index
        for index, result in enumerate(audited.results)
        if isinstance(result, Measurement) and result.marks
    ][: len(report["text"]["cases"])]
    return Pictures(
        copies=[
            _show_group(group, [items[i].path for i in group.members]) for group in audited.copies[:n_cases]
        ],
        text=[_embed(items[index].path) for index in with_text],
        means=_draw_means(audited),
    )


def _show_group(group: CopyGroup, paths: Sequence[Path]) -> list[str]:
    return [_embed(path) for path in paths[: min(len(group.members), MAX_PICTURES)]]


def _embed(path: Path) -> str:
    try:
        return picture(read_slice(path).pixels)
    except InputError:  # it could be read a moment ago: gone since, and the page shows a gap
        return ""


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
