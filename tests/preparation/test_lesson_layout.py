"""Folders named by class: found in any case, in Keras' order, and nothing skipped in silence."""

import os
from pathlib import Path

import pytest

from gadoscope.errors import ManifestError
from gadoscope.labels import Label, Plane, Split
from gadoscope.preparation.manifest import read_manifest
from tests.support.slices import write_classes, write_slice

SUBJECTS_UNKNOWN = "subjects are unknown in this layout"


@pytest.mark.parametrize(
    ("pre", "post"), [("no_gad", "with_gad"), ("pre", "post"), ("No_Gad", "WITH_GAD"), ("PRE", "Post")]
)
def test_class_folders_are_found_in_any_case(tmp_path: Path, pre: str, post: str) -> None:
    manifest = read_manifest(write_classes(tmp_path / "hospital", 3, pre, post))
    assert [item.label for item in manifest.items] == [Label.PRE] * 3 + [Label.POST] * 3
    first = manifest.items[0]
    assert first.path == tmp_path / "hospital" / pre / "000.png"
    assert (first.source, first.plane, first.subject_id, first.split) == (
        "hospital",
        Plane.UNKNOWN,
        None,
        None,
    )
    assert not manifest.has_subjects
    assert SUBJECTS_UNKNOWN in manifest.notices[0]
    assert manifest.origin == tmp_path / "hospital"


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("Train", Split.TRAIN),
        ("training", Split.TRAIN),
        ("Validation", Split.VALIDATION),
        ("val", Split.VALIDATION),
        ("VALID", Split.VALIDATION),
        ("Test", Split.TEST),
        ("testing", Split.TEST),
    ],
)
def test_sides_are_found_in_any_case(tmp_path: Path, name: str, split: Split) -> None:
    write_classes(tmp_path / name)
    manifest = read_manifest(tmp_path)
    assert {item.split for item in manifest.items} == {split}
    assert {item.source for item in manifest.items} == {tmp_path.name}


def test_a_side_by_itself_has_no_split(tmp_path: Path) -> None:
    write_classes(tmp_path / "Train")
    assert {item.split for item in read_manifest(tmp_path / "Train").items} == {None}


def test_an_empty_folder_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"is empty; expected FOLDER/\{no_gad,with_gad\}"):
        read_manifest(tmp_path)


def test_a_folder_of_other_things_says_what_belongs_there(tmp_path: Path) -> None:
    write_slice(tmp_path / "a.png")
    with pytest.raises(ManifestError, match="holds no class folder; expected"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(("label", "names"), [("pre", "no_gad or pre"), ("post", "with_gad or post")])
@pytest.mark.parametrize("side", [".", "Train", "Test"])
@pytest.mark.parametrize("is_there", [True, False], ids=["empty folder", "no folder"])
def test_a_class_that_is_missing_is_named_with_its_place(
    tmp_path: Path, side: str, label: str, names: str, is_there: bool
) -> None:
    missing = {"pre": "no_gad", "post": "with_gad"}[label]
    write_classes(tmp_path / side)
    for path in (tmp_path / side / missing).iterdir():
        path.unlink()
    if not is_there:
        (tmp_path / side / missing).rmdir()
    with pytest.raises(ManifestError) as caught:
        read_manifest(tmp_path)
    assert f"{tmp_path / side} has no {label}-contrast image" in str(caught.value)
    assert f"in a folder {names} there" in str(caught.value)


def test_classes_and_sides_in_one_folder_are_refused(tmp_path: Path) -> None:
    write_classes(tmp_path)
    write_classes(tmp_path / "Train")
    with pytest.raises(ManifestError, match=r"both class folders \(no_gad\) and sides \(Train\)"):
        read_manifest(tmp_path)


def test_files_that_are_no_images_are_counted_and_hidden_ones_are_not(tmp_path: Path) -> None:
    write_classes(tmp_path / "Train")
    folder = tmp_path / "Train" / "no_gad"
    for name in ("Thumbs.db", "notes.txt", "more.txt", "README", ".DS_Store", "._000.png"):
        (folder / name).write_text("x")
    write_slice(folder / ".cache" / "hidden.png")
    (folder / "linked").symlink_to(tmp_path / "Train" / "with_gad")
    (tmp_path / "Train" / "spare").mkdir()
    (tmp_path / "README.md").write_text("x")
    manifest = read_manifest(tmp_path)
    assert len(manifest.items) == 10
    skipped, ignored = manifest.notices[1:]
    assert skipped.endswith("1 .db, 2 .txt, 1 link to a folder, 1 without suffix.")
    assert ignored == "not used, because they are beside the class folders: README.md, spare."


def test_folders_inside_a_class_are_read_in_keras_order(tmp_path: Path) -> None:
    write_classes(tmp_path, 2)
    for name in ("b/1.png", "b-c/1.png", "B.PNG", "10.jpg", "9.jpeg", "é.webp"):
        write_slice(tmp_path / "no_gad" / name)
    pre = [item.path for item in read_manifest(tmp_path).items if item.label is Label.PRE]
    names = [os.path.relpath(path, tmp_path / "no_gad") for path in pre]
    assert names == ["000.png", "001.png", "10.jpg", "9.jpeg", "B.PNG", "é.webp", "b/1.png", "b-c/1.png"]


def test_a_name_that_is_not_utf_8_is_named_before_any_work(tmp_path: Path) -> None:
    write_classes(tmp_path)
    write_slice(tmp_path / "no_gad" / "a.png").rename(tmp_path / "no_gad" / os.fsdecode(b"scan-\xe9.png"))
    with pytest.raises(ManifestError, match=r"scan-\\xe9\.png is not UTF-8"):
        read_manifest(tmp_path)
