"""Every image is decoded once; what lies prepared is used only while nothing has changed."""

import hashlib
import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gadoscope.errors import ManifestError, OutputError
from gadoscope.imaging.intensity import ImagePath
from gadoscope.labels import Label
from gadoscope.preparation.manifest import Item, Manifest, read_manifest
from gadoscope.preparation.prepare import IMAGES_NAME, INDEX_NAME, prepare_store
from gadoscope.reading.images import read_slice
from tests.support.copies import start_copy
from tests.support.slices import grey_values, write_classes

SMALL = ImagePath(size=33)


def items_of(folder: Path, n_images: int = 4) -> tuple[Item, ...]:
    return read_manifest(write_classes(folder, n_images)).items


def identity(folder: Path) -> tuple[int, int]:
    """Return what changes whenever the array is written anew."""
    status = (folder / IMAGES_NAME).stat()
    return status.st_ino, status.st_mtime_ns


def test_the_store_holds_what_reading_and_resizing_give(tmp_path: Path) -> None:
    items = items_of(tmp_path / "data")
    store = prepare_store(items, SMALL, tmp_path / "prepared")
    for image, digest, item in zip(store.images, store.digests, items, strict=True):
        np.testing.assert_array_equal(image, SMALL.resize_slice(read_slice(item.path).pixels))
        assert digest == hashlib.sha256(item.path.read_bytes()).hexdigest()
    assert store.images.shape == (8, 33, 33)
    assert store.images.dtype == np.uint8
    assert store.labels.tolist() == [0] * 4 + [1] * 4
    assert store.items == items
    assert isinstance(store.images, np.memmap)
    assert not store.images.flags.writeable


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_the_number_of_threads_makes_no_difference(tmp_path: Path, jobs: int) -> None:
    items = items_of(tmp_path / "data", 30)
    one = prepare_store(items, SMALL, tmp_path / "one", jobs=1)
    some = prepare_store(items, SMALL, tmp_path / "some", jobs=jobs)
    np.testing.assert_array_equal(one.images, some.images)
    assert one.digests == some.digests


