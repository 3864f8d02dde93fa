"""Which images go into which step: drawn from the seed, the epoch and the step alone.

Nothing here remembers anything. A run that was killed, a run on two processes and a run in one piece
therefore see the same images, the same augmentation and the same dropout masks.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gadoscope.preparation.store import Store
from gadoscope.training.augment import augment_batch
from gadoscope.training.config import TrainingConfig

# Separate streams of random numbers under one seed.
ORDER_STREAM = 0
DROPOUT_STREAM = 1


@dataclass(frozen=True)
class Share:
    """The part of every batch that one process takes: rows ``rank``, ``rank + world_size``, ..."""

    rank: int = 0
    world_size: int = 1


@dataclass(frozen=True)
class Batch:
    """One process's share of one training step.

    ``images`` float32 (n, 1, size, size) in [0, 1]; ``targets`` float32 (n,), 1 is post-contrast;
    ``keep`` float32 (n, n_features), the dropout mask; ``weights`` float32 (n,), which add up to 1
    over all processes.
    """

    images: torch.Tensor
    targets: torch.Tensor
    keep: torch.Tensor
    weights: torch.Tensor


def n_steps(n_images: int, batch_size: int) -> int:
    """Return how many steps an epoch has; the last one may be small, as in Keras."""
    return -(-n_images // batch_size)


def iter_batches(
    store: Store,
    rows: NDArray[np.int64],
    *,
    config: TrainingConfig,
    epoch: int,
    share: Share,
    dropout: tuple[int, float],
) -> Iterator[Batch]:
    """Yield the batches of an epoch, each made while the step before it runs.

    Parameters
    ----------
    rows
        Rows of ``store`` to train on, shape (n,).
    dropout
        How many features the network's dropout sees, and the rate at which it drops them.
    """
    order = np.random.default_rng([config.seed, epoch, ORDER_STREAM]).permutation(rows)
    batches = [order[start : start + config.batch_size] for start in range(0, len(order), config.batch_size)]

    def make(step: int) -> Batch:
        return _make_batch(store, batches[step], config, (epoch, step), share, dropout)

    with ThreadPoolExecutor(1, thread_name_prefix="next-batch") as background:
        coming = background.submit(make, 0)
        for step in range(len(batches)):
            batch = coming.result()
            if step + 1 < len(batches):
                coming = background.submit(make, step + 1)
            yield batch


def _make_batch(
    store: Store,
    rows: NDArray[np.int64],
    config: TrainingConfig,
    moment: tuple[int, int],
    share: Share,
    dropout: tuple[int, float],
) -> Batch:
    epoch, step = moment
    mask = _draw_dropout_mask(len(rows), dropout, seed=[config.seed, epoch, DROPOUT_STREAM, step])
    weights = np.full(len(rows), 1 / len(rows), np.float32)
    mine = np.arange(share.rank, len(rows), share.world_size)
    if len(mine) == 0:
        # The last batch can be smaller than the number of processes. All of them must take part in
        # the step, so this one looks at an image that counts nothing.
        mine, weights = np.zeros(1, np.int64), np.zeros_like(weights)
    pixels: NDArray[np.uint8] | NDArray[np.float32] = store.images[rows[mine]]
    if not config.augment.is_off:
        pixels = augment_batch(
            store.images[rows[mine]], rows[mine], augmentation=config.augment, seed=config.seed, epoch=epoch
        )
    return Batch(
        images=_to_channels_last(config.image.scale(pixels)),
        targets=torch.from_numpy(store.labels[rows[mine]].astype(np.float32)),
        keep=torch.from_numpy(mask[mine]),
        weights=torch.from_numpy(weights[mine]),
    )


def _draw_dropout_mask(n: int, dropout: tuple[int, float], seed: list[int]) -> NDArray[np.float32]:
    """Draw inverted dropout: 0 for what is dropped, 1 / (1 - rate) for what is kept."""
    n_features, rate = dropout
    kept = np.random.default_rng(seed).random((n, n_features), np.float32) >= rate
    return kept.astype(np.float32) / np.float32(1 - rate)


def _to_channels_last(images: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(images).to(memory_format=torch.channels_last)
