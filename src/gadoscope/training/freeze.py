"""What turns logits into answers, chosen on the validation images with the finished network, then frozen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gadoscope.aggregation import Aggregation
from gadoscope.evaluation.aggregation_choice import choose_aggregation, pool_series
from gadoscope.evaluation.held_out import Candidate
from gadoscope.imaging.intensity import ImagePath
from gadoscope.inference.bundle import Level, OperatingPoint
from gadoscope.labels import Label
from gadoscope.preparation.items import Item
from gadoscope.preparation.series import name_series
from gadoscope.scores import Calibration
from gadoscope.training.config import AUTO, TrainingConfig
from gadoscope.training.level import MIN_SUBJECTS, FrozenLevel, Validation, freeze_level
from gadoscope.training.loop import VALIDATION_BATCH_SIZE, TrainingData

FROZEN_SEPARATELY = "validation_series"
"""Key of the performance at series level; it is missing where series are decided as slices are."""


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """What the bundle takes over, and what it reaches on the images it was chosen on.

    ``series_point`` and ``series_calibration`` are None where series are decided as slices are.
    """

    point: OperatingPoint
    calibration: Calibration
    aggregation: Aggregation
    series_point: OperatingPoint | None
    series_calibration: Calibration | None
    performance: Mapping[str, Any]
    notices: tuple[str, ...]


def freeze(network: nn.Module, data: TrainingData, config: TrainingConfig) -> Frozen:
    """Choose calibration, threshold and band on the validation images, and on their series.

    Raises
    ------
    ManifestError
        If a class is missing or a logit is not a finite number.
    """
    items = [data.store.items[row] for row in data.validation]
    return freeze_logits(items, _infer(network, data, config.image), config)


def freeze_logits(items: Sequence[Item], logit: NDArray[np.float64], config: TrainingConfig) -> Frozen:
    """Do so for the logits of validation images, shape (n,), in the order of ``items``."""
    slices = _gather(items, logit)
    of_slices = freeze_level(slices, config)
    series = name_series(items)
    aggregation, candidates = _aggregate(slices, series, config)
    of_series = _freeze_series(slices, series, aggregation, config)
    performance: dict[str, Any] = {"validation": of_slices.performance}
    if of_series:
        ways = {"aggregations": [candidate.to_dict() for candidate in candidates]} if candidates else {}
        performance[FROZEN_SEPARATELY] = {**of_series.performance, **ways}
    return Frozen(
        point=of_slices.point,
        calibration=of_slices.calibration,
        aggregation=aggregation,
        series_point=of_series.point if of_series else None,
        series_calibration=of_series.calibration if of_series else None,
        performance=performance,
        notices=(*of_slices.notices, *(of_series.notices if of_series else ())),
    )


def _gather(items: Sequence[Item], logit: NDArray[np.float64]) -> Validation:
    """Return the images with the subject of each, or the nearest to it that is known."""
    subjects = [item.subject_id for item in items]
    series = name_series(items) or [str(index) for index in range(len(items))]
    # \0 stands in no cell of a table: a series is never taken for a subject of that name.
    group = [
        f"\0{one}" if subject is None else subject for subject, one in zip(subjects, series, strict=True)
    ]
    return Validation(
        level=Level.SLICE,
        is_post=np.array([item.label is Label.POST for item in items]),
        logit=logit,
        group=np.array(group),
        n_subjects=None if None in subjects else len(set(subjects)),
    )


def _aggregate(
    slices: Validation, series: Sequence[str] | None, config: TrainingConfig
) -> tuple[Aggregation, tuple[Candidate, ...]]:
    """Return the aggregation, and what each reaches where it was chosen."""
    if config.aggregation.method != AUTO or series is None or not _is_enough(slices, series):
        return config.aggregation.to_aggregation(), ()
    choice = choose_aggregation(slices.is_post, slices.logit, np.array(series), slices.group)
    return choice.aggregation, choice.candidates


def _freeze_series(
    slices: Validation, series: Sequence[str] | None, aggregation: Aggregation, config: TrainingConfig
) -> FrozenLevel | None:
    """Return what is frozen of series; None where they are unknown, too few, or single slices."""
    if series is None or not _is_enough(slices, series):
        return None
    names = np.array(series)
    first = np.unique(names, return_index=True)[1]
    pooled = Validation(
        level=Level.SERIES,
        is_post=slices.is_post[first],
        logit=pool_series(aggregation, slices.logit, names),
        group=slices.group[first],
        n_subjects=slices.n_subjects,
    )
    return freeze_level(pooled, config)


def _is_enough(slices: Validation, series: Sequence[str]) -> bool:
    """Return whether series can be judged on their own: enough subjects, and slices to aggregate."""
    return slices.n_fewest >= MIN_SUBJECTS and len(set(series)) < len(series)


@torch.inference_mode()
def _infer(network: nn.Module, data: TrainingData, image_path: ImagePath) -> NDArray[np.float64]:
    """Return the logits of the validation images in full precision, whatever the run trained in."""
    network.eval()
    device = next(network.parameters()).device
    logits = []
    for start in range(0, len(data.validation), VALIDATION_BATCH_SIZE):
        rows = data.validation[start : start + VALIDATION_BATCH_SIZE]
        images = torch.from_numpy(image_path.scale(data.store.images[rows])).to(device)
        logits.append(network(images).double().cpu().numpy())
    return np.concatenate(logits)
