"""The simulated FLAIR and T2 slices that the default model's gate is trained to refuse."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import Tensor, nn

from gadoscope.labels import Label, Plane
from gadoscope.preparation.items import Item
from recipes.default.other_contrasts import read_flair_pairs, simulate_others, train_flair, turn_slice
from recipes.default.pairs import SIDE, Picture
from recipes.default.unet import look

ROWS, COLUMNS = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
RADIUS = np.hypot(ROWS, COLUMNS)
FLUID, WHITE_MATTER, GREY_MATTER = (
    RADIUS < 0.2,
    (RADIUS >= 0.2) & (RADIUS < 0.5),
    (RADIUS >= 0.5) & (RADIUS < 0.72),
)
BONE, SCALP = (RADIUS >= 0.76) & (RADIUS < 0.82), (RADIUS >= 0.84) & (RADIUS < 0.92)
TISSUES = (FLUID, WHITE_MATTER, GREY_MATTER)
T1_HEAD = np.select([FLUID, WHITE_MATTER, GREY_MATTER, SCALP], [0.15, 0.6, 0.42, 0.95], 0.0).astype(
    np.float32
)
FLAIR_HEAD = np.select([FLUID, WHITE_MATTER | GREY_MATTER, SCALP], [0.1, 0.5, 0.8], 0.05).astype(
    np.float32
) * (RADIUS < 0.95)


class KnownFlair(nn.Module):
    """Makes T1 a negative of itself: easy to see in what follows."""

    def forward(self, slices: Tensor) -> Tensor:
        """Return it."""
        return 1 - slices


def turn_often(contrast: str, plane: Plane = Plane.AXIAL) -> list[Picture]:
    """Turn the head with many seeds."""
    return [
        turn_slice(T1_HEAD, FLAIR_HEAD, contrast, plane, np.random.default_rng(seed)) for seed in range(20)
    ]


@pytest.mark.parametrize(("contrast", "is_other"), [("t2", np.greater), ("flair", np.less)])
def test_fluid_is_the_brightest_of_the_brain_on_t2_and_the_darkest_on_flair(
    contrast: str, is_other: Callable[[float, float], bool]
) -> None:
    for turned in turn_often(contrast):
        fluid, white, grey = (float(turned[place & (RADIUS < 0.6)].mean()) for place in TISSUES)
        assert is_other(fluid, grey)
        assert is_other(fluid, white)
        assert white < grey


@pytest.mark.parametrize("contrast", ["t2", "flair"])
def test_around_the_brain_the_network_decides_and_fat_is_dark_in_about_half_of_the_slices(
    contrast: str,
) -> None:
    ratios = []
    for turned in turn_often(contrast):
        brightest = max(turned[tissue].mean() for tissue in TISSUES)
        assert turned[BONE].mean() < brightest / 2  # as black as fluid on T1, and no fluid
        assert turned[0, 0] == 0
        ratios.append(turned[SCALP].mean() / turned[GREY_MATTER | WHITE_MATTER].mean())
    assert 5 <= sum(ratio < 0.7 for ratio in ratios) <= 15
    assert 5 <= sum(ratio > 1 for ratio in ratios) <= 15


@pytest.mark.parametrize("plane", [Plane.SAGITTAL, Plane.CORONAL])
def test_face_and_neck_are_darker_than_in_an_axial_slice_and_the_brain_above_them_is_not(
    plane: Plane,
) -> None:
    neck, brain = GREY_MATTER & (ROWS > 0.68), GREY_MATTER & (ROWS < 0)
    darker = [
        (turned[neck].mean() / turned[brain].mean()) / (axial[neck].mean() / axial[brain].mean())
        for turned, axial in zip(turn_often("t2", plane), turn_often("t2"), strict=True)
    ]
    assert max(darker) <= 1
    assert np.mean(darker) < 0.8


def test_a_slice_in_which_nothing_lies_deep_is_what_the_network_makes_of_it() -> None:
    small = np.where(RADIUS < 0.05, T1_HEAD, 0).astype(np.float32)
    assert turn_slice(small, FLAIR_HEAD, "t2", Plane.AXIAL, np.random.default_rng(0)) is FLAIR_HEAD


def write_items(folder: Path) -> tuple[list[Item], list[Item]]:
    """Write T1 slices of two patients at two places, in both phases, and FLAIR of one place each."""
    t1_items, flair_items = [], []
    for subject in ("a", "b"):
        for place in (4, 8):
            for label in (Label.PRE, Label.POST):
                path = folder / f"{subject}_{label.value}_{place:02}.png"
                Image.fromarray((T1_HEAD * 240).astype(np.uint8)).save(path)
                t1_items.append(
                    Item(path=path, label=label, subject_id=subject, plane=Plane.AXIAL, source="t1")
                )
        path = folder / f"{subject}_flair_08.png"
        Image.fromarray((FLAIR_HEAD * 240).astype(np.uint8)).save(path)
        flair_items.append(
            Item(path=path, label=Label.OTHER, subject_id=subject, plane=Plane.AXIAL, source="flair")
        )
    return t1_items, flair_items


def test_t1_of_either_phase_meets_the_flair_of_its_patient_and_place_and_nothing_else(tmp_path: Path) -> None:
    t1_items, flair_items = write_items(tmp_path)
    pairs = read_flair_pairs(t1_items, flair_items)
    assert len(pairs) == 4  # two patients, one place, two phases
    for t1, flair in pairs:
        assert t1[WHITE_MATTER].mean() > t1[GREY_MATTER].mean()
        assert flair[FLUID].mean() < flair[WHITE_MATTER].mean()
    t1_items[2].path.write_bytes(b"no picture")
    Image.fromarray(np.full((30, 30), 200, np.uint8)).save(t1_items[3].path)  # on another grid
    assert len(read_flair_pairs(t1_items, flair_items)) == 2


def test_slices_become_flair_and_t2_in_turn_and_keep_their_patient(tmp_path: Path) -> None:
    t1_items, _ = write_items(tmp_path)
    rows = simulate_others(KnownFlair(), t1_items, folder=tmp_path / "out", source="turned", seed=1)
    assert [row.source for row in rows] == ["turned-flair", "turned-t2"] * 4
    assert [row.subject_id for row in rows] == [item.subject_id for item in t1_items]
    assert {row.label for row in rows} == {Label.OTHER}
    assert {row.extra["note"] for row in rows} == {"simulated"}
    assert len({row.path for row in rows}) == len(rows)
    for row, item in zip(rows, t1_items, strict=True):
        turned, t1 = (np.asarray(Image.open(each.path).resize((SIDE, SIDE)), float) for each in (row, item))
        assert np.corrcoef(turned[RADIUS < 0.7], t1[RADIUS < 0.7])[0, 1] < 0.7


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    t1_items, _ = write_items(tmp_path)
    one, again = (
        simulate_others(KnownFlair(), t1_items, folder=tmp_path / name, source="turned", seed=3)
        for name in ("one", "again")
    )
    for first, second in zip(one, again, strict=True):
        assert first.path.read_bytes() == second.path.read_bytes()


@pytest.mark.slow
@pytest.mark.usefixtures("small_patches")
def test_a_network_learns_that_bone_stays_black_where_fluid_does_not() -> None:
    t1, flair, radius, scalp, white_matter, bone = (
        picture[::2, ::2] for picture in (T1_HEAD, FLAIR_HEAD, RADIUS, SCALP, WHITE_MATTER, BONE)
    )
    noise = np.random.default_rng(0).normal(0, 0.02, (6, *t1.shape)).astype(np.float32)
    network = train_flair([(np.clip(t1 + one, 0, 1), flair) for one in noise], seed=1, n_steps=150)
    (found,) = look(network, [t1])
    assert np.abs(found - flair)[radius < 0.9].mean() < 0.1
    assert found[scalp].mean() > found[white_matter].mean() > found[bone].mean()
