"""How a slice was stored and resampled shows in a few numbers, and what it shows does not."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from gadoscope.inspection.texture import measure_lie, measure_texture, read_encoding


def smooth_head() -> NDArray[np.uint8]:
    """Return a blob with folds and a little noise, off the middle: 96 rows, 80 columns."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:96, :80]
    inside = ((rows - 50) / 40) ** 2 + ((columns - 34) / 28) ** 2 < 1
    folds = 110 + 50 * np.sin(rows / 2) * np.cos(columns / 2)
    grey = ndimage.gaussian_filter(inside * folds, 0.5) + inside * generator.normal(0, 1, inside.shape)
    head: NDArray[np.uint8] = np.clip(grey, 0, 255).astype(np.uint8)
    return head


def stored(pixels: NDArray[np.uint8], *, mode: str = "L", **options: object) -> io.BytesIO:
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, **options)  # type: ignore[arg-type]
    return file


def test_noise_is_grain() -> None:
    head = smooth_head()
    noisy = np.clip(head + np.random.default_rng(1).normal(0, 6, head.shape), 0, 255).astype(np.uint8)
    assert measure_texture(noisy)[0] > 1.5 * measure_texture(head)[0]


def test_a_bad_jpeg_has_blocks() -> None:
    head = smooth_head()
    bad = np.asarray(Image.open(stored(head, format="JPEG", quality=10)))
    assert measure_texture(bad)[1] > 1.2 * measure_texture(head)[1]


def test_a_magnified_picture_is_less_fine() -> None:
    head = smooth_head()
    small = Image.fromarray(head).resize((40, 48))
    assert measure_texture(np.asarray(small.resize((80, 96))))[2] < measure_texture(head)[2]


@pytest.mark.parametrize("shape", [(16, 17), (97, 64)])
def test_whole_numbers_give_what_floats_give_to_the_bit(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    grey = pixels.astype(np.float64)
    inner = grey[1:-1, 1:-1]
    head = inner > 0.1 * np.percentile(grey, 99)
    corners = grey[:-2, :-2] + grey[:-2, 2:] + grey[2:, :-2] + grey[2:, 2:]
    beside = grey[1:-1, :-2] + grey[1:-1, 2:] + grey[:-2, 1:-1] + grey[2:, 1:-1]
    difference = corners - 2 * beside + 4 * inner
    grain = np.median(np.abs(difference[head])) / inner[head].mean()
    steps = np.abs(np.diff(grey, axis=1)).mean(axis=0)
    far = np.abs(grey[:, 2:] - grey[:, :-2]).mean()
    found = measure_texture(pixels)
    assert found[0] == grain
    assert found[1] == steps[7::8].mean() / np.delete(steps, np.s_[7::8]).mean()
    assert found[2] == steps.mean() / far


def test_brightness_is_no_texture() -> None:
    head = smooth_head()
    np.testing.assert_allclose(measure_texture(head // 2)[1:], measure_texture(head)[1:], rtol=0.1)


def test_a_mirrored_head_leans_the_other_way() -> None:
    lie, mirrored = measure_lie(smooth_head()), measure_lie(smooth_head()[:, ::-1])
    np.testing.assert_allclose(mirrored, [lie[0], lie[1], 1 - lie[2], -lie[3]], atol=1e-9)
    assert abs(lie[3]) > 0.05


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"format": "PNG"}, {"format": "PNG", "mode": "RGB"}),
        ({"format": "JPEG", "quality": 95}, {"format": "JPEG", "quality": 70}),
        ({"format": "PNG"}, {"format": "JPEG", "quality": 95}),
    ],
)
def test_encodings_differ_without_decoding(one: dict[str, object], other: dict[str, object]) -> None:
    head = smooth_head()
    assert (read_encoding(stored(head, **one)) != read_encoding(stored(head, **other))).any()  # type: ignore[arg-type]
    assert (read_encoding(stored(head, **one)) == read_encoding(stored(head // 2, **one))).all()  # type: ignore[arg-type]


def test_what_is_no_picture_has_no_encoding_and_a_stamp_no_texture() -> None:
    assert read_encoding(io.BytesIO(b"no picture")).tolist() == [-1, -1, -1, -1]
    assert np.isnan(measure_texture(np.ones((8, 8), dtype=np.uint8))).all()
