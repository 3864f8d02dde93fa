"""Batches: drawn from seed, epoch and step alone, and divided among processes without loss."""

from typing import Any

import numpy as np
import pytest

from gadoscope.imaging.intensity import ImagePath
from gadoscope.preparation.store import Store
from gadoscope.training.augment import Augmentation
from gadoscope.training.batches import Batch, Share, iter_batches, n_steps
from tests.lessons import small_config

SIZE = 20
N = 21
FEATURES = (30, 0.2)


@pytest.fixture
def store() -> Store:
    """Return images whose first pixel is their own row number."""
    images = np.random.default_rng(0).integers(0, 255, (N, SIZE, SIZE)).astype(np.uint8)
    images[:, 0, 0] = np.arange(N)
    labels = (np.arange(N) % 2).astype(np.uint8)
    return Store(images=images, labels=labels, digests=("",) * N, items=(), warnings=())


def draw(store: Store, epoch: int = 1, share: Share | None = None, **values: Any) -> list[Batch]:
    config = small_config(image=ImagePath(size=SIZE).to_dict(), **values)
    return list(
        iter_batches(
            store, np.arange(N), config=config, epoch=epoch, share=share or Share(), dropout=FEATURES
        )
    )


def rows_of(batches: list[Batch]) -> list[int]:
    return [round(float(image[0, 0, 0]) * 255) for batch in batches for image in batch.images]


def test_an_epoch_shows_each_image_once_in_another_order_each_time(store: Store) -> None:
    first, second = rows_of(draw(store, epoch=1)), rows_of(draw(store, epoch=2))
    assert sorted(first) == sorted(second) == list(range(N))
    assert first != second
    assert first == rows_of(draw(store, epoch=1))


def test_the_last_small_batch_is_kept(store: Store) -> None:
    batches = draw(store)
    assert [len(batch.images) for batch in batches] == [8, 8, 5]
    assert n_steps(N, 8) == len(batches)


def test_targets_belong_to_their_images(store: Store) -> None:
    batches = draw(store)
    targets = [int(target) for batch in batches for target in batch.targets]
    assert targets == [row % 2 for row in rows_of(batches)]


@pytest.mark.parametrize("world_size", [2, 3])
@pytest.mark.parametrize("augment", [{}, {"rotation_range": 20.0, "horizontal_flip": True}])
def test_the_shares_of_all_processes_make_up_the_batches_of_one(
    store: Store, world_size: int, augment: dict[str, Any]
) -> None:
    whole = draw(store, augment=augment)
    parts = [draw(store, share=Share(rank, world_size), augment=augment) for rank in range(world_size)]
    for step, batch in enumerate(whole):
        for rank in range(world_size):
            part = parts[rank][step]
            mine = slice(rank, None, world_size)
            assert np.array_equal(part.images, batch.images[mine])
            assert np.array_equal(part.targets, batch.targets[mine])
            assert np.array_equal(part.keep, batch.keep[mine])
            assert np.array_equal(part.weights, batch.weights[mine])


def test_the_weights_of_a_step_add_up_to_one_even_with_more_processes_than_images(store: Store) -> None:
    parts = [draw(store, share=Share(rank, 7)) for rank in range(7)]
    for step in range(n_steps(N, 8)):
        assert sum(float(part[step].weights.sum()) for part in parts) == pytest.approx(1)
        assert all(len(part[step].images) > 0 for part in parts)


def test_the_dropout_mask_drops_its_rate_and_keeps_the_mean(store: Store) -> None:
    mask = np.concatenate([np.asarray(batch.keep) for epoch in range(40) for batch in draw(store, epoch)])
    assert set(np.unique(mask)) == {np.float32(0), np.float32(1.25)}
    # 25,200 draws: the standard error of the rate is 0.0025.
    assert (mask == 0).mean() == pytest.approx(0.2, abs=0.01)
    assert mask.mean() == pytest.approx(1, abs=0.0125)


def test_without_augmentation_the_pixels_are_those_of_the_store(store: Store) -> None:
    batches = draw(store)
    for row, image in zip(rows_of(batches), (i for b in batches for i in b.images), strict=True):
        np.testing.assert_allclose(image[0], store.images[row] / 255, rtol=1e-6)


def test_augmentation_is_off_by_default() -> None:
    assert Augmentation().is_off
