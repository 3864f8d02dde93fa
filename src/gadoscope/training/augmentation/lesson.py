"""The lesson's augmentation knobs, with the meaning that Keras' ImageDataGenerator gives them.

The transform of an image depends on the seed, the epoch and the image's index alone: not on the
batch it lands in, nor on how many processes share the work, nor on whether the run was resumed.

References
----------
keras/src/legacy/preprocessing/image.py (Keras 3.15): ``ImageDataGenerator.get_random_transform`` and
``apply_affine_transform``
"""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gadoscope.errors import ConfigError
from gadoscope.parallel import count_jobs

FillMode = Literal["nearest", "constant", "reflect", "wrap"]
FILL_MODES: tuple[FillMode, ...] = get_args(FillMode)
"""What stands outside the image, in the words of ``scipy.ndimage``, which Keras passes on."""

# One stream of random numbers a purpose under one seed: batch order is 0, dropout 1.
AUGMENTATION_STREAM = 2


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How far images are moved at random in training; by default not at all, as in the lesson.

    Parameters
    ----------
    shear_range
        Largest shear angle, degrees; uniform in [-range, range].
    zoom_range
        Both axes are zoomed independently, by factors uniform in [1 - range, 1 + range]. As in
        Keras a factor above 1 shows more of the scene, so things look smaller.
    horizontal_flip, vertical_flip
        Mirror left and right, or top and bottom, with probability 1/2.
    rotation_range
        Largest rotation, degrees; uniform in [-range, range].
    fill_mode
        What stands where the image does not reach: ``FILL_MODES``.
    cval
        The grey value (0..255) that ``constant`` fills with.

    Raises
    ------
    ConfigError
        If a value does not fit.
    """

    shear_range: float = 0.0
    zoom_range: float = 0.0
    horizontal_flip: bool = False
    vertical_flip: bool = False
    rotation_range: float = 0.0
    fill_mode: str = "nearest"
    cval: float = 0.0

    def __post_init__(self) -> None:
        # At 90 degrees a sheared image has no area left; at a zoom of 0 neither.
        _check_limit("shear_range", self.shear_range, below=90)
        _check_limit("zoom_range", self.zoom_range, below=1)
        _check_limit("rotation_range", self.rotation_range, below=math.inf)
        if self.fill_mode not in FILL_MODES:
            raise ConfigError(
                f"augment.fill_mode is {self.fill_mode!r}; expected one of {', '.join(FILL_MODES)}."
            )
        if not math.isfinite(self.cval):
            raise ConfigError(f"augment.cval is {self.cval}; expected a grey value, 0 to 255.")

    @property
    def is_off(self) -> bool:
        """Whether every image stays as it is."""
        moves = {entry.name for entry in fields(self)} - {"fill_mode", "cval"}
        return not any(getattr(self, name) for name in moves)


@dataclass(frozen=True, kw_only=True)
class Transform:
    """One image's transform, in Keras' parameters.

    ``theta`` and ``shear`` are degrees; ``zx`` zooms along columns, ``zy`` along rows.
    """

    theta: float = 0.0
    shear: float = 0.0
    zx: float = 1.0
    zy: float = 1.0
    flip_horizontal: bool = False
    flip_vertical: bool = False


def draw_transform(index: int, *, augmentation: Augmentation, seed: int, epoch: int) -> Transform:
    """Draw the transform of image ``index`` in ``epoch`` (both from 0).

    All six numbers are always drawn, so switching one knob on leaves the others' draws as they were.
    """
    stream = np.random.SeedSequence([seed, epoch, AUGMENTATION_STREAM, index])
    draws = np.random.Generator(np.random.Philox(stream)).random(6)
    theta, shear, zx, zy, horizontal, vertical = draws.tolist()
    return Transform(
        theta=augmentation.rotation_range * (2 * theta - 1),
        shear=augmentation.shear_range * (2 * shear - 1),
        zx=1 + augmentation.zoom_range * (2 * zx - 1),
        zy=1 + augmentation.zoom_range * (2 * zy - 1),
        flip_horizontal=augmentation.horizontal_flip and horizontal < 1 / 2,
        flip_vertical=augmentation.vertical_flip and vertical < 1 / 2,
    )


def apply_transform(
    image: NDArray[np.uint8] | NDArray[np.float32],
    transform: Transform,
    *,
    fill_mode: FillMode = "nearest",
    cval: float = 0.0,
) -> NDArray[np.float32]:
    """Return ``image`` rotated, sheared, zoomed about its centre (bilinear), then flipped.

    Parameters
    ----------
    image
        Shape (row, column), grey values 0..255.

    Returns
    -------
    NDArray
        float32 of the same shape; equals ``ImageDataGenerator.apply_transform``.
    """
    matrix, offset = _find_mapping(transform, image.shape)
    if np.array_equal(matrix, np.eye(2)):
        moved = image.astype(np.float32)
    else:
        moved = ndimage.affine_transform(
            image, matrix, offset, order=1, mode=fill_mode, cval=cval, output=np.float32
        )
    rows = slice(None, None, -1 if transform.flip_vertical else 1)
    columns = slice(None, None, -1 if transform.flip_horizontal else 1)
    return moved[rows, columns]


def augment_batch(
    images: NDArray[np.uint8],
    indices: NDArray[np.int64],
    *,
    augmentation: Augmentation,
    seed: int,
    epoch: int,
) -> NDArray[np.float32]:
    """Transform each image of a batch, on all cores (SciPy lets go of the interpreter lock).

    Parameters
    ----------
    images
        Shape (n, row, column), grey values 0..255.
    indices
        Which image of the data set each one is, from 0; shape (n,).

    Returns
    -------
    NDArray
        Shape (n, row, column), float32, grey values 0..255.
    """
    moved = np.empty(images.shape, np.float32)
    fill_mode = cast(FillMode, augmentation.fill_mode)  # checked where the knobs are made

    def move(place: int) -> None:
        transform = draw_transform(int(indices[place]), augmentation=augmentation, seed=seed, epoch=epoch)
        moved[place] = apply_transform(images[place], transform, fill_mode=fill_mode, cval=augmentation.cval)

    with ThreadPoolExecutor(max(1, min(count_jobs(0), len(images)))) as pool:
        list(pool.map(move, range(len(images))))
    return moved


def _find_mapping(
    transform: Transform, shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what takes a (row, column) of the result to its place in the image: matrix and offset."""
    theta, shear = math.radians(transform.theta), math.radians(transform.shear)
    rotation = np.array([[math.cos(theta), -math.sin(theta)], [math.sin(theta), math.cos(theta)]])
    shearing = np.array([[1, -math.sin(shear)], [0, math.cos(shear)]])
    matrix = rotation @ shearing @ np.diag([transform.zx, transform.zy])
    # Keras composes in (x, y) and swaps the axes at the end, but finds the centre as (row, column)
    # before: in an image that is not square the two are exchanged. Ours are square; kept all the same.
    centre = (np.array(shape) - 1) / 2
    offset = centre - matrix @ centre
    return matrix[::-1, ::-1], offset[::-1]


def _check_limit(name: str, value: float, *, below: float) -> None:
    if not 0 <= value < below:
        upper = "" if math.isinf(below) else f" and below {below:g}"
        raise ConfigError(f"augment.{name} is {value}; expected a number of 0 or more{upper}.")
