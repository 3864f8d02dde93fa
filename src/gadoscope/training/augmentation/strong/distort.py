"""A batch of canvases becomes the network's training images: tone, geometry, scanner, archive."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gadoscope.imaging.intensity import MAX_GREY
from gadoscope.training.augmentation.strong import artefacts, overlays
from gadoscope.training.augmentation.strong.draws import Draws
from gadoscope.training.augmentation.strong.geometry import (
    crop,
    draw_mapping,
    resample,
    resize_plainly,
    soften,
)
from gadoscope.training.augmentation.strong.head import alter_head
from gadoscope.training.augmentation.strong.settings import StrongAugmentation
from gadoscope.training.augmentation.strong.tone import draw_tone_curve

Pixels = NDArray[np.float32]
Effect = Callable[[Pixels, float, np.random.Generator], Pixels]

BEFORE_K_SPACE: dict[str, Effect] = {
    "bias_field": artefacts.apply_bias_field,
    "flare": artefacts.add_flare,
    "thick_pixels": artefacts.thicken_pixels,
}
AFTER_K_SPACE: dict[str, Effect] = {
    "rician_noise": artefacts.add_rician_noise,
    "coloured_noise": artefacts.add_coloured_noise,
    "erase": overlays.erase,
    "frame": overlays.put_frame,
    "text": overlays.burn_text,
    "jpeg": overlays.compress,
}
"""In the order of nature: the scanner, then its console, then the archive."""


def distort_batch(
    canvases: NDArray[np.uint8],
    *,
    size: int,
    augmentation: StrongAugmentation,
    seed: Sequence[int],
    places: NDArray[np.int64] | None = None,
) -> NDArray[np.float32]:
    """Return each canvas distorted at random and brought to ``size`` pixels.

    Parameters
    ----------
    canvases
        Slices as the image path makes them, but with more pixels; shape (n, canvas, canvas), grey 0..255.
    seed
        Whole numbers, 0 or more, that name the batch, such as (seed, purpose, epoch, step). The result
        depends on nothing else: no global generator is used.
    places
        Which slice of the whole batch each one is, from 0, shape (n,), when processes share a batch;
        otherwise they are counted.

    Returns
    -------
    NDArray
        Shape (n, size, size), float32, grey values 0..255. With an augmentation that is off the canvases
        resized as plainly as Pillow's BILINEAR with antialiasing does it.

    Raises
    ------
    ValueError
        If the canvases are not square.
    """
    if canvases.ndim != 3 or canvases.shape[1] != canvases.shape[2]:  # noqa: PLR2004
        raise ValueError(f"canvases of shape {canvases.shape}; expected (n, canvas, canvas), square.")
    if augmentation.is_off or len(canvases) == 0:
        return resize_plainly(canvases, size)
    counted = range(len(canvases)) if places is None else places.tolist()
    everyone = [Draws(augmentation, seed, place) for place in counted]
    mappings = [draw_mapping(draws) for draws in everyone]
    curves = [draw_tone_curve(draws, canvas) for draws, canvas in zip(everyone, canvases, strict=True)]
    toned = np.empty(canvases.shape, np.float32)
    for canvas, image, draws, mapping, curve in zip(canvases, toned, everyone, mappings, curves, strict=True):
        # What a tone curve makes of black is 0 until the resampling, which fills with 0.
        np.take(curve - curve[0], canvas, out=image)
        image[:] = alter_head(image, canvas, draws)
        crop(image, mapping)
        soften(image, mapping, shrinkage=canvases.shape[1] / size)
    images = resample(toned, mappings, size)
    for place, (curve, draws) in enumerate(zip(curves, everyone, strict=True)):
        images[place] = _degrade(images[place] + curve[0], draws)
    return np.clip(images, 0, MAX_GREY, out=images)


def _degrade(image: Pixels, draws: Draws) -> Pixels:
    """Pass one slice (row, column) through every effect on pixels that it meets."""
    image = _apply(BEFORE_K_SPACE, image, draws)
    image = artefacts.filter_in_k_space(image, draws)
    return _apply(AFTER_K_SPACE, image, draws)


def _apply(effects: dict[str, Effect], image: Pixels, draws: Draws) -> Pixels:
    for effect, change in effects.items():
        if draws.meets(effect):
            image = change(image, draws.reach(effect), draws.generator(effect))
    return image
