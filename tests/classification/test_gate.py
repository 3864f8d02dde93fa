"""A bundle with a gate answers T1 brains and refuses the rest, slice images and volumes alike.

The tiny bundle takes what is brighter than four fifths for no T1 brain.
"""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from gadoscope.classification.run import iter_results
from gadoscope.labels import Phase, SeriesResult, Status
from tests.support.bundles import write_gated_bundle

DARK, BRIGHT, WHITE = 60, 180, 240


@pytest.fixture
def gated(tmp_path: Path) -> Path:
    return write_gated_bundle(tmp_path / "gated.onnx")


def _pixels(*shape: int, grey: int) -> np.ndarray:
    return np.random.default_rng(grey).integers(grey - 8, grey + 8, shape).astype(np.uint8)


def _classify(path: Path, model: Path) -> dict[str, SeriesResult]:
    return {Path(row.path).name: row for row in iter_results([path], model=model)}


def test_a_slice_that_is_no_t1_brain_is_refused_and_the_others_keep_their_answer(
    tmp_path: Path, gated: Path
) -> None:
    folder = tmp_path / "slices"
    folder.mkdir()
    for grey in (DARK, BRIGHT, WHITE):
        Image.fromarray(_pixels(40, 40, grey=grey)).save(folder / f"{grey}.png")
    rows = _classify(folder, gated)
    assert rows["60.png"].phase is Phase.PRE_CONTRAST
    assert rows["180.png"].phase is Phase.POST_CONTRAST
    refused = rows["240.png"]
    assert refused.status is Status.REFUSED
    assert refused.reason.startswith("not_t1_brain: the pixels do not look like a T1-weighted brain (0.")
    assert (refused.phase, refused.probability) == (None, None)
    assert (refused.n_slices, refused.n_slices_used) == (1, 1), "the network saw it"


def _write_volumes(path: Path, greys: list[int]) -> None:
    # Slices along the third axis, far apart: a stack of thick ones, volumes along the fourth.
    voxels = np.stack([_pixels(32, 32, 10, grey=grey) for grey in greys], axis=-1)
    image = nib.Nifti1Image(voxels, np.diag([1.0, 1.0, 5.0, 1.0]))  # type: ignore[no-untyped-call]  # nibabel's
    nib.save(image, path)


def test_a_volume_is_refused_by_the_mean_of_its_slices(tmp_path: Path, gated: Path) -> None:
    _write_volumes(tmp_path / "brain.nii", [DARK])
    _write_volumes(tmp_path / "other.nii", [WHITE])
    rows = _classify(tmp_path, gated)
    assert rows["brain.nii"].status is Status.ANSWERED
    refused = rows["other.nii"]
    assert refused.status is Status.REFUSED
    assert refused.reason.startswith("not_t1_brain: ")
    assert refused.n_slices == 10
    assert refused.n_slices_used == rows["brain.nii"].n_slices_used > 1


def test_a_volume_of_several_that_is_refused_leaves_the_series_its_answer(
    tmp_path: Path, gated: Path
) -> None:
    _write_volumes(tmp_path / "dynamic.nii", [DARK, WHITE, DARK])
    rows = list(iter_results([tmp_path / "dynamic.nii"], model=gated))
    assert [row.status for row in rows[:3]] == [Status.ANSWERED, Status.REFUSED, Status.ANSWERED]
    assert rows[3].phase is Phase.PRE_CONTRAST
    assert "1 of 3 volumes have no answer" in rows[3].warnings


def test_a_long_series_of_which_a_few_spread_volumes_are_all_refused_is_one_row(
    tmp_path: Path, gated: Path
) -> None:
    _write_volumes(tmp_path / "long.nii", [WHITE] * 12)
    (row,) = iter_results([tmp_path / "long.nii"], model=gated)
    assert row.status is Status.REFUSED
    assert row.reason.startswith(
        "not_t1_brain: 5 of its 12 volumes, from the first to the last, were looked at"
    )
    assert (row.volume_index, row.n_slices) == (None, 5 * 10)


@pytest.mark.parametrize("place", [0, 11])
def test_a_long_series_with_a_t1_at_either_end_is_looked_at_whole(
    tmp_path: Path, gated: Path, place: int
) -> None:
    greys = [WHITE] * 12
    greys[place] = DARK
    _write_volumes(tmp_path / "dynamic.nii", greys)
    rows = list(iter_results([tmp_path / "dynamic.nii"], model=gated))
    assert [row.volume_index for row in rows] == [*range(12), None]
    assert rows[-1].phase is Phase.PRE_CONTRAST


def _cut(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 4] + whole[-4:])


def test_of_a_hundred_compressed_volumes_the_first_refuse_and_the_rest_is_not_inflated(
    tmp_path: Path, gated: Path
) -> None:
    path = tmp_path / "long.nii.gz"
    _write_volumes(path, [WHITE] * 100)
    _cut(path)
    (row,) = iter_results([path], model=gated)
    assert row.reason.startswith("not_t1_brain: 5 of the first 20 of its 100 volumes were looked at")


def test_of_a_hundred_compressed_volumes_none_is_answered_where_the_file_is_damaged(
    tmp_path: Path, gated: Path
) -> None:
    path = tmp_path / "long.nii.gz"
    _write_volumes(path, [DARK] * 100)
    _cut(path)
    rows = list(iter_results([path], model=gated))
    assert {row.status for row in rows} == {Status.FAILED}
    assert {row.reason.split(":")[0] for row in rows} == {"truncated"}


def test_a_dynamic_series_of_a_hundred_compressed_volumes_is_answered_volume_by_volume(
    tmp_path: Path, gated: Path
) -> None:
    _write_volumes(tmp_path / "long.nii.gz", [DARK] * 100)
    rows = list(iter_results([tmp_path / "long.nii.gz"], model=gated))
    assert [row.volume_index for row in rows] == [*range(100), None]
    assert {row.status for row in rows} == {Status.ANSWERED}
