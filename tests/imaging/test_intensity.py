"""The one image path: equal to Keras and Pillow to the bit, and its parameters checked."""

import hashlib
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from gadoscope.imaging.intensity import PREPROCESSING_FUNCTIONS, ImagePath
from gadoscope.misfits import MisfitError
from gadoscope.records import from_plain, to_plain
from tests.support.paths import FIXTURES
from tests.support.slices import grey_values

REFERENCE = FIXTURES / "keras_split" / "reference.json"
DIGESTS: dict[str, str] = json.loads(REFERENCE.read_text(encoding="utf-8"))["nearest_331"]


def reference_picture(rows: int, columns: int) -> NDArray[np.uint8]:
    row, column = np.mgrid[0:rows, 0:columns]
    pixels: NDArray[np.uint8] = ((row * 7 + column * 13 + row * column) % 256).astype(np.uint8)
    return pixels


@pytest.mark.parametrize("shape", DIGESTS)
def test_the_stretch_equals_that_of_keras(shape: str) -> None:
    rows, columns = map(int, shape.split("x"))
    resized = ImagePath(size=331).resize_slice(reference_picture(rows, columns))
    assert hashlib.sha256(resized.tobytes()).hexdigest() == DIGESTS[shape]


@pytest.mark.parametrize(
    ("rows", "columns", "size"), [(1, 1, 3), (7, 5, 331), (1023, 17, 64), (101, 999, 97)]
)
def test_the_stretch_equals_nearest_neighbours_by_hand_on_odd_sizes(
    rows: int, columns: int, size: int
) -> None:
    pixels = reference_picture(rows, columns)
    row = np.floor((np.arange(size) + 0.5) * rows / size).astype(int)
    column = np.floor((np.arange(size) + 0.5) * columns / size).astype(int)
    np.testing.assert_array_equal(ImagePath(size=size).resize_slice(pixels), pixels[np.ix_(row, column)])


def test_a_slice_that_has_the_size_already_is_not_touched() -> None:
    pixels = reference_picture(64, 64)
    assert ImagePath(size=64).resize_slice(pixels) is pixels


def test_a_view_with_strides_is_stretched_like_its_copy() -> None:
    pixels = reference_picture(90, 70)
    path = ImagePath(size=50)
    np.testing.assert_array_equal(
        path.resize_slice(pixels[::-2, ::3]), path.resize_slice(pixels[::-2, ::3].copy())
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_scaling_is_keras_rescale_to_the_bit(dtype: Any) -> None:
    batch = np.arange(256, dtype=dtype).reshape(1, 16, 16)
    scaled = ImagePath(size=16).scale(batch)
    keras = batch.astype(np.float32)
    keras *= 1 / 255  # what ImageDataGenerator.standardize does
    assert scaled.shape == (1, 1, 16, 16)
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled[:, 0], keras)
    assert (scaled.min(), scaled.max()) == (0.0, 1.0)


def test_equalise_equals_pillow() -> None:
    images = np.stack([grey_values(90, 70, seed) for seed in range(3)])
    expected = [np.asarray(ImageOps.equalize(Image.fromarray(image))) for image in images]
    np.testing.assert_array_equal(PREPROCESSING_FUNCTIONS["equalise"](images.astype(np.float32)), expected)


def test_autocontrast_equals_pillow_within_its_rounding() -> None:
    images = np.stack([grey_values(90, 70, seed) // 2 + 20 for seed in range(3)])
    expected = np.stack([np.asarray(ImageOps.autocontrast(Image.fromarray(image))) for image in images])
    ours = PREPROCESSING_FUNCTIONS["autocontrast"](images.astype(np.float32))
    assert np.abs(ours - expected.astype(np.float32)).max() < 1.001  # Pillow cuts the fraction off


def test_invert_equals_pillow() -> None:
    images = grey_values()[np.newaxis]
    expected = np.asarray(ImageOps.invert(Image.fromarray(images[0])))
    np.testing.assert_array_equal(PREPROCESSING_FUNCTIONS["invert"](images.astype(np.float32))[0], expected)


@pytest.mark.parametrize("name", PREPROCESSING_FUNCTIONS)
def test_a_constant_image_stays_finite_and_in_range(name: str) -> None:
    images = np.full((2, 8, 8), 77, dtype=np.float32)
    out = PREPROCESSING_FUNCTIONS[name](images)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert 0 <= out.min() <= out.max() <= 255


@pytest.mark.parametrize("name", PREPROCESSING_FUNCTIONS)
def test_an_image_comes_out_the_same_alone_and_in_a_batch(name: str) -> None:
    images = np.stack([grey_values(seed=seed) for seed in range(3)]).astype(np.float32)
    function = PREPROCESSING_FUNCTIONS[name]
    np.testing.assert_array_equal(function(images)[1], function(images[1:2])[0])


def test_the_preprocessing_function_acts_before_the_division_by_255() -> None:
    batch = grey_values(16, 16)[np.newaxis]
    scaled = ImagePath(size=16, preprocessing_function="invert").scale(batch)
    np.testing.assert_allclose(scaled[0, 0], (255 - batch[0].astype(np.float32)) / 255, atol=1e-7)


def test_the_parameters_survive_a_trip_through_json() -> None:
    path = ImagePath(
        size=224,
        resize="head_box",
        preprocessing_function="equalise",
        low_percentile=1.0,
        high_percentile=99.7,
    )
    assert from_plain(ImagePath, json.loads(json.dumps(to_plain(path)))) == path


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 0}, "size = 0; expected a whole number, 1 to 4096"),
        ({"size": 331.0}, "size = 331.0; expected a whole number"),
        ({"size": True}, "size = True; expected a whole number"),
        ({"resize": "bilinear"}, "resize = 'bilinear'; expected 'stretch_nearest' or 'head_box'"),
        ({"preprocessing_function": "clahe"}, "expected one of none, autocontrast, equalise, invert"),
        ({"high_percentile": 99.7}, "'stretch_nearest' keeps the grey values and takes 0 and 100 only"),
        ({"resize": "head_box", "low_percentile": -1.0}, "low_percentile = -1.0 .* from 0 to 100"),
        (
            {"resize": "head_box", "low_percentile": 60.0, "high_percentile": 60.0},
            "the first below the second",
        ),
        (
            {"resize": "head_box", "high_percentile": float("nan")},
            "high_percentile = nan; expected two numbers",
        ),
        ({"resize": "head_box", "high_percentile": "99"}, "high_percentile = '99'; expected two numbers"),
    ],
)
def test_a_value_that_is_unknown_is_named_with_what_was_expected(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ImagePath(**values)


@pytest.mark.parametrize("change", [{"colour": 3}, {"size": None}])
def test_parameters_of_another_version_are_refused(change: dict[str, Any]) -> None:
    parameters = {**to_plain(ImagePath()), **change}
    if change == {"size": None}:
        del parameters["size"]
    with pytest.raises(MisfitError, match=r"has unknown keys: colour|lacks size"):
        from_plain(ImagePath, parameters)