def test_progress_is_told_image_by_image(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    prepare_store(
        items_of(tmp_path / "data"), SMALL, tmp_path / "prepared", on_progress=lambda *done: told.append(done)
    )
    assert told == [(done, 8) for done in range(1, 9)]


def test_an_unchanged_store_is_used_again_without_decoding(tmp_path: Path) -> None:
    items = items_of(tmp_path / "data")
    first = prepare_store(items, SMALL, tmp_path / "prepared")
    before = identity(tmp_path / "prepared")

    def complain(*_: int) -> None:
        raise AssertionError("an image was decoded again")

    again = prepare_store(items, SMALL, tmp_path / "prepared", on_progress=complain)
    assert identity(tmp_path / "prepared") == before
    np.testing.assert_array_equal(again.images, first.images)
    assert (again.digests, again.warnings) == (first.digests, first.warnings)


def change_content(folder: Path, items: tuple[Item, ...]) -> tuple[Item, ...]:
    Image.fromarray(grey_values(seed=77)).save(items[2].path)
    return items


def change_content_with_equal_size_and_time(folder: Path, items: tuple[Item, ...]) -> tuple[Item, ...]:
    status = items[2].path.stat()
    content = bytearray(items[2].path.read_bytes())
    content[-1] ^= 1  # in the last chunk's checksum, which the decoder does not need
    items[2].path.write_bytes(content)
    os.utime(items[2].path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return items


def change_order(folder: Path, items: tuple[Item, ...]) -> tuple[Item, ...]:
    return items[::-1]


def leave_one_out(folder: Path, items: tuple[Item, ...]) -> tuple[Item, ...]:
    return items[1:]


def cut_the_array(folder: Path, items: tuple[Item, ...]) -> tuple[Item, ...]:
    os.truncate(folder / IMAGES_NAME, 500)
    return items


def remove_the_array(folder: Path, items: tuple[Item, ...]) -> tuple[Item, ...]:
    (folder / IMAGES_NAME).unlink()
    return items


def damage_the_index(folder: Path, items: tuple[Item, ...]) -> tuple[Item, ...]:
    (folder / INDEX_NAME).write_text('{"format_version": 1, ')
    return items


def empty_the_index(folder: Path, items: tuple[Item, ...]) -> tuple[Item, ...]:
    (folder / INDEX_NAME).write_text('{"format_version": 1}')
    return items


def raise_the_version(folder: Path, items: tuple[Item, ...]) -> tuple[Item, ...]:
    index = json.loads((folder / INDEX_NAME).read_text())
    (folder / INDEX_NAME).write_text(json.dumps({**index, "format_version": 0}))
    return items


CHANGES = [
    change_content,
    change_content_with_equal_size_and_time,
    change_order,
    leave_one_out,
    cut_the_array,
    remove_the_array,
    damage_the_index,
    empty_the_index,
    raise_the_version,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_store_is_made_anew_after(tmp_path: Path, change: Callable[..., tuple[Item, ...]]) -> None:
    items = items_of(tmp_path / "data")
    prepare_store(items, SMALL, tmp_path / "prepared")
    before = identity(tmp_path / "prepared") if change is not remove_the_array else None
    changed = change(tmp_path / "prepared", items)
    again = prepare_store(changed, SMALL, tmp_path / "prepared")
    fresh = prepare_store(changed, SMALL, tmp_path / "fresh")
    assert identity(tmp_path / "prepared") != before
    np.testing.assert_array_equal(again.images, fresh.images)
    assert again.digests == fresh.digests


@pytest.mark.parametrize("other", [ImagePath(size=34), ImagePath(size=33, preprocessing_function="invert")])
def test_another_image_path_makes_the_store_anew(tmp_path: Path, other: ImagePath) -> None:
    items = items_of(tmp_path / "data")
    prepare_store(items, SMALL, tmp_path / "prepared")
    before = identity(tmp_path / "prepared")
    assert prepare_store(items, other, tmp_path / "prepared").images.shape[1] == other.size
    assert identity(tmp_path / "prepared") != before


def test_an_old_index_beside_a_new_array_is_not_believed(tmp_path: Path) -> None:
    """What a kill between the two writes leaves behind."""
    items = items_of(tmp_path / "data")
    folder = tmp_path / "prepared"
    prepare_store(items, SMALL, folder)
    old_index = (folder / INDEX_NAME).read_bytes()
    prepare_store(items[::-1], SMALL, folder)
    (folder / INDEX_NAME).write_bytes(old_index)
    first = prepare_store(items, SMALL, folder).images[0]
    np.testing.assert_array_equal(first, SMALL.resize_slice(read_slice(items[0].path).pixels))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a process that can be copied")
def test_a_killed_preparation_leaves_nothing_that_is_believed(tmp_path: Path) -> None:
    items = items_of(tmp_path / "data")
    folder = tmp_path / "prepared"

    def kill(done: int, _total: int) -> None:
        if done == 5:
            os.kill(os.getpid(), signal.SIGKILL)

    def prepare_and_die() -> int:
        return len(prepare_store(items, SMALL, folder, on_progress=kill).images)

    assert start_copy(prepare_and_die).wait() == -signal.SIGKILL
    assert not (folder / IMAGES_NAME).exists()
    assert not (folder / INDEX_NAME).exists()
    assert len(prepare_store(items, SMALL, folder).images) == 8


def test_images_that_cannot_be_used_are_named_and_counted(tmp_path: Path) -> None:
    items = items_of(tmp_path / "data")
    items[0].path.write_bytes(b"")
    items[1].path.write_text("no picture")
    for item in items[4:7]:
        Image.new("L", (40, 40), 7).save(item.path)
    with pytest.raises(ManifestError) as caught:
        prepare_store(items, SMALL, tmp_path / "prepared")
    message = str(caught.value)
    assert message.startswith("5 of 8 images cannot be used; repair them or leave them out: ")
    assert f"{items[0].path} (empty_file: " in message
    assert f"{items[1].path} (not_an_image: " in message
    assert message.endswith("; and 2 more")
    assert list((tmp_path / "prepared").iterdir()) == []


def test_repairs_are_counted_by_their_kind_and_remembered(tmp_path: Path) -> None:
    items = items_of(tmp_path / "data")
    for item in items[:3]:
        Image.fromarray(grey_values().astype(np.uint16) * 9).save(item.path)
    for _ in range(2):
        (warning,) = prepare_store(items, SMALL, tmp_path / "prepared").warnings
        assert warning.startswith("3 images: more than 8 bits a pixel")
        assert warning.endswith(f"(first: {items[0].path})")


def test_nothing_to_prepare_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="there is no image to prepare"):
        prepare_store((), SMALL, tmp_path)


def test_an_image_labelled_other_is_an_error(tmp_path: Path) -> None:
    first, *rest = items_of(tmp_path / "data")
    with pytest.raises(ManifestError, match="1 of 8 images are labelled other"):
        prepare_store((replace(first, label=Label.OTHER), *rest), SMALL, tmp_path / "prepared")


def test_where_a_gate_is_trained_images_labelled_other_stay_and_have_a_code_of_their_own(
    tmp_path: Path,
) -> None:
    first, *rest = items_of(tmp_path / "data")
    items = (replace(first, label=Label.OTHER), *rest)
    store = prepare_store(items, SMALL, tmp_path / "prepared", allow_other=True)
    codes = {Label.PRE: 0, Label.POST: 1, Label.OTHER: 2}
    assert store.labels.tolist() == [codes[item.label] for item in items]
    assert store.is_t1.tolist() == [item.label is not Label.OTHER for item in items]


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files gives the same kind of error as a full disk, without filling one."""
    resource = pytest.importorskip("resource")
    items = items_of(tmp_path / "data")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"cannot write .*images\.npy"):
            prepare_store(items, SMALL, tmp_path / "prepared")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert list((tmp_path / "prepared").iterdir()) == []


def test_the_real_slices_are_prepared_as_they_are(real_manifest: Manifest, tmp_path: Path) -> None:
    items = [item for item in real_manifest.items if item.source == "tcga-lgg-sagittal"]
    assert len(items) == 105
    store = prepare_store(items[::5], ImagePath(), tmp_path)
    assert store.images.shape == (21, 331, 331)
    assert store.warnings == ()
    with Image.open(items[50].path) as image:
        expected = image.convert("L").resize((331, 331), Image.Resampling.NEAREST)
    np.testing.assert_array_equal(store.images[10], np.asarray(expected))
