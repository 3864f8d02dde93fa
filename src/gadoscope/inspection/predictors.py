"""What might give the label away without any look at the brain, as numbers and names of each image."""

from collections.abc import Iterator, Sequence

import numpy as np

from gadoscope.arrays import Floats
from gadoscope.inspection.marks import Mark
from gadoscope.inspection.measure import Measurement
from gadoscope.preparation.items import Item
from gadoscope.statistics.predictors import Nature, Predictor

MAX_NAMES = 50
"""A column of more different texts is free text or a number of its own for each image."""
COLUMNS_LEFT_OUT = frozenset({"sha256", "licence", "note"})
"""Written about an image, not known with it: no network could read them."""


def list_predictors(items: Sequence[Item], measured: Sequence[Measurement]) -> list[Predictor]:
    """Return the trivial predictors that these images have values for."""
    return [
        *_of_manifest(items),
        *_of_files(measured),
        *_of_columns(items),
        *_of_pixels(measured),
    ]


def _of_manifest(items: Sequence[Item]) -> Iterator[Predictor]:
    planes = np.array([item.plane.value for item in items], dtype=np.str_)
    sources = np.array([item.source for item in items], dtype=np.str_)
    yield Predictor("plane", "sagittal, axial or coronal", Nature.CIRCUMSTANCE, planes)
    yield Predictor("source", "which collection the image is from", Nature.CIRCUMSTANCE, sources)


def _of_files(measured: Sequence[Measurement]) -> Iterator[Predictor]:
    shape = np.array([(*one.shape, one.shape[0] / one.shape[1]) for one in measured], dtype=np.float64)
    formats = sorted({one.image_format for one in measured})
    file = [
        (one.n_bytes, one.n_bytes / (one.shape[0] * one.shape[1]), formats.index(one.image_format))
        for one in measured
    ]
    yield Predictor("image size", "rows, columns and their ratio", Nature.CIRCUMSTANCE, shape)
    yield Predictor(
        "file size", "bytes, bytes a pixel, and the format", Nature.CIRCUMSTANCE, np.array(file, np.float64)
    )
    yield Predictor(
        "encoding",
        "bits and channels of a pixel, and the quality of a JPEG",
        Nature.CIRCUMSTANCE,
        np.array([one.encoding for one in measured], dtype=np.float64),
    )
    yield Predictor(
        "grain and sharpness",
        "noise, JPEG's blocks, and whether the picture was magnified",
        Nature.CIRCUMSTANCE,
        np.array([one.texture for one in measured], dtype=np.float64),
    )
    yield Predictor(
        "position",
        "where the head lies in the picture, and which way it faces",
        Nature.CIRCUMSTANCE,
        np.array([one.lie for one in measured], dtype=np.float64),
    )
    yield Predictor(
        "border",
        "grey at the four borders and in the four corners",
        Nature.CIRCUMSTANCE,
        np.array([one.border for one in measured], dtype=np.float64),
    )
    yield Predictor(
        "burned-in text",
        "letters and tags beside the head: how many, and where the first is",
        Nature.CIRCUMSTANCE,
        np.array([_describe_marks(one.marks) for one in measured], dtype=np.float64),
    )


def _of_pixels(measured: Sequence[Measurement]) -> Iterator[Predictor]:
    mean = np.array([[one.mean] for one in measured], dtype=np.float64)
    histogram = np.array([one.histogram for one in measured], dtype=np.float64)
    yield Predictor("mean", "the mean grey value alone", Nature.GREY, mean)
    yield Predictor("histogram", "how often each grey value occurs, not where", Nature.GREY, histogram)


def _of_columns(items: Sequence[Item]) -> Iterator[Predictor]:
    """Yield the manifest's further columns: vendor, field strength, sequence, age ..."""
    names = dict.fromkeys(name for item in items for name in item.extra)
    for name in names:
        texts = [item.extra.get(name, "").strip() for item in items]
        if name.casefold() in COLUMNS_LEFT_OUT or not any(texts):
            continue
        values = _to_numbers(texts)
        if values is None:
            if len(set(texts)) > MAX_NAMES:
                continue
            values = np.array(texts, dtype=np.str_)
        yield Predictor(name, "a column of the manifest", Nature.CIRCUMSTANCE, values)


def _to_numbers(texts: Sequence[str]) -> Floats | None:
    """Return a column as numbers, NaN where empty; None if one is no finite number."""
    try:
        numbers = np.array([float(text) if text else np.nan for text in texts], dtype=np.float64)
    except ValueError:
        return None
    if np.isinf(numbers).any() or np.isnan(numbers).sum() > texts.count(""):
        return None
    return numbers[:, np.newaxis]


def _describe_marks(marks: Sequence[Mark]) -> tuple[float, ...]:
    n_tags = sum(mark.kind == "tag" for mark in marks)
    area = sum((mark.bottom - mark.top) * (mark.right - mark.left) for mark in marks)
    first = (marks[0].top, marks[0].left) if marks else (-1.0, -1.0)
    return (len(marks) - n_tags, n_tags, area, *first)
