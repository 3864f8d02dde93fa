"""Which images go into which step: drawn from the seed, the epoch and the step alone.

Nothing here remembers anything. A run that was killed, a run on two processes and a run in one piece
therefore see the same images, the same augmentation and the same dropout masks.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from gadoscope.preparation.store import Store
from gadoscope.training.augmentation.lesson import augment_batch
from gadoscope.training.augmentation.strong.distort import distort_batch
from gadoscope.training.config import TrainingConfig
from gadoscope.training.counterexamples import draw_counterexamples
from gadoscope.training.sampling import Rows, draw_epoch
from gadoscope.training.teacher import Teacher

# Separate streams of random numbers under one seed.
ORDER_STREAM = 0
DROPOUT_STREAM = 1
DISTORTION_STREAM = 3
COUNTEREXAMPLE_STREAM = 4
OTHER_STREAM = 5
"""2 is the lesson's augmentation."""


class StepSeed(NamedTuple):
    """What everything that is random in a step is drawn from."""

    seed: int
    epoch: int
    step: int

    def stream(self, number: int) -> list[int]:
        """Return the seed of one kind of random numbers."""
        return [self.seed, self.epoch, number, self.step]


@dataclass(frozen=True)
class Share:
    """The part of every batch that one process takes: rows ``rank``, ``rank + world_size``, ..."""

    rank: int = 0
    world_size: int = 1


@dataclass(frozen=True)
class Others:
    """The images labelled other that may join a batch, shape (n,), and how likely each is to be drawn."""

    rows: Rows
    chances: NDArray[np.float64]


@dataclass(frozen=True)
class Batch:
    """One process's share of one training step.

    ``images`` float32 (n, 1, size, size) in [0, 1]; ``targets`` float32 (n,), 1 is post-contrast, in between
    where a teacher softens them; ``is_t1`` float32 (n,), 0 for what has no phase; ``keep`` float32
    (n, n_features), the dropout mask; ``weights`` float32 (n,), which add up to 1 over the T1 images of all
    processes, for each member of an average. The members' images come one after the other.
    """

    images: torch.Tensor
    targets: torch.Tensor
    is_t1: torch.Tensor
    keep: torch.Tensor
    weights: torch.Tensor


def iter_batches(
    store: Store,
    rows: Rows,
    *,
    config: TrainingConfig,
    epoch: int,
    share: Share,
    dropout: tuple[int, float],
    teacher: Teacher | None = None,
) -> Iterator[Batch]:
    """Yield the batches of an epoch, each made while the step before it runs.

    Parameters
    ----------
    rows
        Rows of ``store`` to train on, shape (n,).
    dropout
        How many features the network's dropout sees, and the rate at which it drops them.
    teacher
        Softens the targets.
    """
    rows = rows[store.is_t1[rows]]
    plans = [_plan_epoch(store, rows, config, epoch, seed) for seed in _seeds(config)]
    others = _find_others(store, config)

    def make(step: int) -> Batch:
        parts = [
            _make_batch(
                store, plan[step], others, config, StepSeed(seed, epoch, step), share, dropout, teacher
            )
            for seed, plan in zip(_seeds(config), plans, strict=True)
        ]
        return parts[0] if len(parts) == 1 else _join(parts)

    n_steps = len(plans[0])
    with ThreadPoolExecutor(1, thread_name_prefix="next-batch") as background:
        coming = background.submit(make, 0)
        for step in range(n_steps):
            batch = coming.result()
            if step + 1 < n_steps:
                coming = background.submit(make, step + 1)
            yield batch


def _seeds(config: TrainingConfig) -> range:
    """Return the seed of each member: it sees the images that it would see in a run of its own."""
    return range(config.seed, config.seed + config.members)


def _plan_epoch(store: Store, rows: Rows, config: TrainingConfig, epoch: int, seed: int) -> list[Rows]:
    return draw_epoch(
        store.items,
        rows,
        batch_size=config.batch_size,
        config=config.sampling,
        seed=[seed, epoch, ORDER_STREAM],
    )


def _join(parts: Sequence[Batch]) -> Batch:
    """Return the batches of all members one after the other, as `Average` takes them apart."""
    return Batch(
        images=torch.cat([part.images for part in parts]).to(memory_format=torch.channels_last),
        targets=torch.cat([part.targets for part in parts]),
        is_t1=torch.cat([part.is_t1 for part in parts]),
        keep=torch.cat([part.keep for part in parts]),
        weights=torch.cat([part.weights for part in parts]),
    )


