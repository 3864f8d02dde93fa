"""Which effects a slice meets, and the random numbers of each.

Everything follows from the seed, the slice's place in the batch and the effect's name, so that changing one
effect leaves the draws of all others as they were, and a slice is changed alike whatever stands beside it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gadoscope.training.augmentation.strong.settings import StrongAugmentation

EFFECTS = (
    "horizontal_flip",
    "vertical_flip",
    "whole_turn",
    "rotation",
    "shear",
    "zoom",
    "aspect",
    "translation",
    "crop",
    "gamma",
    "warp",
    "gain",
    "offset",
    "bias_field",
    "thick_pixels",
    "ringing",
    "blur",
    "sharpen",
    "ghosting",
    "rician_noise",
    "coloured_noise",
    "erase",
    "frame",
    "text",
    "jpeg",
    "reweight",
    "fat_suppression",
    "cyst",
    "bright_fat",
    "bright_lesion",
    "window",
    "flare",
)
"""Every effect. An effect's stream of random numbers is its place here: new ones go to the end."""

_STREAMS = {effect: 1 + place for place, effect in enumerate(EFFECTS)}
_CHANCES = 0  # the stream that says which effects a slice meets
_POOL_WORDS = 4  # a `SeedSequence` fills its entropy up to so many before a spawn key


class Draws:
    """The random numbers of one slice.

    Parameters
    ----------
    seed
        Whole numbers, 0 or more, such as (seed, purpose, epoch, step).
    place
        The slice's place in the batch, from 0.
    """

    def __init__(self, augmentation: StrongAugmentation, seed: Sequence[int], place: int) -> None:
        self._augmentation = augmentation
        self._words = _assemble_words(seed, place)
        drawn = self._open(_CHANCES).random(len(EFFECTS)).tolist()
        self._met = {
            effect for effect, draw in zip(EFFECTS, drawn, strict=True) if draw < augmentation.chance(effect)
        }

    def meets(self, effect: str) -> bool:
        """Return whether the slice meets ``effect``."""
        return effect in self._met

    def reach(self, effect: str) -> float:
        """Return the most that ``effect`` may do."""
        return self._augmentation.reach(effect)

    def generator(self, effect: str) -> np.random.Generator:
        """Return the random numbers of ``effect``, from their beginning."""
        return self._open(_STREAMS[effect])

    def _open(self, stream: int) -> np.random.Generator:
        words = self._words.copy()
        words[-1] = stream
        return np.random.Generator(np.random.Philox(np.random.SeedSequence(words)))


def _assemble_words(seed: Sequence[int], place: int) -> NDArray[np.uint32]:
    """Return the entropy of ``SeedSequence(seed, spawn_key=(len(seed), place, stream))``, less the stream.

    The seed's length tells (5,) from (5, 0), which NumPy does not. Several hundred streams are opened for a
    batch, and NumPy takes words in half the time of numbers.

    Returns
    -------
    NDArray
        Words of 32 bits, the last one free for the stream.
    """
    entropy = [word for number in seed for word in _split_number(number)]
    entropy += [0] * (_POOL_WORDS - len(entropy))
    return np.array([*entropy, *_split_number(len(seed)), *_split_number(place), 0], np.uint32)


def _split_number(number: int) -> list[int]:
    """Return the words of 32 bits of a whole number, the lowest first; 0 has one."""
    n_words = max(1, -(-number.bit_length() // 32))
    return [number >> 32 * place & 0xFFFFFFFF for place in range(n_words)]
