"""Slices after contrast that are made of ones before it: donors, what is given, and what is taken."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gadoscope.labels import Label, Plane
from gadoscope.preparation.items import Item
from gadoscope.training.sampling import find_partners
from recipes.default.pairs import SIDE, Picture
from recipes.default.transplant import (
    Donor,
    donors_of,
    enhance,
    find_donors,
    keep_of_base,
    keep_strongest,
    shrink,
    simulate_enhanced,
    take_traces,
)
from tests.recipes.test_subtraction import (
    BRAIN,
    COLUMNS,
    RADIUS,
    ROWS,
    BrightBrain,
    draw_head,
    draw_vessels,
    write_items,
)

HEAD = draw_head(np.random.default_rng(5))
NOTHING = np.zeros((SIDE, SIDE), np.float32)
LEFT = (np.hypot(ROWS, COLUMNS + 0.3) < 0.1).astype(np.float32)
"""Something that enhances, left of the middle of the picture."""


def write_pres(folder: Path) -> list[Item]:
    return [item for item in write_items(folder, subjects=2) if item.label is Label.PRE]


def test_donors_are_pairs_and_slices_after_contrast_and_give_what_enhances_in_the_head(
    tmp_path: Path,
) -> None:
    paired = write_items(tmp_path, subjects=2)  # three pairs
    posts = [item for item in paired if item.label is Label.POST]
    donors = find_donors(paired, BrightBrain(), posts)
    n_kept = 3 + len(posts)  # of twice as many
    assert {plane: len(of_plane) for plane, of_plane in donors.items()} == {Plane.AXIAL: n_kept}
    for donor in donors[Plane.AXIAL]:
        assert donor.enhancement[BRAIN].max() > 0.2
        assert donor.enhancement[RADIUS > 0.95].max() == 0


def test_a_donor_comes_mirrored_as_well_and_those_that_enhance_most_are_kept() -> None:
    one, mirrored = donors_of(HEAD, np.float32(0.5) * LEFT)
    assert np.allclose(one.enhancement[:, ::-1], mirrored.enhancement, atol=1e-6)
    scalp = np.float32(0.9) * (RADIUS > 0.86)
    weak, strong = Donor(one.coarse, scalp), Donor(one.coarse, np.float32(0.2) * LEFT)
    for given, wanted in (([strong, weak], strong), ([weak], weak)):
        (kept,) = keep_strongest(given)
        assert kept is wanted


def test_the_donors_of_the_base_are_those_whose_enhancement_lies_low() -> None:
    spots = [(np.hypot(ROWS - row, COLUMNS) < 0.1).astype(np.float32) for row in (-0.5, 0.5)]
    high, low, faint = (Donor(shrink(HEAD), spot) for spot in (*spots, NOTHING))
    (kept,) = keep_of_base([low, high])
    assert kept is low
    assert keep_of_base([faint, low, high])[-1] is low


def test_every_second_slice_or_so_enhances_at_the_base(tmp_path: Path) -> None:
    pres = [item for item in write_items(tmp_path, subjects=8) if item.label is Label.PRE]
    spots = [np.float32(0.6) * (np.hypot(ROWS - row, COLUMNS) < 0.1) for row in (-0.4, 0.4)]
    donors = {Plane.AXIAL: [Donor(shrink(HEAD), spot.astype(np.float32)) for spot in spots]}
    rows = simulate_enhanced(donors, pres, folder=tmp_path / "out", source="a-enhanced", seed=1)
    greys = [np.asarray(Image.open(item.path)).astype(int) for item in rows if item.label is Label.POST]
    low = [grey[spots[1] > 0].mean() > grey[spots[0] > 0].mean() for grey in greys]
    assert 0.4 < np.mean(low) < 1


def test_a_slice_takes_the_enhancement_of_the_head_that_is_most_like_it(tmp_path: Path) -> None:
    other = np.rot90(HEAD) * (COLUMNS > 0)
    donors = {Plane.AXIAL: [Donor(shrink(other), NOTHING), Donor(shrink(HEAD), np.float32(0.5) * LEFT)]}
    pre, post = simulate_enhanced(
        donors, write_pres(tmp_path)[:1], folder=tmp_path / "out", source="a-enhanced", seed=1
    )
    before, after = (np.asarray(Image.open(item.path)).astype(int) for item in (pre, post))
    lit = LEFT > 0
    assert after[lit].mean() > after[lit[:, ::-1]].mean() + 60
    assert before[lit[:, ::-1]].mean() < before[lit].mean() - 10  # the traces lie on the other side


def test_what_is_made_of_a_slice_is_a_pair_of_its_patient_and_the_same_from_the_same_seed(
    tmp_path: Path,
) -> None:
    pres = write_pres(tmp_path)
    donors = {Plane.AXIAL: [Donor(shrink(HEAD), np.float32(0.5) * draw_vessels(np.random.default_rng(3)))]}
    runs = [
        simulate_enhanced(donors, pres, folder=tmp_path / name, source="a-enhanced", seed=1)
        for name in ("one", "again")
    ]
    rows = runs[0]
    assert [item.label for item in rows] == [Label.PRE, Label.POST] * len(pres)
    assert [item.subject_id for item in rows[::2]] == [item.subject_id for item in pres]
    assert {item.source for item in rows} == {"a-enhanced"}
    assert {item.extra["note"] for item in rows} == {"simulated"}
    partners = find_partners(rows, np.arange(len(rows)))
    assert all(row in partners for row in range(len(rows)))
    for one, again in zip(*runs, strict=True):
        assert one.path.read_bytes() == again.path.read_bytes()


@pytest.mark.parametrize("picture", [HEAD, NOTHING, np.ones_like(HEAD)])
def test_whatever_the_slice_it_stays_between_black_and_white(picture: Picture) -> None:
    for seed in range(5):
        generator = np.random.default_rng(seed)
        for made in (enhance(picture, LEFT, generator), take_traces(picture, LEFT, generator)):
            assert made.shape == picture.shape
            assert np.isfinite(made).all()
            assert 0 <= made.min() <= made.max() <= 1


def test_the_air_around_a_head_never_enhances() -> None:
    enhanced = enhance(HEAD, np.ones_like(HEAD), np.random.default_rng(1))
    assert enhanced[RADIUS > 1.15].max() < 0.02
