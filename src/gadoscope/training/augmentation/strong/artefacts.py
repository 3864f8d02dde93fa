"""What a scanner does to a slice: coil shading, thick pixels, ringing, ghosts and noise."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft

from gadoscope.imaging.intensity import MAX_GREY
from gadoscope.training.augmentation.strong.draws import Draws

FIELD_WAVES = 3
"""Cosines along each axis of a bias field, the constant one included: slower than any anatomy."""
BRIGHT_END = 0.997
"""Share of the pixels below the bright end that a bias field keeps, as the image path clips there."""
THINNING = 4
"""Every so-manieth row and column is looked at for the bright end."""
FLARE_DISTANCE, FLARE_WIDTH = (0.3, 0.5), (0.06, 0.16)
"""From the middle of the picture to an element of the coil, and how far it reaches, of the side."""
UNSHARP_SIGMA = 1.0
"""Width of the blur that an unsharp mask takes away, pixels."""
GHOST_SHIFTS = (0.1, 0.5)
"""How far a ghost lies from the head, as a share of the image's side."""
BLOTCHES = (2, 8)
"""Smallest and largest grain of coloured noise, pixels."""

Pixels = NDArray[np.float32]
Responses = list[NDArray[np.float64]]


def apply_bias_field(image: Pixels, reach: float, generator: np.random.Generator) -> Pixels:
    """Multiply by a smooth field; the bright end of the grey scale stays where it was."""
    size = len(image)
    angles = np.pi * (np.arange(size) + 0.5) / size
    waves = np.cos(np.outer(angles, np.arange(FIELD_WAVES)))
    weights = generator.standard_normal((FIELD_WAVES, FIELD_WAVES))
    weights[0, 0] = 0
    field = (waves @ weights @ waves.T).astype(np.float32)
    field *= np.float32(generator.random() * reach / max(float(np.abs(field).max()), 1e-6))
    return _keep_bright_end(image, image * np.exp(field))


def _keep_bright_end(image: Pixels, shaded: Pixels) -> Pixels:
    bright = _find_bright_end(shaded)
    return shaded * np.float32(_find_bright_end(image) / bright) if bright > 0 else shaded


def _find_bright_end(image: Pixels) -> float:
    thinned = image[::THINNING, ::THINNING].ravel()
    rank = int(BRIGHT_END * (len(thinned) - 1))
    return float(np.partition(thinned, rank)[rank])


def add_flare(image: Pixels, reach: float, generator: np.random.Generator) -> Pixels:
    """Brighten what lies near one element of a surface coil many times over; the rest is dim beside it."""
    size = len(image)
    places = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    angle, away = generator.uniform(0, 2 * np.pi), generator.uniform(*FLARE_DISTANCE)
    width = np.float32(generator.uniform(*FLARE_WIDTH))
    down = places[:, None] - np.float32(away * np.sin(angle))
    across = places - np.float32(away * np.cos(angle))
    glow = np.exp(-(down**2 + across**2) / (2 * width**2))
    return _keep_bright_end(image, image * (1 + np.float32(reach * generator.uniform(1 / 3, 1)) * glow))


def thicken_pixels(image: Pixels, reach: float, generator: np.random.Generator) -> Pixels:
    """Average over larger pixels and go back to the present ones, hard or smoothly."""
    factors = 1 + reach * generator.random(2)
    which = int(generator.integers(3))  # rows, columns or both
    if which < len(factors):
        factors[1 - which] = 1.0
    back = Image.Resampling.BILINEAR if generator.random() < 1 / 2 else Image.Resampling.NEAREST
    height, width = (max(1, round(len(image) / factor)) for factor in factors)
    thick = Image.fromarray(image).resize((width, height), Image.Resampling.BOX)
    return np.array(thick.resize(image.shape[::-1], back))


def _respond_to_ringing(
    responses: Responses, frequencies: NDArray[np.float64], reach: float, generator: np.random.Generator
) -> None:
    cut = 0.5 * (1 - reach * generator.random())  # 0.5 cycles a pixel is the highest frequency
    axes = ((0,), (1,), (0, 1))[int(generator.integers(3))]
    for axis in axes:
        responses[axis] *= frequencies <= cut


