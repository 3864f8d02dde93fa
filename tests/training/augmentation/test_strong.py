"""Strong augmentation changes how a slice was taken and kept, never what it shows."""

import io
import math
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage, stats

from gadoscope.errors import ConfigError
from gadoscope.training.augmentation.strong.artefacts import (
    add_coloured_noise,
    add_flare,
    add_rician_noise,
    apply_bias_field,
    filter_in_k_space,
    thicken_pixels,
)
from gadoscope.training.augmentation.strong.distort import distort_batch
from gadoscope.training.augmentation.strong.draws import EFFECTS, Draws
from gadoscope.training.augmentation.strong.geometry import Mapping, draw_mapping, resample
from gadoscope.training.augmentation.strong.overlays import burn_text, compress, erase, put_frame
from gadoscope.training.augmentation.strong.settings import MAX_STRENGTH, StrongAugmentation
from gadoscope.training.augmentation.strong.tone import draw_tone_curve

RECIPE = StrongAugmentation(strength=1)
NOTHING = replace(
    RECIPE, **{entry.name: 0.0 for entry in fields(RECIPE) if entry.name.endswith(("_chance", "_range"))}
)
CANVAS, SIZE = 104, 80
"""In the proportion of the recipe's 208 and 160."""

Pixels = NDArray[np.float32]


def only(**settings: float) -> StrongAugmentation:
    """Return an augmentation of these effects alone: blur=1.3 always draws up to a range of 1.3."""
    named = {f"{effect}_chance": 1.0 for effect in settings}
    for effect, reach in settings.items():
        if hasattr(RECIPE, f"{effect}_range"):
            named[f"{effect}_range"] = reach
    return replace(NOTHING, **named)


def draw_heads(n: int = 6, canvas: int = CANVAS) -> NDArray[np.uint8]:
    """Return textured discs with a dark pool on black, none symmetric, shape (n, canvas, canvas)."""
    generator = np.random.default_rng(11)
    row, column = np.mgrid[:canvas, :canvas] / canvas - 0.5
    texture = ndimage.gaussian_filter(generator.normal(size=(n, canvas, canvas)), (0, 2, 2))
    texture *= 18 / texture.std()
    skull = (row / 0.46) ** 2 + (column / 0.38) ** 2
    heads = (110 + 60 * row + 40 * column + texture) * (skull < 1) + 90 * ((skull > 0.85) & (skull < 1))
    heads = np.where((row / 0.12) ** 2 + (column / 0.07) ** 2 < 1, 40 + texture / 4, heads)
    levels: NDArray[np.uint8] = np.clip(np.rint(heads), 0, 255).astype(np.uint8)
    return levels


def resize_with_pillow(canvases: NDArray[np.uint8], size: int = SIZE) -> Pixels:
    resized = [Image.fromarray(canvas).resize((size, size), Image.Resampling.BILINEAR) for canvas in canvases]
    return np.stack([np.asarray(image, np.float32) for image in resized])


def distort(
    canvases: NDArray[np.uint8],
    augmentation: StrongAugmentation,
    seed: Sequence[int] = (1020, 0),
    **more: Any,
) -> Pixels:
    return distort_batch(canvases, size=SIZE, augmentation=augmentation, seed=seed, **more)


