"""Which effects a slice meets, and the random numbers of each.

Everything follows from the seed, the slice's place in the batch and the effect's name, so that changing one
effect leaves the draws of all others as they were, and a slice is changed alike whatever stands beside it.
"""

from collections.abc import Sequence

import numpy as np

from gadoscope.training.augmentation.settings import StrongAugmentation

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
)
"""Every effect. An effect's stream of random numbers is its place here: new ones go to the end."""

_STREAMS = {effect: 1 + place for place, effect in enumerate(EFFECTS)}
_CHANCES = 0  # the stream that says which effects a slice meets


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
        self._seed = list(seed)
        self._place = place
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
        # The seed's length tells (5,) from (5, 0), which NumPy does not.
        sequence = np.random.SeedSequence(self._seed, spawn_key=(len(self._seed), self._place, stream))
        return np.random.Generator(np.random.Philox(sequence))
