"""The curves of the lesson: learning, ROC, precision-recall, scores, and accuracy by threshold."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator, NullLocator
from numpy.typing import NDArray

from gadoscope.markup import POST_COLOUR, PRE_COLOUR
from gadoscope.report.figures import (
    FAINT,
    INK,
    TRAIN_COLOUR,
    VALIDATION_COLOUR,
    drawing,
    new_figure,
    to_svg,
)
from gadoscope.statistics.metrics import (
    accuracy_sweep,
    average_precision,
    precision_recall_points,
    roc_auc,
    roc_points,
)
from gadoscope.wording import area, percent, plural, probability

# Inches; two small figures stand beside each other in the report, on a telephone each fills the window with
# letters that can be read. The learning curves are a file of their own as well.
SMALL = (4.7, 3.4)
LEARNING = (10.8, 3.5)
# Side of the corner that is enlarged: good networks live in it.
CORNER = 0.2
N_BINS = 20
# Beyond 0 and 1, so that a line along the edge keeps its width.
MARGIN = 0.02
# Behind a note, so that lines do not run through it.
_PAPER: Any = {"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
# A note stands to the right of its mark, but to the left of a mark beyond this: it would run out.
LAST_RIGHT = 0.62
_LEARNT = {"loss": "Loss (binary cross-entropy)", "accuracy": "Accuracy by epoch"}
# Points between a panel and its title where the legend stands between them.
TITLE_ABOVE_LEGEND = 22
# Up to this many epochs each one gets a dot; more would hide the line.
MAX_DOTS = 40


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
    """What is drawn of one split: labels and scores of shape (n,), both classes present."""

    title: str
    colour: str
    is_post: NDArray[np.bool_]
    logit: NDArray[np.float64]
    probability: NDArray[np.float64]
    threshold: float


def learning_curves_svg(metrics: Sequence[Mapping[str, Any]], kept: int | None = None) -> str:
    """Draw loss and accuracy by epoch, training and validation, as one ``<svg>`` element.

    Parameters
    ----------
    metrics
        One mapping an epoch: ``epoch``, ``train_loss``, ``train_accuracy``, ``validation_loss``,
        ``validation_accuracy``. A missing value, ``None`` or NaN leaves a gap.
    kept
        The epoch whose weights were kept, which a line marks; None where it is the last.
    """
    with drawing():
        figure, (loss, accuracy) = new_figure(*LEARNING, panels=2)
        _draw_learning(loss, metrics, "loss", kept)
        _draw_learning(accuracy, metrics, "accuracy", kept)
        return to_svg(
            figure,
            name="learning-curves",
            title="Learning curves",
            description=_describe_learning(metrics, kept),
        )


def _draw_learning(axes: Axes, metrics: Sequence[Mapping[str, Any]], key: str, kept: int | None) -> None:
    axes.set_title(_LEARNT[key])
    axes.set_xlabel("Epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    epochs = [int(row.get("epoch", index + 1)) for index, row in enumerate(metrics)]
    marker = "o" if len(epochs) <= MAX_DOTS else None
    for split, colour, dash in (("train", TRAIN_COLOUR, "--"), ("validation", VALIDATION_COLOUR, "-")):
        values = [_number(row.get(f"{split}_{key}")) for row in metrics]
        if any(math.isfinite(value) for value in values):
            axes.plot(
                epochs, values, dash, color=colour, marker=marker, markersize=4, label=split.capitalize()
            )
    if not axes.get_lines():
        return
    if kept is not None:
        axes.axvline(kept, color=INK, linestyle=":", label="Kept")
    axes.legend()
    if key == "loss":
        axes.set_ylim(bottom=0)
    else:
        axes.set_ylim(top=min(1.02, axes.get_ylim()[1]))


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _describe_learning(metrics: Sequence[Mapping[str, Any]], kept: int | None) -> str:
    if not metrics:
        return "No epoch has been trained."
    last = metrics[-1]
    parts = [
        f"{split} {key} {_number(last.get(f'{split}_{key}')):.4f}"
        for key in ("loss", "accuracy")
        for split in ("train", "validation")
        if math.isfinite(_number(last.get(f"{split}_{key}")))
    ]
    marked = "" if kept is None else f" The weights of epoch {kept} are kept."
    said = ", ".join(parts) or "nothing recorded"
    return f"Loss and accuracy over {len(metrics)} epochs; at the end {said}.{marked}"


def learning_curve_svg(
    metrics: Sequence[Mapping[str, Any]], key: str, kept: int | None = None, *, name: str
) -> str:
    """Draw the ``loss`` or the ``accuracy`` alone: on a telephone the two lie below each other."""
    with drawing():
        figure, (axes,) = new_figure(*SMALL)
        _draw_learning(axes, metrics, key, kept)
        title = f"Learning curve, {key}"
        return to_svg(figure, name=name, title=title, description=_describe_learning(metrics, kept))


def roc_svg(splits: Sequence[Curve], *, name: str) -> str:
    """Draw ROC curves on one axis."""
    with drawing():
        figure, (axes,) = new_figure(*SMALL)
        _draw_roc(axes, splits)
        axes.set_title(_name_roc(splits))
        axes.legend(loc="lower right")
        return to_svg(figure, name=name, title=_name_roc(splits), description=_describe_roc(splits))


def roc_corner_svg(splits: Sequence[Curve], *, name: str) -> str:
    """Draw the upper left corner of ROC curves, enlarged; nothing if none of them gets there."""
    points = [roc_points(curve.is_post, curve.logit) for curve in splits]
    if not any(((false <= CORNER) & (true >= 1 - CORNER)).any() for false, true in points):
        return ""
    with drawing():
        figure, (axes,) = new_figure(*SMALL)
        _draw_roc(axes, splits)
        axes.set_title("The upper left corner, enlarged")
        axes.set(xlim=(-MARGIN * CORNER, CORNER), ylim=(1 - CORNER, 1 + MARGIN * CORNER))
        axes.xaxis.set_major_locator(MultipleLocator(CORNER / 4))
        axes.yaxis.set_major_locator(MultipleLocator(CORNER / 4))
        title = f"{_name_roc(splits)}: the upper left corner"
        return to_svg(figure, name=name, title=title, description=_describe_roc(splits))


def _draw_roc(axes: Axes, splits: Sequence[Curve]) -> None:
    axes.plot([0, 1], [0, 1], ":", color=FAINT, linewidth=1.2)
    for curve in splits:
        axes.plot(*roc_points(curve.is_post, curve.logit), color=curve.colour, label=_label_auc(curve))
        axes.plot(*_operating_point(curve), "o", color=curve.colour, markersize=7)
    axes.set(xlim=(-MARGIN, 1 + MARGIN), ylim=(-MARGIN, 1 + MARGIN))
    axes.set_xlabel("False-positive rate (1 - specificity)")
    axes.set_ylabel("True-positive rate (sensitivity)")


def _name_roc(splits: Sequence[Curve]) -> str:
    return f"ROC, {' and '.join(sorted(curve.title.lower() for curve in splits))}"


def _describe_roc(splits: Sequence[Curve]) -> str:
    described = "; ".join(map(_label_auc, splits))
    return f"True-positive against false-positive rate. {described}. Dots: frozen threshold."


def _label_auc(curve: Curve) -> str:
    return f"{curve.title}: AUC {area(roc_auc(curve.is_post, curve.logit))}"


def precision_recall_svg(curve: Curve, *, name: str) -> str:
    """Draw precision against recall, with the average precision and the share of post-contrast images."""
    with drawing():
        figure, (axes,) = new_figure(*SMALL)
        recall, precision = precision_recall_points(curve.is_post, curve.logit)
        value = average_precision(curve.is_post, curve.logit)
        share = float(curve.is_post.mean())
        axes.axhline(share, linestyle=":", color=FAINT, linewidth=1.2)
        axes.annotate(
            f"no skill: {share:.2f}",
            (0.02, share),
            (0, 3),
            textcoords="offset points",
            fontsize=9,
            color=FAINT,
        )
        axes.step(
            recall,
            precision,
            where="pre",
            color=curve.colour,
            label=f"{curve.title}: average precision {area(value)}",
        )
        axes.set(
            xlim=(-MARGIN, 1 + MARGIN),
            ylim=(-MARGIN, 1 + MARGIN),
            xlabel="Recall (sensitivity)",
            ylabel="Precision",
        )
        axes.set_title(f"Precision and recall, {curve.title.lower()}")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 0.02))
        return to_svg(
            figure,
            name=name,
            title=f"Precision-recall curve, {curve.title}",
            description=f"Average precision {area(value)}; {percent(share)} of the images are post-contrast.",
        )


def histogram_svg(curve: Curve, *, name: str) -> str:
    """Draw how many images of each class have which probability; counts on a logarithmic scale."""
    with drawing():
        figure, (axes,) = new_figure(*SMALL)
        edges = np.linspace(0, 1, N_BINS + 1)
        width = 0.42 * (edges[1] - edges[0])
        classes = (
            (~curve.is_post, PRE_COLOUR, "Pre-contrast", 0.0),
            (curve.is_post, POST_COLOUR, "Post-contrast", width),
        )
        highest = 1
        for rows, colour, label, shift in classes:
            counts = np.histogram(curve.probability[rows], edges)[0]
            highest = max(highest, int(counts.max()))
            axes.bar(
                edges[:-1] + 0.08 * width + shift, counts, width, align="edge", color=colour, label=label
            )
        axes.set_yscale("log")
        # From below 1, so that a single image shows; above the highest bar there is room for a note.
        axes.set(xlim=(0, 1), ylim=(0.6, highest * 4), xlabel="P(post-contrast)", ylabel="Images (log scale)")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else ""))
        axes.yaxis.set_minor_locator(NullLocator())
        _mark_threshold(axes, curve.threshold, height=0.93)
        axes.set_title(f"Scores by class, {curve.title.lower()}", pad=TITLE_ABOVE_LEGEND)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 0.98), ncols=2, handlelength=1, columnspacing=1)
        low = int((curve.probability[curve.is_post] < curve.threshold).sum())
        high = int((curve.probability[~curve.is_post] >= curve.threshold).sum())
        return to_svg(
            figure,
            name=name,
            title=f"Scores by class, {curve.title}",
            description=f"{plural(low, 'post-contrast image')} below and "
            f"{plural(high, 'pre-contrast image')} above the threshold {probability(curve.threshold)}.",
        )


def sweep_svg(curve: Curve, best: float | None, *, name: str) -> str:
    """Draw accuracy by threshold; mark the best point (optimistic) and the frozen threshold."""
    with drawing():
        figure, (axes,) = new_figure(*SMALL)
        edges, accuracy = accuracy_sweep(curve.is_post, curve.probability)
        axes.stairs(accuracy, edges, baseline=None, color=curve.colour, linewidth=2)
        frozen = _accuracy_at(curve, curve.threshold)
        _mark_threshold(axes, curve.threshold, height=0.03)
        described = (
            f"At the frozen threshold {probability(curve.threshold)} the accuracy is {percent(frozen)}."
        )
        if best is not None:
            top = _accuracy_at(curve, best)
            axes.plot([best], [top], "*", color=INK, markersize=12, zorder=4)
            axes.annotate(
                f"best {percent(top)} at {probability(best)}",
                (best, top),
                (8 if best < LAST_RIGHT else -8, 9),
                textcoords="offset points",
                ha="left" if best < LAST_RIGHT else "right",
                fontsize=9,
                bbox=_PAPER,
            )
            described += f" The best on these images is {percent(top)}, at {probability(best)}."
        axes.plot([curve.threshold], [frozen], "o", color=curve.colour, markersize=7, zorder=5)
        lowest = float(accuracy.min())
        axes.set(xlim=(0, 1), ylim=(max(0, lowest - 0.03), 1.0 + 0.12 * (1.03 - lowest)))
        axes.set(xlabel="Threshold", ylabel="Accuracy", title=f"Accuracy by threshold, {curve.title.lower()}")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2f}" if value <= 1 else ""))
        return to_svg(figure, name=name, title=f"Accuracy by threshold, {curve.title}", description=described)


def _operating_point(curve: Curve) -> tuple[list[float], list[float]]:
    called_post = curve.probability >= curve.threshold
    return [float(called_post[~curve.is_post].mean())], [float(called_post[curve.is_post].mean())]


def _accuracy_at(curve: Curve, threshold: float) -> float:
    return float(((curve.probability >= threshold) == curve.is_post).mean())


def _mark_threshold(axes: Axes, threshold: float, *, height: float) -> None:
    axes.axvline(threshold, linestyle="--", color=INK, linewidth=1.1)
    right = threshold < LAST_RIGHT
    axes.annotate(
        f"frozen {probability(threshold)}",
        (threshold, height),
        (4 if right else -4, 0),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="left" if right else "right",
        fontsize=9,
        bbox=_PAPER,
    )
