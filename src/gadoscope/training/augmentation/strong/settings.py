"""How often and how far each effect of the strong augmentation changes a slice."""

from dataclasses import dataclass, fields

from gadoscope.errors import ConfigError

MAX_STRENGTH = 2.0
"""Twice the recipe; beyond it slices are no longer readable."""

CHANCE, RANGE = "_chance", "_range"
"""How the settings of an effect end."""

# At these a slice is folded to a line, moved out of sight, or nothing of it is left.
RANGE_LIMITS = {
    "rotation_range": 180.0,
    "shear_range": 60.0,
    "zoom_range": 3.0,
    "aspect_range": 1.0,
    "translation_range": 0.5,
    "crop_range": 0.9,
    "gamma_range": 2.0,
    "warp_range": 3.0,
    "reweight_range": 1.0,
    "gain_range": 0.9,
    "offset_range": 0.9,
    "bias_field_range": 2.0,
    "thick_pixels_range": 15.0,
    "ringing_range": 0.9,
    "blur_range": 10.0,
    "sharpen_range": 10.0,
    "ghosting_range": 1.0,
    "rician_noise_range": 1.0,
    "coloured_noise_range": 1.0,
    "erase_range": 1.0,
    "frame_range": 0.4,
    "jpeg_range": 99.0,
    "fat_suppression_range": 1.0,
    "cyst_range": 0.4,
    "bright_fat_range": 1.0,
    "bright_lesion_range": 0.4,
    "window_range": 0.8,
    "flare_range": 9.0,
}


