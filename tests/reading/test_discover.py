"""Inputs are found in one order, none is lost, and no link leads round in circles."""

import os
import sys
import traceback
from pathlib import Path

import pytest

from gadoscope.reading.discover import Found, iter_inputs
from tests.support.rights import as_nobody


def listed(*paths: Path, below: Path) -> list[str]:
    """Return what was found, relative to ``below``; an error as `path: reason`."""
    return [describe(found, below) for found in iter_inputs(paths)]


def describe(found: Found, below: Path) -> str:
    path = Path(str(found.source)).relative_to(below)
    return str(path) if found.error is None else f"{path}: {found.error.reason}"


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def test_a_tree_is_walked_depth_first_in_the_order_of_names(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.png", "b/1.png", "a.png", "c.png", "b/deep/x.dat", "B.png", "é.png")
    expected = ["B.png", "a.png", "b/1.png", "b/2.png", "b/deep/x.dat", "c.png", "é.png"]
    assert listed(tmp_path, below=tmp_path) == expected


def test_paths_come_in_the_order_in_which_they_were_named(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "b/2.png", "z.png")
    named = [tmp_path / "z.png", tmp_path / "b", tmp_path / "a", tmp_path / "z.png"]
    assert listed(*named, below=tmp_path) == ["z.png", "b/2.png", "a/1.png", "z.png"]


def test_hidden_names_and_the_manifest_are_skipped_in_folders_only(tmp_path: Path) -> None:
    touch(tmp_path, ".hidden.png", ".git/x.png", "manifest.csv", "a.png", "notes.txt")
    assert listed(tmp_path, below=tmp_path) == ["a.png", "notes.txt"]
    assert listed(tmp_path / ".hidden.png", below=tmp_path) == [".hidden.png"]


def test_an_empty_folder_yields_nothing(tmp_path: Path) -> None:
    assert listed(tmp_path, below=tmp_path) == []


@pytest.mark.parametrize(
    ("name", "reason"), [("gone", "missing"), ("n" * 400, "name_too_long"), ("a\0", "missing")]
)
def test_a_path_that_does_not_exist_is_a_row(tmp_path: Path, name: str, reason: str) -> None:
    assert listed(tmp_path / name, below=tmp_path) == [f"{name}: {reason}"]


def test_linked_folders_are_followed_and_loops_become_rows(tmp_path: Path) -> None:
    touch(tmp_path, "data/a/1.png", "elsewhere/2.png")
    data = tmp_path / "data"
    (data / "b").symlink_to(tmp_path / "elsewhere")
    (data / "a" / "up").symlink_to(data)
    (data / "self").symlink_to("self")
    (data / "gone").symlink_to("nowhere")
    expected = ["data/a/1.png", "data/a/up: link_loop", "data/b/2.png", "data/gone", "data/self"]
    assert listed(data, below=tmp_path) == expected


def test_two_folders_that_link_to_each_other_end(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "b/2.png")
    (tmp_path / "a" / "to-b").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "to-a").symlink_to(tmp_path / "a")
    expected = ["a/1.png", "a/to-b/2.png", "a/to-b/to-a: link_loop"]
    assert listed(tmp_path / "a", below=tmp_path) == expected


def test_a_pipe_in_a_folder_is_an_input_like_any_other(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert listed(tmp_path, below=tmp_path) == ["pipe.png"]


def test_a_folder_that_may_not_be_listed_is_a_row_and_the_rest_is_found(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "b/2.png")
    (tmp_path / "a").chmod(0)
    try:
        with as_nobody(tmp_path):
            assert listed(tmp_path, below=tmp_path) == ["a: no_permission", "b/2.png"]
    finally:
        (tmp_path / "a").chmod(0o755)


def test_a_folder_that_may_be_listed_but_not_entered_ends_no_walk(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.json", "a/2.img", "b/3.png")
    (tmp_path / "a").chmod(0o444)
    try:
        with as_nobody(tmp_path):
            found = listed(tmp_path, below=tmp_path)
    finally:
        (tmp_path / "a").chmod(0o755)
    assert found[-1] == "b/3.png"
    assert [name.partition(":")[0] for name in found[:-1]] == ["a/1.json", "a/2.img"]


def test_of_a_nifti_pair_only_the_header_is_an_input(tmp_path: Path) -> None:
    touch(tmp_path, "x.img", "y.img", "y.hdr", "z.img.gz", "z.hdr.gz")
    (tmp_path / "x.hdr").write_bytes(bytes(344) + b"ni1\0")
    assert listed(tmp_path, below=tmp_path) == ["x.hdr", "y.hdr", "y.img", "z.hdr.gz"]
    assert listed(tmp_path / "x.img", below=tmp_path) == ["x.hdr"]
    assert listed(tmp_path / "y.img", below=tmp_path) == ["y.img"]


def test_what_describes_a_bids_data_set_is_no_input_and_its_derivatives_are_one(tmp_path: Path) -> None:
    touch(tmp_path, "participants.tsv", "README", "sub-1/anat/sub-1_T1w.nii", "derivatives/fs/sub-1_T1w.nii")
    touch(tmp_path, "sub-1/anat/sub-1_T1w.json", "sub-1/notes.pdf")
    (tmp_path / "dataset_description.json").write_text("{}")
    expected = ["derivatives: bids_derivatives", "sub-1/anat/sub-1_T1w.nii", "sub-1/notes.pdf"]
    assert listed(tmp_path, below=tmp_path) == expected
    assert listed(tmp_path / "derivatives", below=tmp_path) == ["derivatives/fs/sub-1_T1w.nii"]
    assert listed(tmp_path / "participants.tsv", below=tmp_path) == ["participants.tsv"]


def test_a_tree_deeper_than_pythons_recursion_is_walked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    limit, n_levels = sys.getrecursionlimit(), 200
    for _ in range(n_levels):
        os.mkdir("d")  # noqa: PTH102
        os.chdir("d")
    Path("bottom.png").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    try:
        sys.setrecursionlimit(len(traceback.extract_stack()) + n_levels // 2)
        found = [found.source.path for found in iter_inputs([Path("d")])]
    finally:
        sys.setrecursionlimit(limit)
        remove_deep(tmp_path)
    assert found == [Path(*["d"] * n_levels, "bottom.png")]


def remove_deep(folder: Path) -> None:
    """Remove the chain from its end; shutil's own recursion is no deeper than Python's."""
    os.chdir(folder)
    depth = 0
    while os.path.isdir("d"):  # noqa: PTH112
        os.chdir("d")
        depth += 1
    Path("bottom.png").unlink()
    for _ in range(depth):
        os.chdir("..")
        os.rmdir("d")  # noqa: PTH106


def test_finding_is_streaming(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png")
    inputs = iter_inputs([tmp_path / "a", tmp_path / "later"])
    assert next(inputs).source.path == tmp_path / "a" / "1.png"
    touch(tmp_path, "later/2.png")  # made after the first answer, and still found
    assert next(inputs).source.path == tmp_path / "later" / "2.png"