def make_generator(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


def draw_slice() -> Pixels:
    image: Pixels = resize_with_pillow(draw_heads(1))[0]
    return image


# What is off, and what everything depends on


def test_without_augmentation_a_canvas_is_resized_as_pillow_does_it() -> None:
    heads = draw_heads()
    plain = distort(heads, StrongAugmentation())
    assert plain.dtype == np.float32
    np.testing.assert_allclose(
        plain, resize_with_pillow(heads), atol=1.01
    )  # Pillow rounds rows, then columns


def test_a_mapping_that_moves_nothing_shows_what_the_plain_resize_shows() -> None:
    heads = draw_heads()
    difference = np.abs(distort(heads, only(translation=0.0)) - distort(heads, StrongAugmentation()))
    assert difference.mean() < 1
    assert np.percentile(difference, 95) < 6  # of 255; more only at the rim, sharper than any head's


def test_the_defaults_are_off_and_a_strength_turns_them_on() -> None:
    assert StrongAugmentation().is_off
    assert not RECIPE.is_off
    assert NOTHING.is_off
    assert not only(blur=1.0).is_off


def test_a_slice_is_distorted_alike_whatever_stands_beside_it() -> None:
    heads = draw_heads()
    whole = distort(heads, RECIPE)
    np.testing.assert_array_equal(distort(heads, RECIPE), whole)
    for rank in range(2):
        places = np.arange(rank, len(heads), 2)
        # One grey level: the sums of a smaller batch may round otherwise, and JPEG with them.
        np.testing.assert_allclose(distort(heads[places], RECIPE, places=places), whole[places], atol=1)


def test_every_slice_and_every_seed_draws_its_own() -> None:
    heads = np.repeat(draw_heads(1), 4, axis=0)
    base = distort(heads, RECIPE)
    for place in range(1, 4):
        assert np.abs(base[place] - base[0]).mean() > 1
    for seed in ((1021, 0), (1020, 1), (1020,), (1020, 0, 0)):
        assert np.abs(distort(heads, RECIPE, seed=seed) - base).mean() > 1


def test_no_global_generator_is_used_or_moved() -> None:
    heads = draw_heads(2)
    before, torch_before = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002 - the state is looked at
    first = distort(heads, RECIPE)
    assert np.array_equal(before[1], np.random.get_state()[1])  # type: ignore[index]  # noqa: NPY002
    assert torch.equal(torch_before, torch.get_rng_state())
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    np.testing.assert_array_equal(distort(heads, RECIPE), first)


def test_the_canvases_stay_as_they_were() -> None:
    heads = draw_heads()
    distort(heads, RECIPE)
    np.testing.assert_array_equal(heads, draw_heads())


@pytest.mark.parametrize(
    "effect", sorted(set(EFFECTS) - {"fat_suppression", "bright_fat", "flare"})
)  # these change how bright the brain is beside the rest
def test_each_effect_alone_changes_a_slice_but_keeps_most_of_it(effect: str) -> None:
    alone = replace(NOTHING, **{f"{effect}_chance": 1.0})
    if hasattr(RECIPE, f"{effect}_range"):
        alone = replace(alone, **{f"{effect}_range": getattr(RECIPE, f"{effect}_range")})
    heads = draw_heads()
    changed, plain = distort(heads, alone), distort(heads, only(translation=0.0))
    assert np.abs(changed - plain).mean() > 0.2
    middle = slice(SIZE // 5, -SIZE // 5)
    assert changed[:, middle, middle].mean() == pytest.approx(plain[:, middle, middle].mean(), rel=0.3)


def test_changing_one_effect_leaves_the_draws_of_the_others() -> None:
    without = replace(RECIPE, gamma_chance=0.0, blur_range=3.0)
    for place in range(20):
        one, other = Draws(RECIPE, (5,), place), Draws(without, (5,), place)
        for effect in EFFECTS:
            assert effect == "gamma" or one.meets(effect) == other.meets(effect)
            assert one.generator(effect).random() == other.generator(effect).random()


@pytest.mark.parametrize("seed", [(5,), (5, 0), (1, 3, 16, 199), (2**32 + 7, 3, 0, 1), (1, 2, 3, 4, 5, 6)])
def test_the_draws_are_those_of_numpys_seed_sequence(seed: tuple[int, ...]) -> None:
    for place in (0, 59):
        drawn = Draws(RECIPE, seed, place).generator("cyst").random(4)
        sequence = np.random.SeedSequence(seed, spawn_key=(len(seed), place, 1 + EFFECTS.index("cyst")))
        np.testing.assert_array_equal(drawn, np.random.Generator(np.random.Philox(sequence)).random(4))


def test_a_slice_meets_an_effect_as_often_as_its_chance_says() -> None:
    n = 1000
    for strength in (1.0, 0.5):
        augmentation = replace(RECIPE, strength=strength)
        met = np.zeros(len(EFFECTS))
        for place in range(n):
            draws = Draws(augmentation, (8,), place)
            met += [draws.meets(effect) for effect in EFFECTS]
        expected = [strength * getattr(RECIPE, f"{effect}_chance") for effect in EFFECTS]
        np.testing.assert_allclose(met / n, expected, atol=5 * 0.5 / math.sqrt(n))  # 5 standard errors
        assert augmentation.reach("text") == 0
        assert augmentation.reach("rotation") == strength * RECIPE.rotation_range


@pytest.mark.parametrize("strength", [1.0, MAX_STRENGTH])
def test_what_comes_out_is_finite_and_on_the_grey_scale(strength: float) -> None:
    for seed in range(3):
        images = distort(draw_heads(12), replace(RECIPE, strength=strength), seed=(seed,))
        assert np.isfinite(images).all()
        assert images.min() >= 0
        assert images.max() <= 255
        assert (images.std(axis=(1, 2)) > 2).all()  # none is erased


@pytest.mark.parametrize("grey", [0, 255])
def test_blank_slices_pass(grey: int) -> None:
    assert np.isfinite(distort(np.full((24, CANVAS, CANVAS), grey, np.uint8), RECIPE)).all()


def test_an_empty_batch_stays_empty() -> None:
    assert distort(np.zeros((0, CANVAS, CANVAS), np.uint8), RECIPE).shape == (0, SIZE, SIZE)


def test_canvases_that_are_not_square_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2, 30, 40\); expected \(n, canvas, canvas\)"):
        distort(np.zeros((2, 30, 40), np.uint8), RECIPE)


# What the evidence survives


def test_vessels_that_enhance_stay_brighter_under_the_same_distortion() -> None:
    pre = np.repeat(draw_heads(1, 208), 40, axis=0)
    post = pre.copy()
    spots = [(60, 90), (100, 104), (140, 110), (110, 70)]
    for row, column in spots:
        post[:, row - 2 : row + 3, column - 2 : column + 3] = 235  # 5 of 208 pixels: a cortical vein
    before, after = (
        distort_batch(canvases, size=160, augmentation=RECIPE, seed=(4,)) for canvases in (pre, post)
    )
    enhancement = np.sort((after - before).reshape(len(pre), -1), axis=1)[:, -10:].mean(axis=1)
    assert np.median(enhancement) > 60
    assert (enhancement > 25).mean() >= 0.97


@pytest.mark.parametrize("strength", [1.0, MAX_STRENGTH])
def test_no_tone_curve_falls(strength: float) -> None:
    augmentation, head = replace(RECIPE, strength=strength), draw_heads(1, 208)[0]
    for place in range(300):
        curve = draw_tone_curve(Draws(augmentation, (6,), place), head)
        assert (np.diff(curve) >= 0).all()
        assert curve[0] >= 0
        assert curve[-1] <= 255
        assert curve[-1] - curve[0] > 60


# Geometry


def test_whole_turns_and_flips_are_exact() -> None:
    heads = draw_heads()
    plain = distort(heads, only(translation=0.0))
    np.testing.assert_allclose(distort(heads, only(horizontal_flip=0)), plain[:, :, ::-1], atol=0.01)
    np.testing.assert_allclose(distort(heads, only(vertical_flip=0)), plain[:, ::-1], atol=0.01)
    seen = set()
    for image, expected in zip(distort(heads, only(whole_turn=0)), plain, strict=True):
        turns = [np.abs(image - np.rot90(expected, turn)).max() < 0.01 for turn in range(4)]
        assert turns.count(True) == 1
        seen.add(turns.index(True))
    assert seen <= {1, 2, 3}
    assert len(seen) > 1


def test_a_resampling_equals_that_of_scipy() -> None:
    head = draw_heads(1)[0].astype(np.float32)
    angle = math.radians(20)
    matrix = 1.1 * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    offset = np.array([0.1, -0.05])
    moved = resample(head[None], [Mapping(matrix, offset)], CANVAS)[0]
    # SciPy takes (row, column) in pixels about the first one's centre.
    swapped, centre = matrix[::-1, ::-1], np.full(2, (CANVAS - 1) / 2)
    start = centre - swapped @ centre + offset[::-1] * CANVAS / 2
    expected = ndimage.affine_transform(head, swapped, start, order=1, mode="grid-constant")
    np.testing.assert_allclose(moved, expected, atol=0.02)


def test_a_head_is_moved_no_further_than_its_ranges_allow() -> None:
    augmentation = replace(RECIPE, crop_chance=0.0, rotation_chance=1.0)
    angles = []
    for place in range(400):
        mapping = draw_mapping(Draws(augmentation, (2,), place))
        stretches = np.linalg.svd(mapping.matrix, compute_uv=False)
        assert 1 / (1.2 * 1.12) < stretches[-1] <= stretches[0] < 1.2 * 1.12
        assert np.abs(mapping.offset).max() <= 2 * 0.07
        angle = math.degrees(math.atan2(mapping.matrix[1, 0], mapping.matrix[0, 0])) % 90
        angles.append(min(angle, 90 - angle))
    assert max(angles) > 10
    assert max(angles) < 15 + 6 + 4  # rotation, shear, and what the aspect bends


def test_a_crop_fills_the_image_along_its_longer_side_and_is_black_beside() -> None:
    white = np.full((24, CANVAS, CANVAS), 255, np.uint8)
    cropped = distort(white, only(crop=0.35)) > 128
    columns, rows = cropped.any(axis=1).mean(axis=1), cropped.any(axis=2).mean(axis=1)
    np.testing.assert_allclose(np.maximum(columns, rows), 1, atol=2.1 / SIZE)
    shorter = np.minimum(columns, rows)
    assert shorter.min() >= 0.65 - 2.1 / SIZE
    assert shorter.min() < 0.8


def test_what_comes_into_view_is_as_dark_as_the_air() -> None:
    black = np.zeros((16, CANVAS, CANVAS), np.uint8)
    images = distort(black, only(offset=0.2, rotation=15, zoom=0.2))
    assert images.max() > 10  # the offset made the air grey
    np.testing.assert_allclose(
        images, images.max(axis=(1, 2), keepdims=True) + np.zeros_like(images), atol=1e-3
    )


# The scanner


def filter_slice(image: Pixels, **settings: float) -> Pixels:
    return filter_in_k_space(image, Draws(only(**settings), (10,), 0))


def test_blur_is_a_gaussian_of_at_most_its_range() -> None:
    image = np.zeros((SIZE, SIZE), np.float32)
    image[40, 40] = 1000
    blurred = filter_slice(image + 100, blur=3.0) - 100  # grey, so that the magnitude has nothing to fold
    assert blurred.sum() == pytest.approx(1000, rel=1e-3)
    row, column = np.mgrid[:SIZE, :SIZE] - 40
    deviations = [math.sqrt((blurred * offset**2).sum() / 1000) for offset in (row, column)]
    assert all(0.1 < deviation <= 3.0 for deviation in deviations)
    np.testing.assert_allclose(blurred, ndimage.gaussian_filter(image, deviations, truncate=8), atol=0.5)


def test_sharpening_steepens_edges() -> None:
    image = ndimage.gaussian_filter(draw_slice(), 1)
    steepness = [np.abs(np.diff(each)).max() for each in (image, filter_slice(image, sharpen=2.0))]
    assert steepness[1] > 1.03 * steepness[0]


def test_ringing_cuts_off_the_highest_frequencies_and_no_others() -> None:
    image = draw_slice() + 40  # so that the magnitude has nothing to fold
    ratio = np.abs(np.fft.fft2(filter_slice(image, ringing=0.6))) / np.abs(np.fft.fft2(image))
    for spectrum in (ratio[:, 0], ratio[0]):  # along each axis: kept up to somewhere, then nothing
        kept = np.rint(spectrum[: SIZE // 2 + 1])
        np.testing.assert_allclose(spectrum[: SIZE // 2 + 1], kept, atol=2e-3)
        assert (np.diff(kept) <= 0).all()
        assert kept.sum() >= 0.4 * SIZE / 2
    assert (ratio < 0.5).any()


def test_a_ghost_lies_to_both_sides_along_one_axis() -> None:
    image = np.zeros((SIZE, SIZE), np.float32)
    image[38:43, 38:43] = 200
    ghosted = filter_slice(image, ghosting=0.3)
    np.testing.assert_allclose(ghosted[38:43, 38:43], 200, atol=40)
    beside = np.argwhere((ghosted > 2) & (image == 0))
    along = beside.std(axis=0).argmax()
    assert np.abs(beside[:, 1 - along] - 40).max() <= 2
    assert (beside[:, along] > 43).any()
    assert (beside[:, along] < 38).any()
    assert ghosted[image == 0].max() <= 200 * 0.3


def test_rician_noise_has_the_moments_of_a_rice_distribution() -> None:
    for level in (0.0, 100.0):
        noisy = add_rician_noise(np.full((300, 300), level, np.float32), 0.9, make_generator())
        deviation = 0.9 * 255 * make_generator().random()
        expected = stats.rice(level / deviation, scale=deviation)
        assert noisy.mean() == pytest.approx(expected.mean(), rel=0.01)
        assert noisy.std() == pytest.approx(expected.std(), rel=0.02)


def test_coloured_noise_is_the_same_over_several_pixels() -> None:
    grey = np.full((SIZE, SIZE), 128, np.float32)
    noise = add_coloured_noise(grey, 0.1, make_generator()) - grey
    assert 1 < noise.std() < 25.5
    neighbours = np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]
    assert neighbours > 0.5


def test_a_bias_field_is_smooth_bounded_and_keeps_the_bright_end() -> None:
    image = draw_slice() + 1
    for seed in range(5):
        shaded = apply_bias_field(image, 0.5, make_generator(seed))
        field = np.log(shaded / image)
        assert np.ptp(field) <= 2 * 0.5 + 1e-4
        assert max(np.abs(np.diff(field, axis=axis)).max() for axis in range(2)) < 0.1
        bright = [float(np.percentile(each[::4, ::4], 99.7, method="lower")) for each in (shaded, image)]
        assert bright[0] == pytest.approx(bright[1], rel=1e-4)


def test_thick_pixels_lose_detail_and_keep_the_mean() -> None:
    image = draw_slice()
    for seed in range(4):
        thick = thicken_pixels(image, 3.0, make_generator(seed))
        assert thick.shape == image.shape
        assert thick.mean() == pytest.approx(image.mean(), rel=0.03)
        assert thick.std() < image.std()
        difference = ndimage.gaussian_filter(thick, 4) - ndimage.gaussian_filter(image, 4)
        assert np.abs(difference).mean() < 2


# The archive


def test_an_erased_part_is_of_one_grey_and_no_larger_than_its_range() -> None:
    image = draw_slice() + np.float32(0.3)  # so that no erased value is the image's own
    for seed in range(6):
        changed = erase(image, 0.25, make_generator(seed)) != image
        assert ndimage.label(changed)[1] <= 2
        assert changed.mean() <= 2 * 0.25**2 + 0.02


def test_a_frame_covers_the_margin_only() -> None:
    image = draw_slice() + np.float32(0.3)
    for seed in range(6):
        framed = put_frame(image, 0.1, make_generator(seed))
        np.testing.assert_array_equal(framed[8:-8, 8:-8], image[8:-8, 8:-8])
        assert len(np.unique(framed[framed != image])) <= 1


def test_text_stands_near_the_edge_and_covers_little() -> None:
    image = np.zeros((160, 160), np.float32)
    covered = np.array([burn_text(image, 0, make_generator(seed)) > 0 for seed in range(20)])
    assert covered.any(axis=(1, 2)).mean() > 0.9
    assert covered.mean(axis=(1, 2)).max() < 0.05
    assert not covered[:, 64:96, 64:96].any()


def test_jpeg_is_that_of_pillow() -> None:
    image = draw_slice()
    file = io.BytesIO()
    quality = 100 - round(70 * make_generator().random())
    Image.fromarray(image.astype(np.uint8)).save(file, "JPEG", quality=quality)
    np.testing.assert_array_equal(compress(image, 70, make_generator()), np.asarray(Image.open(file)))


# The settings


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"strength": -1.0}, r"distort.strength is -1.0; expected a number of 0 to 2\."),
        ({"strength": math.nan}, r"distort.strength is nan"),
        ({"blur_chance": 1.5}, r"distort.blur_chance is 1.5; expected a number of 0 to 1\."),
        ({"jpeg_range": 100.0}, r"distort.jpeg_range is 100.0; expected a number of 0 to 99\."),
        ({"rotation_range": math.inf}, r"distort.rotation_range is inf; expected a number of 0 to 180"),
    ],
)
def test_a_setting_of_no_sense_is_refused(setting: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        StrongAugmentation(**setting)


def test_every_effect_has_a_chance_and_every_chance_an_effect() -> None:
    assert [entry.name for entry in fields(RECIPE) if entry.name.endswith("_chance")] == [
        f"{effect}_chance" for effect in EFFECTS
    ]


def test_a_flare_brightens_one_side_of_the_head_and_leaves_the_other() -> None:
    image = draw_slice()
    for seed in range(10):
        flared = add_flare(image, 2.5, make_generator(seed))
        ratio = flared[image > 20] / image[image > 20]
        assert 1.2 < ratio.max() / ratio.min() <= 3.5
        assert np.percentile(ratio, 20) < 1.1 * ratio.min()
