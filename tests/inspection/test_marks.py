"""Text and tags in the air are found with their place; anatomy is none."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gadoscope.inspection.marks import find_marks
from tests.support.heads import head_slices
from tests.support.slices import grey_values

Pixels = NDArray[np.uint8]


def a_head() -> Pixels:
    return next(iter(head_slices().values()))


def written(pixels: Pixels, text: str, place: tuple[int, int], size: int) -> Pixels:
    image = Image.fromarray(pixels)
    ImageDraw.Draw(image).text(place, text, fill=230, font=ImageFont.load_default(size))
    return np.asarray(image)


def as_jpeg(pixels: Pixels) -> Pixels:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=75)
    return np.asarray(Image.open(buffer))


def in_air() -> Pixels:
    """Return a head in a wide field of air."""
    return np.pad(a_head(), ((40, 0), (40, 0)))


@pytest.mark.parametrize("size", [10, 14, 18])
def test_a_line_of_text_is_one_mark_where_it_is(size: int) -> None:
    pixels = in_air()
    for picture in (
        written(pixels, "SE T1 512", (6, 8), size),
        as_jpeg(written(pixels, "SE T1 512", (6, 8), size)),
    ):
        marks = find_marks(picture)
        assert marks
        assert {mark.kind for mark in marks} == {"text"}
        rows, columns = picture.shape
        assert marks[0].left * columns < 6 + size
        assert 8 <= marks[0].top * rows <= 8 + size
        assert max(mark.bottom for mark in marks) * rows <= 8 + 1.5 * size


def test_a_patch_of_one_grey_is_a_tag() -> None:
    pixels = a_head().copy()
    pixels[4:12, 5:15] = 210
    (mark,) = find_marks(pixels)
    rows, columns = pixels.shape
    assert mark.kind == "tag"
    np.testing.assert_allclose(
        [mark.top * rows, mark.bottom * rows, mark.left * columns, mark.right * columns], [4, 12, 5, 15]
    )
    assert [mark.kind for mark in find_marks(as_jpeg(pixels))] == ["tag"]


def test_no_head_has_a_mark() -> None:
    assert [index for index, pixels in head_slices().items() if find_marks(pixels)] == []


def test_what_lies_over_the_head_is_left_to_people() -> None:
    middle = a_head().shape[0] // 2
    assert find_marks(written(a_head(), "SE T1", (middle, middle), 14)) == ()


def test_noise_and_patches_are_no_text() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200)).astype(np.uint8)
    assert find_marks(noise) == ()
    assert find_marks(grey_values(200, 180)) == ()


def test_real_slices_have_text_only_where_people_see_it(shared: object) -> None:
    from pathlib import Path  # noqa: PLC0415 # only here

    folder = Path(str(shared)) / "data"
    clean = (
        sorted((folder / "ixi" / "sagittal").iterdir())[::10]
        + sorted((folder / "tcga-lgg" / "axial").iterdir())[::40]
    )
    assert [path.name for path in clean if find_marks(np.asarray(Image.open(path).convert("L")))] == []
    with_text = folder / "feltrin" / "post"
    found = [
        find_marks(np.asarray(Image.open(path).convert("L")))
        for path in sorted(with_text.glob("Granuloma_00*"))
    ]
    assert sum(bool(marks) for marks in found) >= 4
    assert all(mark.top > 0.9 for marks in found for mark in marks)  # the window's values, bottom left
