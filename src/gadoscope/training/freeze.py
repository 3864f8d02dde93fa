"""The finished network asked about its validation images, on which a decision is frozen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gadoscope.arrays import Floats
from gadoscope.decision.calibration import sigmoid
from gadoscope.decision.decision import Decision
from gadoscope.decision.gate import Gate
from gadoscope.errors import ConfigError
from gadoscope.files import hash_file
from gadoscope.freezing.freeze import Frozen, freeze_decision, freeze_held_out
from gadoscope.freezing.gate import freeze_gate, measure_gate
from gadoscope.freezing.inherited import inherit, measure_inherited
from gadoscope.freezing.plan import Plan
from gadoscope.imaging.intensity import ImagePath
from gadoscope.inference.bundle import Bundle
from gadoscope.models.network import gate_of, phase_of
from gadoscope.preparation.items import Item, tabulate
from gadoscope.preparation.series import name_series
from gadoscope.preparation.store import Store
from gadoscope.preparation.subjects import name_subjects
from gadoscope.statistics.table import Predictions, read_predictions
from gadoscope.training.answers import iter_answers
from gadoscope.training.config import TrainingConfig
from gadoscope.training.counterexamples import draw_counterexamples
from gadoscope.training.data import TrainingData
from gadoscope.training.kinds import fit_kinds

N_DRAWN = 256
"""Counterexamples that are drawn to see what the gate refuses; the threshold does not depend on them."""
VALIDATION_STREAM = 6
"""Of random numbers; those of training are in `batches`."""


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """What was frozen on a table of held-out answers, and the SHA-256 of that table; none without a table."""

    frozen: Frozen | None = None
    sha256: str | None = None


def freeze_table(table: Path | None, plan: Plan) -> HeldOut:
    """Freeze on the held-out table, if there is one: that takes nothing of what is yet to be trained.

    Raises
    ------
    ManifestError
        If the table does not fit.
    """
    if table is None:
        return HeldOut()
    return HeldOut(frozen=freeze_held_out(read_predictions(table), plan), sha256=hash_file(table))


def freeze(
    network: nn.Module,
    data: TrainingData,
    config: TrainingConfig,
    held_out: Frozen | None = None,
    inherited: Decision | None = None,
) -> Frozen:
    """Choose calibration, threshold and band on the validation images and their series, and the gate.

    Parameters
    ----------
    held_out
        From `freeze_table`; then nothing but the gate is chosen on the validation images.
    inherited
        Of the bundle that the run began from, as of `inherit`; then nothing is, unless that has no gate.

    Raises
    ------
    ManifestError
        If a class is missing or a logit is not a finite number.
    """
    store = data.validation
    phase, t1_brain = _infer(network, store.images, config.image)
    items = [item for item, is_it in zip(store.items, store.is_t1, strict=True) if is_it]
    if inherited is not None:
        frozen = _take_over(inherited, items, phase[store.is_t1])
    else:
        frozen = held_out or freeze_logits(items, phase[store.is_t1], config.to_plan())
    if t1_brain is None:
        return frozen.with_gate(None)
    gate = _freeze_gate(network, store, t1_brain, config, frozen.decision.gate)
    return frozen.with_gate(replace(gate, kinds=fit_kinds(network, data.train, config)))


def find_inherited(config: TrainingConfig, start: Bundle | None) -> Decision | None:
    """Return the decision that the config asks to take over; None where it asks for none.

    Raises
    ------
    ConfigError
        If the run starts from no bundle.
    """
    if not config.operating_point.inherit:
        return None
    if start is None:
        raise ConfigError(
            "operating_point.inherit is true and the run starts from no bundle, so there is nothing to "
            "inherit; name one with --init, such as --init default, or set operating_point.inherit=false."
        )
    return inherit(start.metadata.decision, start.model_id)


def _take_over(inherited: Decision, items: Sequence[Item], logit: Floats) -> Frozen:
    table = Predictions(**tabulate(items), logit=logit, probability=sigmoid(logit))
    return Frozen(
        decision=inherited, performance={"validation": measure_inherited(inherited, table)}, notices=()
    )


def freeze_logits(items: Sequence[Item], logit: Floats, plan: Plan) -> Frozen:
    """Freeze on the logits of images, shape (n,), in the order of ``items``.

    Raises
    ------
    ManifestError
        If a class is missing or a logit is not a finite number.
    """
    table = Predictions(**tabulate(items), logit=logit, probability=sigmoid(logit))
    return freeze_decision(table, name_series(items), plan)


def _freeze_gate(
    network: nn.Module,
    store: Store,
    t1_brain: NDArray[np.float64],
    config: TrainingConfig,
    inherited: Gate | None,
) -> Gate:
    """Choose the gate's threshold on the validation images, and look at what it refuses of drawn ones."""
    is_t1, logits = [store.is_t1], [t1_brain]
    groups = name_subjects([one.subject_id for one in store.items], [str(one.path) for one in store.items])
    if config.gate.counterexamples:
        drawn = draw_counterexamples(
            store.images[np.flatnonzero(store.is_t1)], N_DRAWN, seed=[config.seed, VALIDATION_STREAM]
        )
        of_drawn = _infer(network, drawn, config.image)[1]
        assert of_drawn is not None  # noqa: S101 - narrows the type only
        is_t1.append(np.zeros(N_DRAWN, np.bool_))
        logits.append(of_drawn)
        groups += [f"\0drawn {index}" for index in range(N_DRAWN)]
    if inherited is not None:
        return measure_gate(inherited, np.concatenate(is_t1), np.concatenate(logits))
    return freeze_gate(
        np.concatenate(is_t1),
        np.concatenate(logits),
        np.array(groups),
        max_refused=config.gate.max_refused,
        highest=config.gate.t1_share,
    )


def _infer(
    network: nn.Module, slices: NDArray[np.uint8], image_path: ImagePath
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return the logits of phase and gate in full precision, whatever the run trained in.

    Parameters
    ----------
    slices
        Shape (n, size, size), 0..255.
    """
    answers = list(iter_answers(network, slices, image_path))
    phase = torch.cat([phase_of(answer) for answer in answers])
    gates = [gate for gate in map(gate_of, answers) if gate is not None]
    return _to_numpy(phase), _to_numpy(torch.cat(gates)) if gates else None


def _to_numpy(logits: torch.Tensor) -> NDArray[np.float64]:
    values: NDArray[np.float64] = logits.double().cpu().numpy()
    return values
