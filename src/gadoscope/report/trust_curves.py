"""Reliability diagram, risk-coverage curve, and models side by side, as figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from gadoscope.report.figures import FAINT, INK, TEST_COLOUR, drawing, new_figure, short_label, to_svg
from gadoscope.wording import area, percent, plural

Data = Mapping[str, Any]

# Inches; each stands beside a table.
SQUARE = (4.7, 4.0)
MARGIN = 0.02
# Sources that get a curve of their own: more lines cannot be told apart.
MAX_SOURCES = 5
SOURCE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9")
"""Okabe and Ito's, without the colours that stand for all images."""
DASHES: tuple[Any, ...] = ("--", ":", "-.", (0, (5, 1)), (0, (3, 1, 1, 1)))
"""So that lines can be told apart without colour, too."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RiskCurve:
    """Share of wrong answers by share of images answered, both of shape (k,)."""

    name: str
    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]


def reliability_svg(calibration: Data, *, name: str) -> str:
    """Draw predicted against observed shares, before and after calibration, with intervals by subject.

    Parameters
    ----------
    calibration
        ``before`` (or None) and ``after``, each a `CalibrationQuality` in plain values.
    """
    with drawing():
        figure, (axes,) = new_figure(*SQUARE)
        axes.plot([0, 1], [0, 1], ":", color=FAINT, linewidth=1.2)
        axes.annotate(
            "perfect",
            (0.3, 0.3),
            (4, -12),
            textcoords="offset points",
            fontsize=9,
            color=FAINT,
        )
        if calibration["before"] is not None:
            _draw_points(axes, calibration["before"], FAINT, "Before calibration", "s")
        _draw_points(axes, calibration["after"], TEST_COLOUR, _label_after(calibration), "o")
        axes.set(xlim=(-MARGIN, 1 + MARGIN), ylim=(-MARGIN, 1 + MARGIN))
        axes.set(xlabel="Mean predicted probability", ylabel="Observed share post-contrast")
        axes.set_title("Reliability diagram")
        axes.legend(loc="upper left")
        ece = calibration["after"]["ece"]["value"]
        return to_svg(
            figure,
            name=name,
            title="Reliability diagram",
            description=f"Share of post-contrast cases by mean probability in "
            f"{plural(len(calibration['after']['points']), 'group')}; expected calibration error "
            f"{percent(ece)}.",
        )


def _label_after(calibration: Data) -> str:
    return "Uncalibrated" if calibration["before"] is None else "After calibration"


def _draw_points(axes: Axes, quality: Data, colour: str, label: str, marker: str) -> None:
    points = quality["points"]
    said = np.array([point["mean_probability"] for point in points])
    so, lower, upper = (
        np.array([point["observed"][key] for point in points], dtype=np.float64)
        for key in ("value", "lower", "upper")
    )
    axes.errorbar(
        said,
        so,
        yerr=np.maximum([so - lower, upper - so], 0),
        color=colour,
        marker=marker,
        markersize=6,
        linewidth=1.2,
        elinewidth=1.4,
        capsize=2.5,
        label=label,
        alpha=0.95,
    )


def risk_coverage_svg(curves: Sequence[RiskCurve], band: tuple[float, float] | None, *, name: str) -> str:
    """Draw the share of wrong answers against the share of cases that get an answer.

    Parameters
    ----------
    curves
        All cases first, then the sources.
    band
        Share that the bundle's band answers, and the share of wrong ones among them; None where it has none.
        It need not lie on the curve, whose bands are even around the threshold.
    """
    with drawing():
        figure, (axes,) = new_figure(*SQUARE)
        for number, curve in enumerate(curves[1 : MAX_SOURCES + 1]):
            axes.plot(
                curve.coverage,
                curve.risk,
                linestyle=DASHES[number],
                color=SOURCE_COLOURS[number],
                linewidth=1.5,
                label=short_label(curve.name),
            )
        whole = curves[0]
        axes.plot(whole.coverage, whole.risk, color=TEST_COLOUR, linewidth=2.4, label=whole.name)
        if band is not None:
            axes.plot([band[0]], [band[1]], "o", color=INK, markersize=7, label="With the band")
        highest = max(float(curve.risk.max(initial=0)) for curve in curves[: MAX_SOURCES + 1])
        top = min(1.0, max(1.25 * highest, 0.05))
        axes.set(xlim=(0, 1 + MARGIN), ylim=(-MARGIN * top, top))
        axes.set(
            xlabel="Coverage: answered, the most certain first",
            ylabel="Selective risk: wrong, of the answered",
        )
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0 if top > MAX_FINE else 1))
        axes.set_title("Risk-coverage curve")
        axes.legend(loc="upper left")
        return to_svg(
            figure,
            name=name,
            title="Risk-coverage curve",
            description=f"Answering everything, {percent(float(whole.risk[-1]))} of the answers are wrong; "
            "leaving out the least certain moves along the curve to the left.",
        )


# Below this the axis needs a digit after the point.
MAX_FINE = 0.08


def forest_svg(rows: Sequence[Data], key: str, title: str, *, name: str) -> str:
    """Draw one figure of several models with its intervals, one line a model.

    Parameters
    ----------
    rows
        ``name`` and ``figures`` (None where a rival is not available); those without are left out.
    key, title
        Which of their figures, and what it is called.
    """
    shown = [row for row in rows if row["figures"] is not None]
    with drawing():
        figure, (axes,) = new_figure(SQUARE[0], 1.1 + 0.36 * len(shown))
        places = np.arange(len(shown))[::-1]
        axes.axvline(0.5, linestyle=":", color=FAINT, linewidth=1.2)
        for place, row in zip(places, shown, strict=True):
            _draw_estimate(axes, row["figures"][key], int(place), is_first=row is shown[0])
        axes.set(xlim=(0 - MARGIN, 1 + MARGIN), ylim=(-0.6, len(shown) - 0.4))
        axes.set_title(title)
        axes.set_yticks(places, [short_label(row["name"]) for row in shown])
        axes.grid(axis="y", visible=False)
        write = area if key == "auc" else percent
        described = "; ".join(f"{row['name']} {write(row['figures'][key]['value'])}" for row in shown)
        return to_svg(
            figure,
            name=name,
            title=f"{title} of the models",
            description=f"{title} with 95 % intervals: {described}.",
        )


def _draw_estimate(axes: Axes, estimate: Data, place: int, *, is_first: bool) -> None:
    if estimate["value"] is None:
        return
    colour = TEST_COLOUR if is_first else INK
    if estimate["lower"] is not None:
        axes.plot([estimate["lower"], estimate["upper"]], [place, place], color=colour, linewidth=2)
    axes.plot([estimate["value"]], [place], "o", color=colour, markersize=7)
