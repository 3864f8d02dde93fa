from pathlib import Path

from gadoscope.evaluation.overlap import divide_for_bundle, divide_foreign, divide_own
from gadoscope.files import hash_file
from gadoscope.labels import Label, Split
from gadoscope.preparation.manifest import Item, Manifest
from gadoscope.preparation.slices import FileDigests
from gadoscope.preparation.subjects import count_items


def item(path: Path, split: Split | None = None, *, subject: str | None = None, digest: bool = True) -> Item:
    if not path.exists():
        path.write_bytes(path.name.encode())
    extra = {"sha256": hash_file(path)} if digest else {}
    label = Label.POST if "post" in path.name else Label.PRE
    return Item(path=path, label=label, subject_id=subject, source="here", split=split, extra=extra)


def manifest(*items: Item) -> Manifest:
    return Manifest(items=items, origin=Path("data"))


def test_a_runs_own_splits_stand(tmp_path: Path) -> None:
    run = manifest(
        item(tmp_path / "a", Split.TRAIN),
        item(tmp_path / "b", Split.VALIDATION),
        item(tmp_path / "c", Split.TEST),
    )

    division = divide_own(run)

    assert [one.path.name for one in division.evaluated] == ["b", "c"]
    assert [one.path.name for one in division.trained_on] == ["a"]
    assert division.n_excluded == 0


def test_images_that_trained_the_run_are_left_out_whatever_they_are_called_now(tmp_path: Path) -> None:
    run = manifest(item(tmp_path / "a", Split.TRAIN), item(tmp_path / "b", Split.VALIDATION))
    (tmp_path / "copy-of-a").write_bytes(b"a")
    (tmp_path / "copy-of-b").write_bytes(b"b")
    other = manifest(
        item(tmp_path / "copy-of-a", Split.TEST, digest=False),
        item(tmp_path / "copy-of-b", Split.TEST, digest=False),
        item(tmp_path / "new", Split.TRAIN, digest=False),
    )

    division = divide_foreign(other, run, FileDigests())

    assert [(one.path.name, one.split) for one in division.evaluated] == [
        ("copy-of-b", Split.VALIDATION),
        ("new", Split.TEST),
    ]
    assert division.n_excluded == 1


def test_for_a_bundle_alone_images_without_a_split_are_test(tmp_path: Path) -> None:
    division = divide_for_bundle(
        manifest(
            item(tmp_path / "a"), item(tmp_path / "b", Split.TRAIN), item(tmp_path / "c", Split.VALIDATION)
        )
    )

    assert [one.split for one in division.evaluated] == [Split.TEST, Split.VALIDATION]
    assert division.n_excluded == 1


def test_leaks_inside_a_run_are_counted(tmp_path: Path) -> None:
    twin = tmp_path / "twin"
    twin.write_bytes(b"a")
    run = manifest(
        item(tmp_path / "a", Split.TRAIN, subject="1"),
        item(twin, Split.TEST, subject="2"),
        item(tmp_path / "c", Split.TEST, subject="1"),
        item(tmp_path / "d", Split.VALIDATION, subject="1"),
    )

    division = divide_own(run)

    assert division.n_shared_images == 1
    assert division.n_shared_subjects == 1


def test_the_sources_of_the_training_are_counted_by_label(tmp_path: Path) -> None:
    run = manifest(
        item(tmp_path / "a-post", Split.TRAIN),
        item(tmp_path / "b-pre", Split.TRAIN),
        item(tmp_path / "c-post", Split.TEST),
    )

    assert divide_own(run).training_sources == {"here": (1, 1)}


def test_counts_of_nothing_are_zero_and_subjects_unknown() -> None:
    assert count_items(()) == {"n_images": 0, "n_subjects": None, "n_pre": 0, "n_post": 0}


def test_a_file_that_cannot_be_hashed_is_taken_for_unseen(tmp_path: Path) -> None:
    assert hash_file(tmp_path) == ""
    assert hash_file(tmp_path / "none") == ""
