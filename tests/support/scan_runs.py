"""Whole runs over scans, and bundles whose answer the phantom's brightness decides."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from gadoscope.classification.run import iter_results
from gadoscope.labels import SeriesResult, Status
from gadoscope.results.ledger import Ledger
from tests.support.bundles import TINY_SLOPE, with_point, write_tiny_bundle
from tests.support.dicom_files import stored_pixels

WHITE = 255


def classify(bundle: Path, *paths: Path, jobs: int = 2) -> list[SeriesResult]:
    """Return all rows of one run; the ledger has counted each of them."""
    rows = list(iter_results(paths, model=bundle, jobs=jobs))
    ledger = Ledger()
    for row in rows:
        ledger.add(row)
    assert ledger.n_inputs == len(rows) == sum(ledger.by_status[status] for status in Status)
    return rows


def window_of(dataset: Dataset) -> tuple[float, float]:
    """Return the values shown as black and as white (PS3.3 C.11.2.1.2, LINEAR)."""
    centre, width = float(dataset.WindowCenter), float(dataset.WindowWidth)
    return centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2


def grey_of(dataset: Dataset) -> NDArray[np.uint8]:
    """Return a slice as its window shows it, computed here and not by the program."""
    black, white = window_of(dataset)
    shown = (stored_pixels(dataset).astype(float) - black) * WHITE / (white - black)
    grey: NDArray[np.uint8] = np.clip(np.rint(shown), 0, WHITE).astype(np.uint8)
    return grey


def mean_brightness(datasets: list[Dataset]) -> float:
    """Return the mean grey of some slices, in [0, 1]."""
    return float(np.mean([grey_of(dataset).mean() for dataset in datasets])) / WHITE


def write_bundle_between(path: Path, darker: float, brighter: float) -> Path:
    """Write a tiny bundle that takes mean brightness half-way between for the edge of post-contrast."""
    assert darker < brighter
    edge = float(1 / (1 + np.exp(-TINY_SLOPE * ((darker + brighter) / 2 - 0.5))))
    return write_tiny_bundle(path, with_point(threshold=edge, lower=edge, upper=edge))
