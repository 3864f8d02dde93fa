"""Who is scanned: shape, size, pose, folds, lesion and enhancement of one synthetic subject."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gadoscope.phantom.physics.signal import AGENTS, Injection

# Streams of random numbers of one subject: a new stream never moves the numbers of another.
SHAPE, FOLDS, INJECTION, LESION, SCANNER, NOISE, HEADER, CONTRAST, FAT_GAIN = range(9)
MARROW, FACIAL_FAT, HYDROCEPHALUS, INFANCY, VIEW = range(9, 14)

# The template is as large as MNI152; living heads are about this much of it, with this spread.
MEAN_SCALE, SCALE_SPREAD = 0.93, 0.03
# Axes vary against each other by less than the whole does.
AXIS_SPREAD = 0.025
# Nodding is the freest motion of a head in a coil.
PITCH_SPREAD_DEG, YAW_SPREAD_DEG, ROLL_SPREAD_DEG = 6.0, 1.5, 1.5
SHIFT_SPREAD_MM = 3.0
# Waves of the smooth deformation: amplitudes in mm, wavelengths in mm.
WAVES, WAVE_AMPLITUDE_MM, WAVELENGTHS_MM = 5, 1.6, (90.0, 220.0)
# Places of the profile that differ most between people: name, (y, z), reach, spread of the shift in y, mm.
FEATURES = (
    ("nose", (106.0, -52.0), 11.0, 3.5),
    ("lips", (98.0, -80.0), 12.0, 2.0),
    ("chin", (94.0, -112.0), 15.0, 4.0),
    ("brow", (90.0, -8.0), 16.0, 2.0),
    ("nasion", (86.0, -24.0), 10.0, 1.5),
    ("inion", (-118.0, -30.0), 30.0, 4.0),
    ("nape", (-101.0, -110.0), 30.0, 6.0),
)
LARGEST_LESION_MM, SMALLEST_LESION_MM = 17.0, 6.0


class LesionKind(StrEnum):
    """How a lesion takes up the agent."""

    RING = "ring"
    SOLID = "solid"
    NON_ENHANCING = "non_enhancing"


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """A round mass with an uneven edge.

    Parameters
    ----------
    kind
        How it enhances.
    centre
        Template (x, y, z), mm.
    radius_mm
        Of the mass without its oedema.
    oedema_mm
        Width of the oedema around it.
    """

    kind: LesionKind
    centre: tuple[float, float, float]
    radius_mm: float
    oedema_mm: float


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One synthetic person; every field follows from the seed and the subject's number.

    Parameters
    ----------
    subject_id
        Such as ``sub-001``.
    seed, number
        What the subject was drawn from.
    scale
        Size against the template per axis (x, y, z).
    rotation
        Matrix (3, 3) from head to scanner axes.
    shift_mm
        Of the head in the scanner, (x, y, z).
    waves
        Smooth deformation, rows (kx, ky, kz in radians per mm, phase, ax, ay, az in mm).
    features
        Shift along y of each place in ``FEATURES``, mm.
    skull_mm, scalp_fat_mm, ventricle_mm, sulcus_mm
        Thickness of skull and of the fat under the skin, widening of the ventricles, half-width of a sulcus.
    injection
        What the post-contrast image is taken after.
    lesion
        ``None`` for a healthy subject.
    marrow
        How far marrow has turned into fat, 0 (as in the vertebra that was measured) to 1 (as bright as scalp
        fat); above 0 the bones of the skull base hold some.
    facial_fat
        How much fat lies in orbits and cheeks and between the muscles of the jaw, 0 (little) to 1.
    hydrocephalus
        How wide the ventricles are, 0 (as ``ventricle_mm`` says) to 1 (a thin mantle of brain is left).
    infancy
        0 (grown up) to 1 (newborn): white matter without myelin, a small face, no sinuses yet.
    """

    subject_id: str
    seed: int
    number: int
    scale: tuple[float, float, float]
    rotation: NDArray[np.float64]
    shift_mm: tuple[float, float, float]
    waves: NDArray[np.float64]
    features: tuple[float, ...]
    skull_mm: float
    scalp_fat_mm: float
    ventricle_mm: float
    sulcus_mm: float
    injection: Injection
    lesion: Lesion | None
    marrow: float = 0.0
    facial_fat: float = 0.0
    hydrocephalus: float = 0.0
    infancy: float = 0.0

    def generator(self, *stream: int) -> np.random.Generator:
        """Return the random numbers of one ``stream`` of this subject, always the same."""
        return np.random.default_rng([self.seed, self.number, *stream])


