"""`gadoscope prepare`: copies that differ in nothing but what they show; the originals are only read."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gadoscope.errors import ManifestError, UsageError
from gadoscope.files import hash_file
from gadoscope.labels import Split
from gadoscope.preparation.manifest import read_manifest
from gadoscope.preparation.uniform import write_uniform
from tests.support.commands import run_command
from tests.support.lessons import write_slices


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    """Return heads before contrast as small JPEG with a frame, and after it as large PNG with none."""
    folder = tmp_path / "originals"
    rows = ["path,subject_id,label,plane,source,split,series,sha256"]
    for number in range(4):
        label = "post" if number % 2 else "pre"
        head = Image.fromarray(draw_head(number))
        path = folder / f"{label}-{number:03}{'.png' if number % 2 else '.jpg'}"
        path.parent.mkdir(exist_ok=True)
        if number % 2:
            head.resize((200, 220)).save(path)
        else:
            framed = Image.new("L", (160, 150), 255)
            framed.paste(head, (20, 20))
            framed.save(path)
        rows.append(
            f"{path.name},s{number},{label},axial,a,{'test' if number > 1 else 'train'},t{number},abc"
        )
    (folder / "manifest.csv").write_text("\n".join(rows))
    return folder


def draw_head(seed: int) -> np.ndarray:
    """Return an ellipse of noise on black, 110 x 100 pixels."""
    row, column = np.ogrid[-1:1:110j, -1:1:100j]
    noise = np.random.default_rng(seed).integers(90, 200, (110, 100))
    return np.where(row**2 / 0.8 + column**2 / 0.6 < 1, noise, 0).astype(np.uint8)


def test_the_copies_have_one_size_one_format_one_length_and_no_frame(originals: Path, tmp_path: Path) -> None:
    before = {path: hash_file(path) for path in originals.iterdir()}
    done = write_uniform(read_manifest(originals), tmp_path / "out", side=96)
    images = [Image.open(path) for path in sorted((tmp_path / "out" / "images").iterdir())]
    assert done.n_images == len(images) == 4
    assert {(image.format, image.mode, image.size) for image in images} == {("PNG", "L", (96, 96))}
    assert len({path.stat().st_size for path in (tmp_path / "out" / "images").iterdir()}) == 1
    for image in images:
        pixels = np.asarray(image)
        assert max(pixels[0].max(), pixels[-1].max(), pixels[:, 0].max(), pixels[:, -1].max()) < 60
        assert (pixels > 60).any(axis=1).sum() > 80  # the head fills it
    assert {path: hash_file(path) for path in originals.iterdir()} == before


def test_the_manifest_keeps_what_is_known_and_says_what_each_is_a_copy_of(
    originals: Path, tmp_path: Path
) -> None:
    done = write_uniform(read_manifest(originals), tmp_path / "out", side=64)
    old, new = read_manifest(originals).items, read_manifest(done.manifest).items
    for was, copy in zip(old, new, strict=True):
        assert (copy.subject_id, copy.label, copy.plane, copy.source) == (
            was.subject_id,
            was.label,
            was.plane,
            was.source,
        )
        assert copy.split is was.split in {Split.TRAIN, Split.TEST}
        assert copy.extra["original"] == str(was.path)
        assert copy.extra["series"] == was.extra["series"]
        assert "sha256" not in copy.extra
    assert [copy.extra["slice"] for copy in new] == ["000", "001", "002", "003"]


def test_what_cannot_be_read_is_left_out_and_named(originals: Path, tmp_path: Path) -> None:
    (originals / "pre-000.jpg").write_bytes(b"")
    said = run_command("prepare", originals, "--output", tmp_path / "out", "--side", "64", "--jobs", "1")
    assert said.returncode == 3
    assert "3 images of 64 x 64 pixels" in said.stdout
    assert "Left out: 1 image." in said.stdout
    assert "pre-000.jpg: " in said.stdout
    assert len(read_manifest(tmp_path / "out").items) == 3


def test_a_folder_that_holds_something_or_lies_among_the_originals_is_refused(
    originals: Path, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    manifest = read_manifest(originals)
    with pytest.raises(UsageError, match=r"full exists already; name another folder or remove it first"):
        write_uniform(manifest, tmp_path / "full")
    layout = write_slices(tmp_path / "layout")
    with pytest.raises(UsageError, match=r"lies in .*layout, where the copies would be taken for"):
        write_uniform(read_manifest(layout), layout / "out")
    with pytest.raises(UsageError, match="a side of 9 pixels cannot be; name 32 to 4096"):
        write_uniform(manifest, tmp_path / "out", side=9)


def test_data_of_which_nothing_can_be_read_are_one_sentence_and_leave_nothing(
    originals: Path, tmp_path: Path
) -> None:
    for path in originals.glob("p*"):
        path.write_bytes(b"")
    with pytest.raises(
        ManifestError, match=r"no image of .* can be read; originals/pre-000\.jpg, the first: "
    ):
        write_uniform(read_manifest(originals), tmp_path / "out")
    assert not (tmp_path / "out").exists()
