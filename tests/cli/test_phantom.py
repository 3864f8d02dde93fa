"""The command `gadoscope phantom`."""

from pathlib import Path

from click.testing import CliRunner

from gadoscope.cli.phantom import command
from gadoscope.errors import UsageError

SMALL = ["--subjects", "3", "--slices", "1", "--matrix", "32", "--jobs", "1"]


def test_it_makes_the_lessons_folders_and_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(tmp_path / "heads"), *SMALL])
    assert result.exit_code == 0, result.output
    assert "slices of 3 synthetic subjects, seed 1020" in result.output
    assert {p.name for p in (tmp_path / "heads").iterdir()} == {"Train", "Test", "manifest.csv"}


def test_it_makes_the_other_forms(tmp_path: Path) -> None:
    for form, pattern in (("dicom", "*.dcm"), ("nifti", "*.nii.gz"), ("bids", "*_T1w.nii.gz")):
        result = CliRunner().invoke(command, [str(tmp_path / form), "--form", form, *SMALL])
        assert result.exit_code == 0, result.output
        assert len(list((tmp_path / form).rglob(pattern))) == 6


def test_png_slices_are_sagittal_only(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(tmp_path / "x"), "--plane", "axial", *SMALL])
    assert isinstance(result.exception, UsageError)
    assert "--plane axial needs --form dicom, nifti or bids" in str(result.exception)


def test_other_contrasts_have_a_folder_each_in_any_plane(tmp_path: Path) -> None:
    options = ["--plane", "coronal", "--contrast", "t2", "--contrast", "ct", *SMALL]
    result = CliRunner().invoke(command, [str(tmp_path / "x"), *options])
    assert result.exit_code == 0, result.output
    assert {p.name for p in (tmp_path / "x").iterdir()} == {"t2", "ct", "manifest.csv"}


def test_help_shows_an_example() -> None:
    assert "gadoscope phantom heads --subjects 60" in CliRunner().invoke(command, ["--help"]).output
