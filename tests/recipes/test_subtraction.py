"""The simulated slices before contrast that the default model is trained on: pairs, subtraction, traces."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from benchmarks.scalp_enhancement import find_ratio
from gadoscope.imaging.foreground import Box
from gadoscope.labels import Label, Plane
from gadoscope.preparation.items import Item
from gadoscope.training.sampling import find_partners
from recipes.default.data import list_teachers
from recipes.default.pairs import SIDE, Pair, Picture, cut_head, match_greys, read_head, read_pairs
from recipes.default.subtraction import cap_brain, simulate_pairs, spare_rim, train_subtraction
from recipes.default.unet import UNet, look

ROWS, COLUMNS = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
RADIUS = np.hypot(ROWS, COLUMNS)
BRAIN = RADIUS < 0.7


def draw_head(generator: np.random.Generator) -> Picture:
    """Draw a brain of 0.4 with some texture and a bright scalp."""
    head = np.where(BRAIN, 0.4 + 0.05 * np.sin(9 * ROWS), np.where((RADIUS > 0.8) & (RADIUS < 0.9), 0.9, 0))
    return np.clip(head + generator.normal(0, 0.01, head.shape), 0, 1).astype(np.float32)


def draw_vessels(generator: np.random.Generator) -> NDArray[np.bool_]:
    """Draw five discs in the brain."""
    rows, columns = generator.uniform(-0.4, 0.4, (2, 5))
    distance = np.hypot(ROWS[..., None] - rows, COLUMNS[..., None] - columns).min(axis=2)
    vessels: NDArray[np.bool_] = distance < 0.06
    return vessels


def draw_pair(seed: int) -> tuple[Pair, NDArray[np.bool_]]:
    """Return a pair and where it enhances."""
    generator = np.random.default_rng(seed)
    head, vessels = draw_head(generator), draw_vessels(generator)
    return Pair(head, np.where(vessels, np.float32(0.8), head)), vessels


def test_a_gain_that_changes_over_the_head_is_no_enhancement_and_a_vessel_is() -> None:
    pair, vessels = draw_pair(1)
    field = (0.7 + 0.2 * COLUMNS).astype(np.float32)
    matched = match_greys(pair.before * field, pair.after)
    inside = BRAIN & (RADIUS < 0.6)
    assert np.abs((pair.after - matched)[inside & ~vessels]).mean() < 0.02
    assert (pair.after - matched)[vessels].mean() == pytest.approx(0.4, abs=0.05)


def test_two_empty_slices_match() -> None:
    nothing = np.zeros((SIDE, SIDE), np.float32)
    assert np.array_equal(match_greys(nothing, nothing), nothing)
    assert np.array_equal(cut_head(np.zeros((40, 30), np.uint8), Box(0, 40, 0, 30)), nothing)


def test_a_box_that_is_wider_than_high_is_padded_with_black_to_a_square() -> None:
    head = cut_head(np.full((60, 120), 200, np.uint8), Box(20, 50, 10, 110))
    assert head.shape == (SIDE, SIDE)
    assert head[SIDE // 2].min() == 1
    assert head[0].max() == head[-1].max() == 0  # above and below the picture


def write_items(folder: Path, *, subjects: int) -> list[Item]:
    """Write pairs of different gain, two slices a subject, and one slice that has no partner."""
    items = []
    for number in range(2 * subjects):
        pair, _ = draw_pair(number)
        for label, picture, gain in ((Label.PRE, pair.before, 120), (Label.POST, pair.after, 240)):
            path = folder / f"{number // 2}_{label.value}_{number:03}.png"
            Image.fromarray((picture * gain).astype(np.uint8)).save(path)
            subject = f"s{number // 2}"
            items.append(Item(path=path, label=label, subject_id=subject, plane=Plane.AXIAL, source="a"))
    return items[:-1]


def test_pairs_are_of_one_patient_at_one_place_and_what_has_none_or_cannot_be_read_is_left_out(
    tmp_path: Path,
) -> None:
    items = write_items(tmp_path, subjects=3)
    items[0].path.write_bytes(b"no picture")
    pairs = read_pairs(items)
    assert len(pairs) == 4  # of six places
    for pair in pairs:
        assert 0.1 < np.quantile(pair.after - pair.before, 0.99) < 0.6
        assert abs(float(np.median((pair.after - pair.before)[BRAIN]))) < 0.02


class BrightBrain(nn.Module):
    """Takes for enhancement what is brighter than the brain, but for the scalp."""

    def forward(self, slices: Tensor) -> Tensor:
        """Return how much brighter it is."""
        return (slices - 0.5) * torch.from_numpy(BRAIN)


def test_a_scalp_that_brightens_by_a_half_is_found_to() -> None:
    pair, _ = draw_pair(1)
    assert find_ratio(pair) == pytest.approx(1.0)
    dimmer = np.where(RADIUS > 0.75, pair.before / np.float32(1.5), pair.before)
    assert find_ratio(Pair(dimmer, pair.after)) == pytest.approx(1.5)


def draw_small_pair(seed: int) -> tuple[Pair, NDArray[np.bool_]]:
    """Return a pair of half the side, and where it enhances."""
    pair, vessels = draw_pair(seed)
    return Pair(pair.before[::2, ::2], pair.after[::2, ::2]), vessels[::2, ::2]


@pytest.mark.slow
@pytest.mark.usefixtures("small_patches")
def test_a_subtraction_finds_the_vessels_of_a_head_that_it_has_not_seen() -> None:
    network = train_subtraction([draw_small_pair(seed)[0] for seed in range(12)], seed=1, n_steps=40)
    pair, vessels = draw_small_pair(99)
    (found,) = look(network, [pair.after])
    assert found.min() >= 0
    assert found[vessels].mean() > 0.2
    assert found[~vessels].mean() < 0.06


@pytest.mark.slow
@pytest.mark.usefixtures("small_patches")
def test_a_subtraction_is_the_same_from_the_same_seed() -> None:
    pairs = [draw_small_pair(seed)[0] for seed in range(2)]
    one, again = (train_subtraction(pairs, seed=3, n_steps=2) for _ in range(2))
    for name, weights in one.state_dict().items():
        assert (weights == again.state_dict()[name]).all(), name


def test_a_subtraction_gives_an_answer_for_each_pixel_and_none_is_negative() -> None:
    heads = [draw_pair(seed)[0].after for seed in range(2)]
    found = look(UNet(), heads)
    assert [one.shape for one in found] == [head.shape for head in heads]
    assert all(one.min() >= 0 for one in found)


def test_simulated_slices_are_pairs_of_which_the_first_has_lost_its_vessels(tmp_path: Path) -> None:
    posts = [item for item in write_items(tmp_path, subjects=2) if item.label is Label.POST]
    rows = simulate_pairs(BrightBrain(), posts, folder=tmp_path / "out", source="a-subtracted", seed=1)
    assert {item.source for item in rows} == {"a-subtracted"}
    assert {item.extra["note"] for item in rows} == {"simulated"}
    partners = find_partners(rows, np.arange(len(rows)))
    assert [partners[row].tolist() for row in range(len(rows))] == [[1], [0], [3], [2], [5], [4]]
    for number, (before, after) in enumerate(zip(rows[::2], rows[1::2], strict=True)):
        assert (before.label, after.label) == (Label.PRE, Label.POST)
        assert before.subject_id == after.subject_id == posts[number].subject_id
        _, vessels = draw_pair(number)
        greys = [np.asarray(Image.open(item.path)).astype(int) for item in (before, after)]
        vessels = np.asarray(
            Image.fromarray(vessels).crop((7, 7, SIDE - 7, SIDE - 7)).resize((SIDE, SIDE))
        )  # the head's box is a little smaller than the picture
        assert greys[0][vessels].mean() < greys[1][vessels].mean() - 40


def test_a_tumour_that_is_filled_evenly_is_darkened_and_the_brain_around_it_is_not() -> None:
    head = draw_head(np.random.default_rng(1))
    tumour = np.hypot(ROWS - 0.1, COLUMNS) < 0.2
    capped = cap_brain(np.where(tumour, np.float32(0.9), head))
    scalp = (RADIUS > 0.81) & (RADIUS < 0.89)
    assert capped[tumour].mean() < 0.6
    assert np.abs(capped - head)[BRAIN & ~tumour].max() < 0.05
    assert capped[scalp].mean() > capped[tumour].mean()


def test_every_second_patient_teaches_whatever_their_order() -> None:
    assert list_teachers(["d", "a", "b", "c", "a"]) == {"a", "c"}


def test_the_scalp_of_every_second_slice_stays_as_bright_before_contrast_as_after(tmp_path: Path) -> None:
    posts = [item for item in write_items(tmp_path, subjects=8) if item.label is Label.POST]

    class BrightEverywhere(nn.Module):
        def forward(self, slices: torch.Tensor) -> torch.Tensor:
            return 0.4 * (slices > 0.1).float()

    rows = simulate_pairs(BrightEverywhere(), posts, folder=tmp_path / "out", source="subtracted", seed=1)
    deep = spare_rim(read_head(posts[0]))
    losses = []
    for item, before in zip(posts, rows[::2], strict=True):
        head, simulated = read_head(item), np.asarray(Image.open(before.path)) / 255
        rim = (deep < 0.1) & (head > 0.2)
        losses.append(float((head[rim] - simulated[rim]).mean()))
    kept = [loss < 0.05 for loss in losses]
    assert 0.2 < np.mean(kept) < 0.8
    assert min(loss for loss, is_kept in zip(losses, kept, strict=True) if not is_kept) > 0.15
