"""What turns logits into answers, chosen on the validation images with the finished network, then frozen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gadoscope.decision.aggregation import Aggregation
from gadoscope.decision.calibration import Calibration
from gadoscope.decision.gate import Gate
from gadoscope.decision.operating_point import OperatingPoint
from gadoscope.freezing.aggregation import choose_aggregation, pool_series
from gadoscope.freezing.held_out import Candidate
from gadoscope.imaging.intensity import ImagePath
from gadoscope.labels import Label, Level, Plane
from gadoscope.models.network import gate_of, phase_of
from gadoscope.preparation.items import Item
from gadoscope.preparation.series import name_series
from gadoscope.preparation.store import Store
from gadoscope.statistics.table import Predictions
from gadoscope.training.config import AUTO, TrainingConfig
from gadoscope.training.counterexamples import draw_counterexamples
from gadoscope.training.gate import freeze_gate
from gadoscope.training.level import MIN_SUBJECTS, FrozenLevel, Validation, freeze_level
from gadoscope.training.loop import VALIDATION_BATCH_SIZE, TrainingData

N_DRAWN = 256
"""Counterexamples that are drawn to see what the gate refuses; the threshold does not depend on them."""
VALIDATION_STREAM = 6
"""Of random numbers; those of training are in `batches`."""

FROZEN_SEPARATELY = "validation_series"
"""Key of the performance at series level; it is missing where series are decided as slices are."""


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """What the bundle takes over, and what it reaches on the images it was chosen on.

    ``series_point`` and ``series_calibration`` are None where series are decided as slices are, ``gate``
    of a network without one.
    """

    point: OperatingPoint
    calibration: Calibration
    aggregation: Aggregation
    series_point: OperatingPoint | None
    series_calibration: Calibration | None
    gate: Gate | None = None
    performance: Mapping[str, Any]
    notices: tuple[str, ...]


def freeze(
    network: nn.Module, data: TrainingData, config: TrainingConfig, held_out: Frozen | None = None
) -> Frozen:
    """Choose calibration, threshold and band on the validation images and their series, and the gate.

    Parameters
    ----------
    held_out
        From `freeze_held_out`; then nothing but the gate is chosen on the validation images.

    Raises
    ------
    ManifestError
        If a class is missing or a logit is not a finite number.
    """
    store = data.validation
    phase, t1_brain = _infer(network, store.images, config.image)
    frozen = held_out or _freeze_validation(store, phase, config)
    if t1_brain is None:
        return frozen
    return replace(frozen, gate=_freeze_gate(network, store, t1_brain, config))


def freeze_held_out(predictions: Predictions, config: TrainingConfig) -> Frozen:
    """Do so for the answers of networks of the same recipe to images that each had not seen.

    All images of all subjects can be asked so, and not only those that validate: with a few dozen subjects
    that is the difference between a promise and none.

    Raises
    ------
    ManifestError
        As `freeze`.
    """
    items = [
        Item(
            path=Path(path),
            label=Label.POST if is_post else Label.PRE,
            subject_id=subject or None,
            plane=Plane(plane),
            source=source,
        )
        for path, is_post, subject, plane, source in zip(
            predictions.path.tolist(),
            predictions.is_post.tolist(),
            predictions.subject_id.tolist(),
            predictions.plane.tolist(),
            predictions.source.tolist(),
            strict=True,
        )
    ]
    return freeze_logits(items, predictions.logit, config, origin="out of fold")


def freeze_logits(
    items: Sequence[Item], logit: NDArray[np.float64], config: TrainingConfig, *, origin: str = "validation"
) -> Frozen:
    """Do so for the logits of images, shape (n,), in the order of ``items``."""
    items, logit, notices = _select_sources(items, logit, config.operating_point.sources)
    slices = _gather(items, logit, origin)
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
        notices=(*notices, *of_slices.notices, *(of_series.notices if of_series else ())),
    )


def _freeze_validation(store: Store, phase: NDArray[np.float64], config: TrainingConfig) -> Frozen:
    items = [item for item, is_it in zip(store.items, store.is_t1, strict=True) if is_it]
    return freeze_logits(items, phase[store.is_t1], config)


def _select_sources(
    items: Sequence[Item], logit: NDArray[np.float64], sources: Sequence[str]
) -> tuple[Sequence[Item], NDArray[np.float64], tuple[str, ...]]:
    """Return the images of the named sources, and what the user must know.

    A source may be held out, and then nothing here is of it: no reason to lose a training that is done.
    """
    if not sources:
        return items, logit, ()
    chosen = np.array([item.source in sources for item in items])
    if not chosen.any():
        present = sorted({item.source for item in items})
        return (
            items,
            logit,
            (
                f"operating_point.sources name {', '.join(sources)}, but the images to choose on are of "
                f"{', '.join(present)}: all of them were asked.",
            ),
        )
    return [item for item, is_chosen in zip(items, chosen, strict=True) if is_chosen], logit[chosen], ()


def _gather(items: Sequence[Item], logit: NDArray[np.float64], origin: str) -> Validation:
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
        origin=origin,
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
        origin=slices.origin,
    )
    return freeze_level(pooled, config)


def _is_enough(slices: Validation, series: Sequence[str]) -> bool:
    """Return whether series can be judged on their own: enough subjects, and slices to aggregate."""
    return slices.n_fewest >= MIN_SUBJECTS and len(set(series)) < len(series)


def _freeze_gate(
    network: nn.Module, store: Store, t1_brain: NDArray[np.float64], config: TrainingConfig
) -> Gate:
    """Choose the gate's threshold on the validation images, and look at what it refuses of drawn ones."""
    is_t1, logits = [store.is_t1], [t1_brain]
    groups = [item.subject_id or str(item.path) for item in store.items]
    if config.gate.counterexamples:
        drawn = draw_counterexamples(
            store.images[np.flatnonzero(store.is_t1)], N_DRAWN, seed=[config.seed, VALIDATION_STREAM]
        )
        of_drawn = _infer(network, drawn, config.image)[1]
        assert of_drawn is not None  # noqa: S101 - narrows the type only
        is_t1.append(np.zeros(N_DRAWN, np.bool_))
        logits.append(of_drawn)
        groups += [f"\0drawn {index}" for index in range(N_DRAWN)]
    return freeze_gate(np.concatenate(is_t1), np.concatenate(logits), np.array(groups), config.gate)


@torch.inference_mode()
def _infer(
    network: nn.Module, slices: NDArray[np.uint8], image_path: ImagePath
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return the logits of phase and gate in full precision, whatever the run trained in.

    Parameters
    ----------
    slices
        Shape (n, size, size), 0..255.
    """
    network.eval()
    device = next(network.parameters()).device
    answers = []
    for start in range(0, len(slices), VALIDATION_BATCH_SIZE):
        pixels = slices[start : start + VALIDATION_BATCH_SIZE]
        answers.append(network(torch.from_numpy(image_path.scale(pixels)).to(device)))
    phase = torch.cat([phase_of(answer) for answer in answers])
    gates = [gate for gate in map(gate_of, answers) if gate is not None]
    return _to_numpy(phase), _to_numpy(torch.cat(gates)) if gates else None


def _to_numpy(logits: torch.Tensor) -> NDArray[np.float64]:
    values: NDArray[np.float64] = logits.double().cpu().numpy()
    return values
