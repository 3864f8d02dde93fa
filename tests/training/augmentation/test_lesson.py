"""Augmentation moves an image as Keras' ImageDataGenerator does, and remembers nothing."""

import json
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gadoscope.errors import ConfigError
from gadoscope.training.augmentation.lesson import (
    FILL_MODES,
    Augmentation,
    Transform,
    apply_transform,
    augment_batch,
    draw_transform,
)
from tests.fixtures.keras.reference import FOLDER

EVERYTHING = Augmentation(
    shear_range=8, zoom_range=0.2, rotation_range=15, horizontal_flip=True, vertical_flip=True
)


def draw_many(augmentation: Augmentation, n: int = 4000) -> list[Transform]:
    return [draw_transform(index, augmentation=augmentation, seed=1, epoch=0) for index in range(n)]


def make_images(n: int = 8, size: int = 32) -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (n, size, size), dtype=np.uint8)


@pytest.mark.parametrize("mode", FILL_MODES)
def test_a_transform_equals_that_of_keras(mode: Any) -> None:
    with np.load(FOLDER / "augment.npz") as reference:
        transforms = json.loads(str(reference["transforms"]))
        expected = reference["moved"][list(reference["fill_modes"]).index(mode)]
        image, cval = reference["image"], float(reference["cval"])
    assert len(expected) == len(transforms) == 5
    for parameters, moved in zip(transforms, expected, strict=True):
        found = apply_transform(image, Transform(**parameters), fill_mode=mode, cval=cval)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, moved, atol=1e-4, err_msg=str(parameters))


def test_a_transform_that_moves_nothing_gives_the_image_back() -> None:
    image = make_images(1)[0]
    np.testing.assert_array_equal(apply_transform(image, Transform()), image)


def test_a_horizontal_flip_mirrors_left_and_right() -> None:
    image = make_images(1)[0]
    np.testing.assert_array_equal(apply_transform(image, Transform(flip_horizontal=True)), image[:, ::-1])
    np.testing.assert_array_equal(apply_transform(image, Transform(flip_vertical=True)), image[::-1])


def test_parameters_are_uniform_in_keras_ranges() -> None:
    draws = draw_many(EVERYTHING)
    for name, middle, reach in (("theta", 0, 15), ("shear", 0, 8), ("zx", 1, 0.2), ("zy", 1, 0.2)):
        values = np.array([getattr(draw, name) for draw in draws])
        assert np.abs(values - middle).max() <= reach
        assert np.abs(values - middle).max() > 0.99 * reach
        # 5 standard errors of the mean, and of the variance a^2 / 3, of a uniform variable.
        error = 5 / math.sqrt(len(values))
        assert abs(values.mean() - middle) < error * reach
        assert values.var() == pytest.approx(reach**2 / 3, rel=error)
    for name in ("flip_horizontal", "flip_vertical"):
        assert np.mean([getattr(draw, name) for draw in draws]) == pytest.approx(0.5, abs=0.04)


def test_the_two_axes_are_zoomed_independently() -> None:
    zooms = np.array([(draw.zx, draw.zy) for draw in draw_many(EVERYTHING)])
    assert abs(np.corrcoef(zooms.T)[0, 1]) < 0.08  # 5 standard errors


@pytest.mark.parametrize(
    ("knob", "moved"),
    [
        ({"shear_range": 8.0}, {"shear"}),
        ({"zoom_range": 0.2}, {"zx", "zy"}),
        ({"rotation_range": 15.0}, {"theta"}),
        ({"horizontal_flip": True}, {"flip_horizontal"}),
        ({"vertical_flip": True}, {"flip_vertical"}),
    ],
)
def test_one_knob_moves_its_own_parameters_and_as_it_would_with_the_others(
    knob: dict[str, Any], moved: set[str]
) -> None:
    alone, together, still = draw_many(Augmentation(**knob), 50), draw_many(EVERYTHING, 50), Transform()
    for name in vars(still):
        values = [getattr(draw, name) for draw in alone]
        if name in moved:
            assert values == [getattr(draw, name) for draw in together]
        else:
            assert values == [getattr(still, name)] * 50


def augment(images: NDArray[np.uint8], indices: Any, epoch: int = 0, seed: int = 1020) -> NDArray[np.float32]:
    return augment_batch(images, np.asarray(indices), augmentation=EVERYTHING, seed=seed, epoch=epoch)


def test_an_image_is_moved_alike_in_every_batch() -> None:
    images, indices = make_images(), np.arange(100, 108)
    whole = augment(images, indices)
    assert whole.shape == images.shape
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(augment(images[3:4], indices[3:4])[0], whole[3])
    np.testing.assert_array_equal(augment(images[::-1], indices[::-1])[::-1], whole)
    halves = [augment(images[rank::2], indices[rank::2]) for rank in (0, 1)]
    np.testing.assert_array_equal(halves[1], whole[1::2])


def test_seed_epoch_and_index_each_give_another_transform() -> None:
    image = np.repeat(make_images(1), 2, axis=0)
    base = augment(image, [0, 1])
    assert not np.array_equal(base[0], base[1])
    assert not np.array_equal(base, augment(image, [0, 1], epoch=1))
    assert not np.array_equal(base, augment(image, [0, 1], seed=1021))


def test_numpys_global_generator_is_neither_used_nor_moved() -> None:
    images = make_images()
    before = np.random.get_state()  # noqa: NPY002 - it is the global state that is looked at
    first = augment(images, range(8))
    after = np.random.get_state()  # noqa: NPY002
    assert np.array_equal(before[1], after[1])  # type: ignore[index]  # a tuple unless asked otherwise
    np.random.seed(1)  # noqa: NPY002
    np.testing.assert_array_equal(augment(images, range(8)), first)


def test_a_zoom_above_1_shows_more_of_the_scene() -> None:
    image = np.zeros((33, 33), np.uint8)
    image[11:22, 11:22] = 255
    smaller = apply_transform(image, Transform(zx=2, zy=2))
    assert (smaller > 128).sum() < (image > 128).sum() / 3


def test_constant_fills_with_cval() -> None:
    turned = apply_transform(
        np.full((33, 33), 200, np.uint8), Transform(theta=45), fill_mode="constant", cval=9
    )
    assert turned[0, 0] == 9
    assert turned[16, 16] == 200


def test_the_lessons_own_augmentation_is_off() -> None:
    assert Augmentation().is_off
    assert Augmentation(fill_mode="wrap", cval=3).is_off
    assert not EVERYTHING.is_off
    assert not Augmentation(vertical_flip=True).is_off


@pytest.mark.parametrize(
    ("knob", "message"),
    [
        ({"shear_range": -1.0}, r"augment.shear_range is -1.0; expected a number of 0 or more and below 90"),
        ({"shear_range": 90.0}, r"augment.shear_range is 90.0"),
        ({"zoom_range": 1.0}, r"augment.zoom_range is 1.0; expected a number of 0 or more and below 1"),
        ({"rotation_range": math.nan}, r"augment.rotation_range is nan; expected a number of 0 or more"),
        ({"rotation_range": math.inf}, r"augment.rotation_range is inf"),
        ({"fill_mode": "mirror"}, r"augment.fill_mode is 'mirror'; expected one of nearest, constant"),
        ({"cval": math.nan}, r"augment.cval is nan; expected a grey value"),
    ],
)
def test_a_knob_of_no_sense_is_refused(knob: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Augmentation(**knob)


def test_an_empty_batch_stays_empty() -> None:
    assert augment(make_images(0), np.zeros(0, np.int64)).shape == (0, 32, 32)