def _make_batch(
    store: Store,
    rows: Rows,
    candidates: Others,
    config: TrainingConfig,
    moment: StepSeed,
    share: Share,
    dropout: tuple[int, float],
    teacher: Teacher | None,
) -> Batch:
    others = _choose_others(candidates, config, moment)
    n_drawn = round(config.gate.counterexamples * config.batch_size)
    n_images = len(rows) + len(others) + n_drawn
    mask = _draw_dropout_mask(n_images, dropout, seed=moment.stream(DROPOUT_STREAM))
    weights = np.full(n_images, 1 / len(rows), np.float32)
    mine = np.arange(share.rank, n_images, share.world_size)
    if len(mine) == 0:
        # The last batch can be smaller than the number of processes. All of them must take part in
        # the step, so this one looks at an image that counts nothing.
        mine, weights = np.zeros(1, np.int64), np.zeros_like(weights)
    if n_images == len(rows):
        canvases, numbers = store.images[rows[mine]], rows[mine]
    else:
        canvases = _gather(store, rows, others, n_drawn, moment)[mine]
        numbers = np.concatenate([rows, others, len(store.items) + np.arange(n_drawn)])[mine]
    pixels = _augment(canvases, config, moment, numbers=numbers, places=mine)
    no_t1 = np.zeros(n_images - len(rows), np.uint8)
    images = config.image.scale(pixels)
    targets = np.concatenate([store.labels[rows], no_t1])[mine].astype(np.float32)
    return Batch(
        images=_to_channels_last(images),
        targets=torch.from_numpy(teacher.soften(targets, images) if teacher else targets),
        is_t1=_to_floats(np.concatenate([np.ones(len(rows), np.uint8), no_t1])[mine]),
        keep=torch.from_numpy(mask[mine]),
        weights=torch.from_numpy(weights[mine]),
    )


def _find_others(store: Store, config: TrainingConfig) -> Others:
    """Return the images of no T1 brain, and how likely each is to be drawn."""
    rows = np.flatnonzero(~store.is_t1) if config.gate.use_other else np.empty(0, np.int64)
    return Others(rows, config.gate.chances_of([store.items[row].source for row in rows.tolist()]))


def _choose_others(candidates: Others, config: TrainingConfig, moment: StepSeed) -> Rows:
    """Return which images of no T1 brain join the batch."""
    if not len(candidates.rows):
        return candidates.rows
    generator = np.random.default_rng(moment.stream(OTHER_STREAM))
    return generator.choice(
        candidates.rows, round(config.gate.others * config.batch_size), p=candidates.chances
    )


def _gather(store: Store, rows: Rows, others: Rows, n_drawn: int, moment: StepSeed) -> NDArray[np.uint8]:
    """Return the T1 images, the others and the drawn counterexamples, as large as they are kept."""
    parts = [store.images[rows], store.images[others]]
    if n_drawn:
        parts.append(draw_counterexamples(parts[0], n_drawn, moment.stream(COUNTEREXAMPLE_STREAM)))
    return np.concatenate(parts)


def _augment(
    canvases: NDArray[np.uint8], config: TrainingConfig, moment: StepSeed, *, numbers: Rows, places: Rows
) -> NDArray[np.uint8] | NDArray[np.float32]:
    """Return images of the network's size, grey values 0..255.

    Parameters
    ----------
    numbers
        Which image of the data each one is: what the lesson's augmentation draws by; shape (n,).
    places
        Which image of the whole batch each one is: what the strong augmentation draws by.
    """
    if not config.distort.is_off:
        return distort_batch(
            canvases,
            size=config.image.size,
            augmentation=config.distort,
            seed=moment.stream(DISTORTION_STREAM),
            places=places,
        )
    if config.augment.is_off:
        return canvases
    return augment_batch(canvases, numbers, augmentation=config.augment, seed=moment.seed, epoch=moment.epoch)


def _draw_dropout_mask(n: int, dropout: tuple[int, float], seed: list[int]) -> NDArray[np.float32]:
    """Draw inverted dropout: 0 for what is dropped, 1 / (1 - rate) for what is kept."""
    n_features, rate = dropout
    kept = np.random.default_rng(seed).random((n, n_features), np.float32) >= rate
    return kept.astype(np.float32) / np.float32(1 - rate)


def _to_floats(flags: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(flags.astype(np.float32))


def _to_channels_last(images: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(images).to(memory_format=torch.channels_last)