def draw_subject(seed: int, number: int, *, lesions: float = 0.0) -> Subject:
    """Return subject ``number`` (from 1) of the cohort ``seed``.

    Parameters
    ----------
    seed
        Of the cohort.
    number
        From 1; becomes ``sub-001`` and so on.
    lesions
        Chance of a lesion, 0 to 1.
    """
    g = np.random.default_rng([seed, number, SHAPE])
    whole = MEAN_SCALE + SCALE_SPREAD * _normal(g)
    pose = [np.radians(spread * _normal(g)) for spread in (PITCH_SPREAD_DEG, YAW_SPREAD_DEG, ROLL_SPREAD_DEG)]
    ageing = float(g.beta(1.5, 3.0))  # 0 young, 1 old: wider ventricles and sulci; most are in between
    return Subject(
        subject_id=f"sub-{number:03d}",
        seed=seed,
        number=number,
        scale=tuple(float(whole * (1 + AXIS_SPREAD * _normal(g))) for _ in range(3)),  # type: ignore[arg-type]  # three by construction
        rotation=_rotation(*pose),
        shift_mm=tuple(float(SHIFT_SPREAD_MM * _normal(g)) for _ in range(3)),  # type: ignore[arg-type]  # three by construction
        waves=_draw_waves(g),
        features=tuple(float(feature[3] * _normal(g)) for feature in FEATURES),
        skull_mm=float(g.uniform(5.5, 8.0)),
        scalp_fat_mm=float(g.uniform(3.5, 7.0)),
        ventricle_mm=float(-0.8 + 3.0 * ageing + 0.4 * _normal(g)),
        sulcus_mm=float(0.45 + 0.65 * ageing),
        injection=_draw_injection(np.random.default_rng([seed, number, INJECTION])),
        lesion=_draw_lesion(np.random.default_rng([seed, number, LESION]), lesions),
    )


def _normal(g: np.random.Generator) -> float:
    """Return a standard normal number without its far tails, which would make a monster."""
    return float(np.clip(g.standard_normal(), -2, 2))


def _rotation(pitch: float, yaw: float, roll: float) -> NDArray[np.float64]:
    """Return the rotation about x, then z, then y; radians."""
    (cp, sp), (cy, sy), (cr, sr) = ((np.cos(a), np.sin(a)) for a in (pitch, yaw, roll))
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    about_y = np.array([[cr, 0, sr], [0, 1, 0], [-sr, 0, cr]])
    rotation: NDArray[np.float64] = about_y @ about_z @ about_x
    return rotation


def _draw_waves(g: np.random.Generator) -> NDArray[np.float64]:
    direction = g.standard_normal((WAVES, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    k = 2 * np.pi / g.uniform(*WAVELENGTHS_MM, (WAVES, 1))
    amplitude = WAVE_AMPLITUDE_MM * np.clip(g.standard_normal((WAVES, 3)), -2, 2)
    return np.hstack([direction * k, g.uniform(0, 2 * np.pi, (WAVES, 1)), amplitude])


def _draw_injection(g: np.random.Generator) -> Injection:
    return Injection(
        agent=AGENTS[int(g.integers(len(AGENTS)))],
        dose_mmol_per_kg=float(g.choice([0.1, 0.1, 0.1, 0.075, 0.15])),  # mostly the standard dose
        delay_min=float(g.uniform(2.0, 10.0)),
        leakage=float(g.uniform(0.55, 1.0)),
    )


def _draw_lesion(g: np.random.Generator, chance: float) -> Lesion | None:
    if g.random() >= chance:
        return None
    # In a hemisphere, above the skull base and near enough to the midline for sagittal slices to meet it.
    side = float(g.choice([-1.0, 1.0]))
    centre = (side * float(g.uniform(8, 32)), float(g.uniform(-70, 45)), float(g.uniform(12, 52)))
    return Lesion(
        kind=LesionKind(str(g.choice(list(LesionKind)))),
        centre=centre,
        radius_mm=float(g.uniform(SMALLEST_LESION_MM, LARGEST_LESION_MM)),
        oedema_mm=float(g.uniform(2, 14)),
    )
