"""The b-values beside an image, under every name that programs give them."""

from pathlib import Path

import pytest

from gadoscope.reading.bids.dataset import is_bids_metadata
from gadoscope.reading.bids.gradients import find_b_value, read_gradients

B_VALUES = "0 1000 1000 1000\n"


def _touch(path: Path, text: str = "") -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "name",
    ["dti.bval", "dti.bvals", "DTI.BVAL", "dti.bval.txt", "dti_bvals", "bvals", "bvals.txt", "b-values.txt"],
)
def test_b_values_are_found_under_every_name(tmp_path: Path, name: str) -> None:
    image = _touch(tmp_path / "dti.nii.gz")
    gradients = _touch(tmp_path / name, B_VALUES)
    assert find_b_value(read_gradients(image), 4) == 1000
    assert is_bids_metadata(gradients), "it is no input of its own"


@pytest.mark.parametrize("text", ["0,1000\n", "0\n1000\n", "[0 1e3]", "\ufeff0\t1000"])
def test_b_values_are_read_however_they_are_separated(tmp_path: Path, text: str) -> None:
    image = _touch(tmp_path / "a.nii")
    _touch(tmp_path / "a.bval", text)
    assert find_b_value(read_gradients(image), 2) == 1000


@pytest.mark.parametrize("text", ["0 0 0 0", "0 5 5 5", "", "words", "nan inf 0 0"])
def test_no_b_value_above_zero_is_no_diffusion(tmp_path: Path, text: str) -> None:
    image = _touch(tmp_path / "a.nii")
    _touch(tmp_path / "a.bval", text)
    assert find_b_value(read_gradients(image), 4) == 0


@pytest.mark.parametrize("text", ["0 1 0\n0 0 1\n0 0 0\n", "0 0 0\n1 0 0\n"])
def test_directions_whose_b_values_were_lost_count(tmp_path: Path, text: str) -> None:
    image = _touch(tmp_path / "a.nii")
    _touch(tmp_path / "a.bvec", text)
    assert find_b_value(read_gradients(image), 3) > 0


def test_the_b_values_of_another_image_and_of_another_number_of_volumes_do_not_count(tmp_path: Path) -> None:
    image = _touch(tmp_path / "t1.nii.gz")
    _touch(tmp_path / "dti.nii.gz")
    _touch(tmp_path / "dti.bval", B_VALUES)
    assert find_b_value(read_gradients(image), 4) == 0
    _touch(tmp_path / "bvals", B_VALUES)
    assert find_b_value(read_gradients(image), 1) == 0
    assert find_b_value(read_gradients(image), 3) == 0
    assert not is_bids_metadata(_touch(tmp_path / "bvals.png"))
