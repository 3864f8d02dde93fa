"""The same figures for parts of the images: by source and plane, and by whatever else is known."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gadoscope.labels import Plane
from gadoscope.records import Data, to_plain
from gadoscope.statistics.delong import estimate_auc
from gadoscope.statistics.shares import estimate_balanced_accuracy, estimate_rates, estimate_share
from gadoscope.statistics.table import Predictions

TITLES = {
    "plane": "Plane",
    "vendor": "Vendor",
    "field_strength": "Field strength",
    "sex": "Sex",
    "age_band": "Age",
}
UNKNOWN = "unknown"


def subgroups(predictions: Predictions, threshold: float) -> list[Data]:
    """Return counts and figures by source and plane, by source where it has several planes, and in all."""
    rows: list[Data] = []
    for source in sorted(set(predictions.source)):
        of_source = predictions.source == source
        planes = [plane.value for plane in Plane if (of_source & (predictions.plane == plane.value)).any()]
        for plane in planes:
            part = predictions.select(of_source & (predictions.plane == plane))
            rows.append({"source": str(source), "plane": plane, **describe_part(part, threshold)})
        if len(planes) > 1:
            part = predictions.select(of_source)
            rows.append({"source": str(source), "plane": None, **describe_part(part, threshold)})
    if len(set(predictions.source)) > 1:
        rows.append({"source": None, "plane": None, **describe_part(predictions, threshold)})
    return rows


def attribute_subgroups(predictions: Predictions, threshold: float) -> list[Data]:
    """Return counts and figures by plane over all sources, vendor, field strength, sex and age band.

    An attribute with one value in all images divides nothing and has no rows; where it is empty the
    value is ``unknown``, the last row.
    """
    rows: list[Data] = []
    for name, values in _columns(predictions):
        known = sorted(set(values[values != ""]), key=_natural)
        if len(known) + bool((values == "").any()) < 2:  # noqa: PLR2004  # one value divides nothing
            continue
        for value in [*known, *([""] if (values == "").any() else [])]:
            part = predictions.select(values == value)
            row = {"by": TITLES[name], "value": str(value) or UNKNOWN}
            rows.append({**row, **describe_part(part, threshold)})
    return rows


def _columns(predictions: Predictions) -> Iterator[tuple[str, NDArray[np.str_]]]:
    if len(set(predictions.source)) > 1:  # with one source the table by source says it
        yield "plane", predictions.plane
    for name in TITLES:
        if name in predictions.attributes:
            yield name, predictions.attributes[name]


def _natural(value: str) -> tuple[float, str]:
    """Put numbers, and texts that begin with one, in the order of these."""
    digits = value.replace("<", "").split("-")[0].split(" ")[0].rstrip("+")
    try:
        return float(digits) - ("<" in value), value
    except ValueError:
        return float("inf"), value


def count(predictions: Predictions) -> Data:
    """Return how many images, subjects and labels of each class there are."""
    sizes = np.bincount(predictions.subject_group) if len(predictions) else np.zeros(0, dtype=np.int64)
    return {
        "n_images": len(predictions),
        "n_subjects": predictions.n_subjects,
        "most_images_of_a_subject": int(sizes.max()) if predictions.has_subjects else None,
        "n_pre": predictions.n_pre,
        "n_post": predictions.n_post,
    }


def describe_part(part: Predictions, threshold: float) -> Data:
    """Return counts and figures, each with its interval by subject, of at least one image."""
    subject = part.subject_group
    called_post = part.probability >= threshold
    rates = estimate_rates(part.is_post, called_post, subject)
    return {
        **count(part),
        "accuracy": to_plain(estimate_share(called_post == part.is_post, subject)),
        "sensitivity": to_plain(rates.sensitivity),
        "specificity": to_plain(rates.specificity),
        "balanced_accuracy": to_plain(estimate_balanced_accuracy(rates)),
        "auc": to_plain(estimate_auc(part.is_post, part.logit, subject)),
    }
