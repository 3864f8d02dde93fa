"""The loop: for every epoch the steps, the validation, a checkpoint.

`fit` reads downwards. It yields after each step what a person may want to see, so it knows nothing of
terminals; whoever runs it decides what to show.
"""

import json
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # the name that every torch programme uses

from gadoscope.errors import TrainingError
from gadoscope.files import write_text
from gadoscope.models.network import Network, gate_of, phase_of
from gadoscope.preparation.store import Store
from gadoscope.run_folder import METRICS_NAME
from gadoscope.training.alone import Alone
from gadoscope.training.batches import Batch, iter_batches
from gadoscope.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from gadoscope.training.config import TrainingConfig
from gadoscope.training.data import TrainingData
from gadoscope.training.devices import find_share
from gadoscope.training.gate import gate_loss
from gadoscope.training.optimiser.adam import KerasAdam
from gadoscope.training.optimiser.averaging import WeightAverage
from gadoscope.training.optimiser.build import build_optimiser
from gadoscope.training.sampling import count_steps
from gadoscope.training.stopping import BEST, BestWeights, History
from gadoscope.training.teacher import Teacher

if TYPE_CHECKING:
    from lightning_fabric import Fabric

CHECKPOINT_NAME = "checkpoint.safetensors"

VALIDATION_BATCH_SIZE = 64
"""Changes memory and speed only."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What `fit` yields: after a step the running loss, and after an epoch its row of metrics too."""

    epoch: int
    step: int
    n_steps: int
    loss: float
    row: Mapping[str, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Learner:
    """What learns: the network and its optimiser, and both as Fabric wraps them: ``model``, ``stepper``.

    ``average`` is None where the last step's weights are taken, ``teacher`` where labels alone teach.
    ``n_steps`` of an epoch.
    """

    config: TrainingConfig
    fabric: "Fabric | Alone"
    network: Network
    model: Any
    optimiser: KerasAdam
    stepper: Any
    average: WeightAverage | None
    teacher: Teacher | None
    n_steps: int


@dataclass
class Tally:
    """Sums over the images seen so far, of this process."""

    loss: float = 0.0
    correct: float = 0.0
    images: float = 0.0

    def add(
        self, logits: torch.Tensor, losses: torch.Tensor, targets: torch.Tensor, counts: torch.Tensor
    ) -> None:
        """Add a batch; ``counts`` is 0 for an image that counts nothing."""
        self.loss += float((losses * counts).sum())
        self.correct += float((((logits > 0) == (targets > 1 / 2)) * counts).sum())
        self.images += float(counts.sum())

    def means(self, fabric: "Fabric | Alone") -> tuple[float, float]:
        """Return (loss, accuracy at probability 0.5) over the images of all processes."""
        # A GPU of Apple's has no float64, and 2**24 images are enough.
        sums = torch.tensor([self.loss, self.correct, self.images], dtype=torch.float32, device=fabric.device)
        total = fabric.all_reduce(sums, reduce_op="sum")
        loss, correct, images = (float(value) for value in total)
        return loss / images, correct / images


def build_learner(
    network: Network,
    config: TrainingConfig,
    fabric: "Fabric | Alone",
    *,
    n_images: int,
    teacher: Teacher | None = None,
) -> Learner:
    """Return ``network`` with the optimiser that the config names, on the devices that Fabric has.

    Parameters
    ----------
    n_images
        How many images an epoch counts, all processes together: those of T1 brains.
    """
    optimiser = build_optimiser(network, config.optimiser)
    model, stepper = fabric.setup(network, optimiser)
    decay = config.averaging.decay
    return Learner(
        config=config,
        fabric=fabric,
        network=network,
        model=model,
        optimiser=optimiser,
        stepper=stepper,
        average=WeightAverage(network, decay) if decay else None,
        teacher=teacher,
        n_steps=count_steps(n_images, config.batch_size, config.sampling),
    )


def fit(learner: Learner, data: TrainingData, *, run: Path, identity: Mapping[str, Any]) -> Iterator[Moment]:
    """Train the learner's network in place, from the checkpoint in ``run`` where there is one.

    When it ends the network has the weights to keep: the averaged ones where the config averages, and of the
    best epoch where it keeps that.

    Raises
    ------
    TrainingError
        If the loss is no longer a number; the checkpoint of the epoch before is kept.
    CheckpointError
        If the checkpoint is damaged or of another run.
    """
    config, fabric, checkpoint = learner.config, learner.fabric, run / CHECKPOINT_NAME
    network, optimiser, average = learner.network, learner.optimiser, learner.average
    best = BestWeights() if config.stopping.keep == BEST else None
    progress = Progress(epoch=0, n_steps_done=0, identity=identity, history=())
    if checkpoint.exists():
        progress = load_checkpoint(checkpoint, network, optimiser, identity, average=average, best=best)

    for epoch in range(progress.epoch + 1, config.epochs + 1):
        if config.stopping.is_over(progress.history):
            break
        start, tally = time.perf_counter(), Tally()
        for moment in _train_epoch(learner, data, epoch, tally):
            if not math.isfinite(moment.loss):
                raise TrainingError(_explain_divergence(moment, config, run))
            yield moment
        row: dict[str, float] = {"epoch": epoch}
        row["train_loss"], row["train_accuracy"] = tally.means(fabric)
        with average.in_place() if average else nullcontext():
            row["validation_loss"], row["validation_accuracy"] = _validate(learner, data.validation)
            if best and config.stopping.find_kept((*progress.history, row)) == epoch:
                best.take(network)
        row["seconds"] = time.perf_counter() - start
        history = (*progress.history, row)
        progress = replace(progress, epoch=epoch, n_steps_done=optimiser.n_steps_done, history=history)
        if fabric.is_global_zero:
            save_checkpoint(checkpoint, network, optimiser, progress, average=average, best=best)
            write_text(run / METRICS_NAME, "".join(json.dumps(line) + "\n" for line in history))
        yield replace(moment, loss=row["train_loss"], row=row)
    if best:
        best.give(network)
    elif average:
        average.give()
    _check_kept(progress.history, config)


def _train_epoch(learner: Learner, data: TrainingData, epoch: int, tally: Tally) -> Iterator[Moment]:
    learner.model.train()
    network = learner.network
    batches = iter_batches(
        data.train,
        np.arange(len(data.train.items)),
        config=learner.config,
        epoch=epoch,
        share=find_share(learner.fabric),
        dropout=(network.n_features, network.dropout_rate),
        teacher=learner.teacher,
    )
    for step, batch in enumerate(batches, start=1):
        loss = take_step(learner, batch, tally)
        yield Moment(epoch=epoch, step=step, n_steps=learner.n_steps, loss=loss)


def take_step(learner: Learner, batch: Batch, tally: Tally) -> float:
    """Take one step and return the loss of the whole batch, over all processes."""
    fabric, config = learner.fabric, learner.config
    images, targets, is_t1, keep, weights = fabric.to_device(
        (batch.images, batch.targets, batch.is_t1, batch.keep, batch.weights)
    )
    answer = learner.model(images, keep)
    logits, gate_logits = phase_of(answer), gate_of(answer)
    losses = F.binary_cross_entropy_with_logits(
        logits, _smooth(targets, config.label_smoothing), reduction="none"
    )
    costs = losses if gate_logits is None else gate_loss(losses, gate_logits, is_t1, config.gate)
    # Fabric averages the gradients of the processes; the weights add up to 1 over all of them, for each
    # member of an average.
    loss = (costs * weights).sum() * fabric.world_size
    fabric.backward(loss)
    _step_optimiser(learner)
    tally.add(logits.detach(), losses.detach(), targets, (weights > 0) * is_t1)
    mean = loss.detach() / config.members
    return float(fabric.all_reduce(mean, reduce_op="mean"))  # type: ignore[arg-type]  # a tensor in, a tensor out


def _step_optimiser(learner: Learner) -> None:
    config = learner.config
    rate = config.optimiser.learning_rate_at(learner.optimiser.n_steps_done, config.epochs * learner.n_steps)
    for group in learner.optimiser.param_groups:
        group["lr"] = rate
    learner.stepper.step()
    learner.stepper.zero_grad()
    if learner.average:
        learner.average.update()


def _smooth(targets: torch.Tensor, share: float) -> torch.Tensor:
    """Return targets that are never quite sure: ``share`` of each goes to both classes alike.

    References
    ----------
    Szegedy et al., Rethinking the Inception architecture for computer vision, 2016, section 7
    """
    return targets * (1 - share) + share / 2 if share else targets


@torch.inference_mode()
def _validate(learner: Learner, store: Store) -> tuple[float, float]:
    """Return loss and accuracy on the validation images, which are never augmented."""
    fabric, image_path = learner.fabric, learner.config.image
    learner.model.eval()
    share, tally = find_share(fabric), Tally()
    rows = np.flatnonzero(store.is_t1)[share.rank :: share.world_size]
    for start in range(0, len(rows), VALIDATION_BATCH_SIZE):
        chosen = rows[start : start + VALIDATION_BATCH_SIZE]
        images = torch.from_numpy(image_path.scale(store.images[chosen]))
        targets = torch.from_numpy(store.labels[chosen].astype(np.float32))
        images, targets = fabric.to_device((images.to(memory_format=torch.channels_last), targets))
        logits = phase_of(learner.model(images))
        losses = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        tally.add(logits, losses, targets, torch.ones_like(targets))
    return tally.means(fabric)


def _check_kept(history: History, config: TrainingConfig) -> None:
    """Raise TrainingError if a last step left weights that answer nothing: no later step tells it."""
    kept = config.stopping.find_kept(history)
    loss = history[kept - 1]["validation_loss"]
    if not math.isfinite(loss):
        raise TrainingError(
            f"after the last step of epoch {kept} the loss of the validation images is {loss}: the weights "
            f"are no longer numbers. {_advise_smaller_steps(config)}"
        )


def _explain_divergence(moment: Moment, config: TrainingConfig, run: Path) -> str:
    kept = f"The checkpoint of epoch {moment.epoch - 1} stays in {run}. " if moment.epoch > 1 else ""
    return (
        f"the loss became {moment.loss} in step {moment.step} of epoch {moment.epoch}. {kept}"
        f"{_advise_smaller_steps(config)}"
    )


def _advise_smaller_steps(config: TrainingConfig) -> str:
    return (
        "Train into another folder with a smaller step, such as "
        f"--set optimiser.learning_rate={config.optimiser.learning_rate / 10:g}."
    )