@dataclass(frozen=True, kw_only=True)
class StrongAugmentation:
    """One chance and, where it has a size, one range for each effect; the defaults are the recipe.

    Every slice draws for itself which effects it meets. A chance is the share of slices that meet an
    effect; a range is the most that it may do, drawn uniformly up to there.

    Parameters
    ----------
    strength
        0 is off, 1 the recipe. Every chance and every range is multiplied by it, up to its limit.
    horizontal_flip_chance, vertical_flip_chance
        Left and right, or top and bottom, exchanged.
    whole_turn_chance
        Turned by 90, 180 or 270 degrees.
    rotation_range, shear_range
        Degrees to either side.
    zoom_range, aspect_range
        0.25 shows the head between 1.25 times larger and 1.25 times smaller; `aspect_range` stretches
        rows against columns in the same way.
    translation_range
        Share of the image's side, to each side.
    crop_range
        Largest share of each side that a crop takes away; what is left fills the image again.
    gamma_range
        Grey values to the power of exp(-range) to exp(+range).
    warp_range
        A bent, always rising tone curve: the logarithm of its slope varies by this to either side.
    reweight_range
        How far CSF, grey matter, white matter and fat take other greys in the same order, as another T1
        weighting would give them; 1 goes all the way.
    fat_suppression_range
        How much darker the rim of the head becomes, as with suppressed fat; 1 makes it black.
    cyst_range
        Largest radius of fluid in the brain, as a share of the image's side.
    bright_fat_range
        How far the rim of the head goes to white beside a darker rest, as on a spin echo with bright fat.
    bright_lesion_range
        Largest radius of something bright in the brain that is no enhancement, such as blood or protein, as a
        share of the image's side.
    window_range
        How much of the bright end of the greys becomes white: fat first, then what is as bright.
    flare_range
        How many times brighter still the head is right under an element of a surface coil.
    gain_range, offset_range
        Share of the grey scale to either side; what leaves the scale is cut off.
    bias_field_range
        Largest logarithm of a smooth field over the image, as of a surface coil.
    thick_pixels_range
        Pixels become up to 1 + range times as large, along one axis or both.
    ringing_range
        Largest share of the highest spatial frequencies that is cut off: Gibbs ringing.
    blur_range
        Standard deviation of a Gaussian, pixels.
    sharpen_range
        Weight of an unsharp mask.
    ghosting_range
        Brightness of two shifted copies along one axis, as a share of the image's.
    rician_noise_range, coloured_noise_range
        Standard deviation as a share of the grey scale; coloured noise is blotchy and may darken.
    erase_range
        Largest side of an erased rectangle, as a share of the image's.
    frame_range
        Largest width of a constant frame, as a share of the image's side.
    text_chance
        Letters and numbers, words of contrast that say nothing, or the ticks of a scale bar, near the edge.
    jpeg_range
        Quality 100 - range to 100.

    Raises
    ------
    ConfigError
        If a value does not fit.
    """

    strength: float = 0.0
    horizontal_flip_chance: float = 0.5
    vertical_flip_chance: float = 0.25
    whole_turn_chance: float = 0.25
    rotation_chance: float = 0.8
    rotation_range: float = 15.0
    shear_chance: float = 0.4
    shear_range: float = 6.0
    zoom_chance: float = 0.8
    zoom_range: float = 0.2
    aspect_chance: float = 0.5
    aspect_range: float = 0.12
    translation_chance: float = 0.6
    translation_range: float = 0.07
    crop_chance: float = 0.15
    crop_range: float = 0.35
    gamma_chance: float = 0.5
    gamma_range: float = 0.4
    warp_chance: float = 0.4
    warp_range: float = 0.7
    gain_chance: float = 0.4
    gain_range: float = 0.2
    offset_chance: float = 0.3
    offset_range: float = 0.06
    bias_field_chance: float = 0.4
    bias_field_range: float = 0.5
    thick_pixels_chance: float = 0.2
    thick_pixels_range: float = 1.5
    ringing_chance: float = 0.15
    ringing_range: float = 0.5
    blur_chance: float = 0.25
    blur_range: float = 1.3
    sharpen_chance: float = 0.2
    sharpen_range: float = 1.5
    ghosting_chance: float = 0.12
    ghosting_range: float = 0.12
    rician_noise_chance: float = 0.3
    rician_noise_range: float = 0.06
    coloured_noise_chance: float = 0.2
    coloured_noise_range: float = 0.04
    erase_chance: float = 0.15
    erase_range: float = 0.25
    frame_chance: float = 0.1
    frame_range: float = 0.08
    text_chance: float = 0.2
    jpeg_chance: float = 0.15
    jpeg_range: float = 70.0
    reweight_chance: float = 0.5
    reweight_range: float = 0.8
    fat_suppression_chance: float = 0.15
    fat_suppression_range: float = 0.9
    cyst_chance: float = 0.15
    cyst_range: float = 0.2
    bright_fat_chance: float = 0.15
    bright_fat_range: float = 1.0
    bright_lesion_chance: float = 0.06
    bright_lesion_range: float = 0.1
    window_chance: float = 0.15
    window_range: float = 0.35
    flare_chance: float = 0.06
    flare_range: float = 2.5

    def __post_init__(self) -> None:
        _check("strength", self.strength, MAX_STRENGTH)
        for entry in fields(self):
            value = float(getattr(self, entry.name))
            if entry.name.endswith(CHANCE):
                _check(entry.name, value, 1.0)
            elif entry.name.endswith(RANGE):
                _check(entry.name, value, RANGE_LIMITS[entry.name])

    @property
    def is_off(self) -> bool:
        """Whether every slice stays as it is."""
        return self.strength == 0 or not any(
            getattr(self, entry.name) for entry in fields(self) if entry.name.endswith(CHANCE)
        )

    def chance(self, effect: str) -> float:
        """Return how likely a slice meets ``effect``, 0 to 1, the strength included."""
        return min(1.0, self.strength * float(getattr(self, effect + CHANCE)))

    def reach(self, effect: str) -> float:
        """Return the range of ``effect``, the strength included; 0 for an effect that has no size."""
        name = effect + RANGE
        if name not in RANGE_LIMITS:
            return 0.0
        return min(RANGE_LIMITS[name], self.strength * float(getattr(self, name)))


def _check(name: str, value: float, most: float) -> None:
    if not 0 <= value <= most:
        raise ConfigError(f"distort.{name} is {value}; expected a number of 0 to {most:g}.")
