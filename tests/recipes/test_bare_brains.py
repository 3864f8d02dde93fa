"""Brains without skulls and heads without faces, of both labels."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gadoscope.labels import Label, Plane
from gadoscope.preparation.items import Item
from gadoscope.training.sampling import find_partners
from recipes.default.bare_brains import BARE_SOURCE, draw_kept, find_brain, make_bare
from recipes.default.pairs import SIDE, Picture

ROWS, COLUMNS = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
RADIUS = np.hypot(ROWS, COLUMNS)
BRAIN, BONE, SCALP = RADIUS < 0.7, (RADIUS >= 0.7) & (RADIUS < 0.8), (RADIUS >= 0.8) & (RADIUS < 0.95)


def draw_head(*, vessel: float = 0.5) -> Picture:
    """Return a brain of grey and white matter and fluid in black bone and bright scalp."""
    brain = np.where(RADIUS < 0.2, 0.15, np.where(RADIUS < 0.5, 0.6, 0.45))
    head = np.select([BRAIN, BONE, SCALP], [brain, 0.02, 0.9], 0.0)
    head[SIDE // 2 : SIDE // 2 + 4, SIDE // 4 : SIDE // 4 + 4] = vessel
    return head.astype(np.float32)


def write_pairs(folder: Path, subjects: int) -> list[Item]:
    items = []
    for subject in range(subjects):
        for label, vessel in ((Label.PRE, 0.5), (Label.POST, 1.0)):
            path = folder / f"s{subject}_{label}_07.png"
            Image.fromarray((255 * draw_head(vessel=vessel)).astype(np.uint8)).save(path)
            items.append(
                Item(path=path, label=label, subject_id=f"s{subject}", plane=Plane.AXIAL, source="pairs")
            )
    return items


@pytest.mark.parametrize("plane", [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL])
def test_the_scalp_is_gone_and_most_of_the_brain_that_may_lie_there_stays(plane: Plane) -> None:
    for seed in range(5):
        brain = find_brain(draw_head(), plane, np.random.default_rng(seed))
        assert brain is not None
        assert brain[SCALP].mean() < 0.02
        assert brain[BRAIN].mean() > (0.8 if plane is Plane.AXIAL else 0.5)


def test_a_picture_without_a_brain_is_left_as_it_is() -> None:
    for picture in (np.zeros((SIDE, SIDE), np.float32), np.ones((SIDE, SIDE), np.float32) * (RADIUS < 0.05)):
        assert find_brain(picture.astype(np.float32), Plane.AXIAL, np.random.default_rng(1)) is None


def test_a_mask_is_worn_by_both_labels_of_a_pair(tmp_path: Path) -> None:
    rows = make_bare(write_pairs(tmp_path, 6), folder=tmp_path / "bare", every=1, seed=2)
    assert {row.source for row in rows} == {BARE_SOURCE}
    assert [row.label for row in rows].count(Label.PRE) == [row.label for row in rows].count(Label.POST) == 6
    for before, after in zip(rows[::2], rows[1::2], strict=True):
        pixels = [np.asarray(Image.open(row.path)) for row in (before, after)]
        assert ((pixels[0] > 0) == (pixels[1] > 0)).all()
        assert (pixels[0] == 0).mean() > 0.3
    partners = find_partners(rows, np.arange(len(rows)))
    assert sorted(partners) == list(range(len(rows)))


def test_no_two_places_are_cut_alike_and_the_same_seed_cuts_as_before(tmp_path: Path) -> None:
    items = write_pairs(tmp_path, 4)
    runs = [make_bare(items, folder=tmp_path / name, every=1, seed=2) for name in ("one", "again")]
    for one, again in zip(*runs, strict=True):
        assert one.path.read_bytes() == again.path.read_bytes()
    assert len({row.path.read_bytes() for row in runs[0] if row.label is Label.PRE}) > 1


def test_every_second_place_is_half_of_them(tmp_path: Path) -> None:
    rows = make_bare(write_pairs(tmp_path, 6), folder=tmp_path / "bare", every=2, seed=2)
    assert len({row.subject_id for row in rows}) == 3


def test_a_blackened_face_takes_the_front_alone() -> None:
    faces = 0
    for seed in range(20):
        kept = draw_kept(draw_head(), Plane.SAGITTAL, np.random.default_rng(seed))
        assert kept is not None
        if set(np.unique(kept)) == {0.0, 1.0}:  # a box, and not the soft edge of a brain
            faces += 1
            assert kept[:, SIDE // 2 :].all()
            assert not kept[-1, 0]
    assert 1 <= faces <= 12
