"""Batches: drawn from seed, epoch and step alone, and divided among processes without loss."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gadoscope.imaging.intensity import ImagePath
from gadoscope.labels import Label
from gadoscope.preparation.items import Item
from gadoscope.preparation.store import CODES, Store
from gadoscope.records import to_plain
from gadoscope.training.augmentation.lesson import Augmentation
from gadoscope.training.batches import Batch, Share, _find_others, iter_batches
from gadoscope.training.config import parse_config
from gadoscope.training.sampling import SamplingConfig, count_steps
from tests.support.lessons import small_config

SIZE = 20
N = 21
FEATURES = (30, 0.2)


@pytest.fixture
def store() -> Store:
    """Return images whose first pixel is their own row number."""
    images = np.random.default_rng(0).integers(0, 255, (N, SIZE, SIZE)).astype(np.uint8)
    images[:, 0, 0] = np.arange(N)
    labels = (np.arange(N) % 2).astype(np.uint8)
    return Store(images=images, labels=labels, digests=("",) * N, items=make_items(labels), warnings=())


def make_items(codes: NDArray[np.uint8]) -> tuple[Item, ...]:
    """Return a row of a manifest for each code of a label, all of one source and unknown subjects."""
    label_of = {code: label for label, code in CODES.items()}
    return tuple(
        Item(path=Path(f"/{number}.png"), label=label_of[int(code)]) for number, code in enumerate(codes)
    )


def draw(store: Store, epoch: int = 1, share: Share | None = None, **values: Any) -> list[Batch]:
    config = small_config(image=to_plain(ImagePath(size=SIZE)), **values)
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
    assert count_steps(N, 8, SamplingConfig()) == len(batches)


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
    for step in range(count_steps(N, 8, SamplingConfig())):
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


STRONG: dict[str, Any] = {"distort": {"strength": 1.0, "canvas": SIZE}}
GATE: dict[str, Any] = {"gate": {"counterexamples": 0.5}}


@pytest.mark.parametrize("settings", [STRONG, GATE, {**STRONG, **GATE, "members": 2}])
def test_so_do_they_with_strong_augmentation_counterexamples_and_members(
    store: Store, settings: dict[str, Any]
) -> None:
    whole = draw(store, **settings)
    parts = [draw(store, share=Share(rank, 2), **settings) for rank in range(2)]
    n_members = settings.get("members", 1)
    for step, batch in enumerate(whole):
        for name in ("images", "targets", "is_t1", "keep", "weights"):
            of_members = getattr(batch, name).chunk(n_members)
            for rank in range(2):
                expected = torch.cat([part[rank::2] for part in of_members])
                torch.testing.assert_close(getattr(parts[rank][step], name), expected, rtol=0, atol=1e-5)


def test_strong_augmentation_is_another_in_every_step_and_the_same_in_every_run(store: Store) -> None:
    first, again, later = (draw(store, epoch, **STRONG) for epoch in (1, 1, 2))
    assert all(torch.equal(one.images, other.images) for one, other in zip(first, again, strict=True))
    assert not torch.equal(first[0].images, later[0].images)
    assert first[0].images.shape == (8, 1, SIZE, SIZE)
    assert min(float(batch.images.min()) for batch in first) >= 0
    assert max(float(batch.images.max()) for batch in first) <= 1


def test_counterexamples_come_on_top_have_no_phase_and_leave_the_others_their_weight(store: Store) -> None:
    for batch in draw(store, **GATE):
        n_drawn = int((batch.is_t1 == 0).sum())
        assert n_drawn == 4
        assert float(batch.weights[batch.is_t1 == 1].sum()) == pytest.approx(1)
        assert float(batch.targets[batch.is_t1 == 0].sum()) == 0


def test_images_labelled_other_join_as_counterexamples_alone(store: Store) -> None:
    labels = store.labels.copy()
    labels[:5] = CODES[Label.OTHER]
    mixed = replace(store, labels=labels, items=make_items(labels))
    batches = draw(mixed, gate={"use_other": True})
    assert sum(int(batch.is_t1.sum()) for batch in batches) == N - 5
    for batch in batches:
        rows = [round(float(image[0, 0, 0]) * 255) for image in batch.images]
        assert [row < 5 for row in rows] == [flag == 0 for flag in batch.is_t1.tolist()]
        assert sum(row < 5 for row in rows) == 1


def test_as_many_images_labelled_other_join_a_batch_as_are_asked_for(store: Store) -> None:
    labels = store.labels.copy()
    labels[:5] = CODES[Label.OTHER]
    mixed = replace(store, labels=labels, items=make_items(labels))
    whole = [
        batch for batch in draw(mixed, gate={"use_other": True, "others": 0.5}) if len(batch.images) == 12
    ]
    assert whole
    assert all(int((batch.is_t1 == 0).sum()) == 4 for batch in whole)


def test_a_large_source_of_other_images_comes_oftener_than_a_small_one_and_not_by_its_size(
    store: Store,
) -> None:
    labels = np.full_like(store.labels, CODES[Label.OTHER])
    items = [
        replace(item, source="large" if row >= 4 else "small") for row, item in enumerate(make_items(labels))
    ]
    others = _find_others(
        replace(store, labels=labels, items=tuple(items)), parse_config({"gate": {"use_other": True}})
    )
    of_small = others.chances[others.rows < 4].sum()
    assert others.chances.sum() == pytest.approx(1)
    assert of_small == pytest.approx(2 / (2 + np.sqrt(N - 4)))


def test_a_member_has_the_batches_of_a_run_of_its_own_seed(store: Store) -> None:
    both = draw(store, members=2, seed=4, **STRONG)
    for number in range(2):
        alone = draw(store, seed=4 + number, **STRONG)
        for pair, batch in zip(both, alone, strict=True):
            for name in ("images", "targets", "keep", "weights"):
                assert torch.equal(getattr(pair, name).chunk(2)[number], getattr(batch, name))


def test_augmentation_is_off_by_default() -> None:
    assert Augmentation().is_off