def _respond_to_blur(
    responses: Responses, frequencies: NDArray[np.float64], reach: float, generator: np.random.Generator
) -> None:
    for axis, sigma in enumerate(reach * generator.random() * generator.uniform(0.5, 1, 2)):
        responses[axis] *= _transform_gaussian(frequencies, float(sigma))


def _respond_to_sharpening(
    responses: Responses, frequencies: NDArray[np.float64], reach: float, generator: np.random.Generator
) -> None:
    weight = reach * generator.random()
    boost = 1 + weight * (1 - _transform_gaussian(frequencies, UNSHARP_SIGMA))
    for axis in range(2):
        responses[axis] *= boost


def _respond_to_ghosting(
    responses: Responses, frequencies: NDArray[np.float64], reach: float, generator: np.random.Generator
) -> None:
    """Two copies, a shift to either side, brighter or darker: lines of k-space that differ in turn."""
    size = 2 * (len(frequencies) - 1)
    shift = generator.uniform(*GHOST_SHIFTS) * size
    weight = 2 * reach * generator.uniform(-1, 1)
    responses[int(generator.integers(2))] *= 1 + weight * np.cos(2 * np.pi * shift * frequencies)


def _transform_gaussian(frequencies: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Return the Fourier transform of a Gaussian, ``sigma`` in pixels."""
    return np.exp(-2 * (np.pi * sigma * frequencies) ** 2)


FILTERS: dict[str, Callable[[Responses, NDArray[np.float64], float, np.random.Generator], None]] = {
    "blur": _respond_to_blur,
    "ringing": _respond_to_ringing,
    "sharpen": _respond_to_sharpening,
    "ghosting": _respond_to_ghosting,
}
"""What multiplies k-space: all of a slice's filters cost one transform there and back."""


def filter_in_k_space(image: Pixels, draws: Draws) -> Pixels:
    """Return ``image`` (row, column) through every filter that it meets, as a magnitude image."""
    met = [effect for effect in FILTERS if draws.meets(effect)]
    if not met:
        return image
    size = len(image)
    frequencies = fft.rfftfreq(size)
    responses = [np.ones_like(frequencies) for _ in range(2)]
    for effect in met:
        FILTERS[effect](responses, frequencies, draws.reach(effect), draws.generator(effect))
    # Rows have the negative frequencies as well; every response is even.
    down = responses[0][np.minimum(np.arange(size), size - np.arange(size))].astype(np.float32)
    k_space = fft.rfft2(image) * np.outer(down, responses[1].astype(np.float32))
    filtered: Pixels = np.abs(fft.irfft2(k_space, s=image.shape))
    return filtered


def add_rician_noise(image: Pixels, reach: float, generator: np.random.Generator) -> Pixels:
    """Add the noise of a magnitude image: the length of a complex value with Gaussian noise in both parts."""
    deviation = np.float32(MAX_GREY * reach * generator.random())
    noise = generator.standard_normal((2, *image.shape), dtype=np.float32)
    noise *= deviation
    noise[0] += image
    noise *= noise  # np.hypot, which guards against overflow, takes five times as long
    noisy: Pixels = np.sqrt(noise[0] + noise[1])
    return noisy


def add_coloured_noise(image: Pixels, reach: float, generator: np.random.Generator) -> Pixels:
    """Add blotchy noise, as of filtering, interpolation and compression on a scanner's console."""
    deviation = np.float32(MAX_GREY * reach * generator.random())
    grain = int(generator.integers(BLOTCHES[0], BLOTCHES[1] + 1))
    side = -(-len(image) // grain)
    blotches = Image.fromarray(generator.standard_normal((side, side), dtype=np.float32))
    noise = np.array(blotches.resize(image.shape[::-1], Image.Resampling.BICUBIC), np.float32)
    noise *= deviation
    noise += image
    return noise
