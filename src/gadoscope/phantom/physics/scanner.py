"""The scanner: sequence, settings, coil and noise, drawn for a subject and never for a label.

Both images of a subject come from one scanner with one set of settings, and a scanner is drawn without
knowing which images will be made: nothing of it can tell pre-contrast from post-contrast.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gadoscope.phantom.head.regions import MAKEUP, Region
from gadoscope.phantom.head.subject import FAT_GAIN, SCANNER, Subject
from gadoscope.phantom.head.tissues import FIELD_STRENGTHS_T, Relaxation, Tissue
from gadoscope.phantom.physics.signal import (
    Injection,
    inversion_prepared_gradient_echo,
    region_relaxations,
    spin_echo,
    spoiled_gradient_echo,
)

# Clinical practice, from the ranges that archives of T1-weighted brain series show.
SPIN_ECHO_TR_MS, SPIN_ECHO_TE_MS, SPIN_ECHO_SLICE_MM = (400.0, 650.0), (8.0, 16.0), (3.0, 5.0)
GRADIENT_ECHO_TR_MS, GRADIENT_ECHO_TE_MS, GRADIENT_ECHO_FLIP_DEG = (8.0, 24.0), (2.5, 4.8), (8.0, 12.0)
# A longer repetition is run with a larger flip angle: degrees per millisecond above the shortest.
FLIP_PER_TR = 1.0
MPRAGE_TI_MS, MPRAGE_REST_MS, MPRAGE_FLIP_DEG = (850.0, 1050.0), (250.0, 700.0), (8.0, 12.0)
MPRAGE_SPACING_MS, MPRAGE_ECHOES = (6.8, 8.6), (160, 176)
VOLUME_SLICE_MM = (1.0, 1.6)
FIELD_OF_VIEW_MM = (225.0, 256.0)
# White matter over noise, in one image; a good scan has 60, a poor one 15.
SIGNAL_TO_NOISE = (18.0, 60.0)
# Inflow of fresh blood into the excited volume, per second: from saturated to bright before contrast.
INFLOW_PER_S = (0.0, 0.7)
# Coil sensitivity: log of the change across half a field of view, linear and quadratic terms.
COIL_SLOPE, COIL_CURVE = 0.22, 0.18
HALF_FIELD_MM = 110.0
# Far corners of a large volume would grow without end.
LARGEST_COIL_LOG = 1.5
# Where the display window ends: percentile of the image, and a technologist's taste.
WINDOW_PERCENTILE, WINDOW_TASTE = (99.0, 99.8), (0.85, 1.15)
# Width of the point spread (Gaussian sigma, pixels): filters and interpolation differ between scanners.
BLUR_PX = (0.25, 0.6)
VIEW_OFFSET_MM = 6.0
FATTY = frozenset({Tissue.FAT, Tissue.MARROW})


class Sequence(StrEnum):
    """The kinds of T1-weighted sequence that the phantom runs."""

    SPIN_ECHO = "spin_echo"
    SPOILED_GRADIENT_ECHO = "spoiled_gradient_echo"
    MPRAGE = "mprage"


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What the sequence is and when its pulses come.

    Parameters
    ----------
    sequence
        Its kind.
    tr_ms, te_ms, flip_deg
        Repetition time, echo time, flip angle.
    ti_ms, echo_spacing_ms, echoes
        Inversion time, time between the echoes of one train, their number; ``None`` without an inversion.
    """

    sequence: Sequence
    tr_ms: float
    te_ms: float
    flip_deg: float
    ti_ms: float | None = None
    echo_spacing_ms: float | None = None
    echoes: int | None = None

    def signal(self, tissue: Relaxation) -> float:
        """Return the magnitude that this sequence measures, per unit of coil sensitivity."""
        if self.sequence is Sequence.SPIN_ECHO:
            return spin_echo(tissue, tr_ms=self.tr_ms, te_ms=self.te_ms)
        if self.sequence is Sequence.SPOILED_GRADIENT_ECHO:
            return spoiled_gradient_echo(tissue, tr_ms=self.tr_ms, te_ms=self.te_ms, flip_deg=self.flip_deg)
        if self.ti_ms is None or self.echo_spacing_ms is None or self.echoes is None:
            raise ValueError(f"{self.sequence} needs ti_ms, echo_spacing_ms and echoes; one of them is None")
        return inversion_prepared_gradient_echo(
            tissue,
            tr_ms=self.tr_ms,
            te_ms=self.te_ms,
            ti_ms=self.ti_ms,
            flip_deg=self.flip_deg,
            echo_spacing_ms=self.echo_spacing_ms,
            echoes=self.echoes,
        )


@dataclass(frozen=True, kw_only=True)
class Scanner:
    """One scanner and its settings.

    Parameters
    ----------
    field_strength_t
        1.5 or 3.0.
    timing
        The sequence.
    slice_mm, field_of_view_mm
        Thickness of a slice, side of the square image.
    view_offset_mm
        Middle of the field of view against the scanner's, (x, y, z), RAS+.
    signal_to_noise
        White matter before contrast over the noise's standard deviation; infinite for none.
    coil
        Coefficients of the log sensitivity: linear (x, y, z), then quadratic.
    inflow_per_s
        Fresh blood per second in the large vessels.
    window_percentile, window_taste
        The display window ends at this percentile of the image times this factor.
    blur_px
        Standard deviation of the point spread within the slice, pixels.
    fat_gain
        Signal of fat and marrow against what the relaxation times give: trains of echoes show it brighter,
        suppression and some gradient echoes darker. The same before and after the injection.
    """

    field_strength_t: float
    timing: Timing
    slice_mm: float
    field_of_view_mm: float
    view_offset_mm: tuple[float, float, float]
    signal_to_noise: float
    coil: tuple[float, ...]
    inflow_per_s: float
    window_percentile: float
    window_taste: float
    blur_px: float
    fat_gain: float = 1.0

    def region_signal(self, region: Region, injection: Injection | None) -> float:
        """Return the signal of a voxel full of ``region``, before (``None``) or after an injection."""
        parts = region_relaxations(region, self.field_strength_t, injection, self.inflow_per_s)
        return sum(
            part * self.timing.signal(relaxation) * (self.fat_gain if tissue in FATTY else 1.0)
            for tissue, (part, relaxation) in zip(MAKEUP[region].tissues, parts, strict=True)
        )

    def sensitivity(self, positions_mm: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the coil's sensitivity at positions (n, 3), RAS+ mm; about 1 in the middle."""
        log = np.zeros(len(positions_mm), np.float32)
        for axis, (slope, curve) in enumerate(zip(self.coil[:3], self.coil[3:], strict=True)):
            at = positions_mm[:, axis].astype(np.float32) / np.float32(HALF_FIELD_MM)
            log += at * (np.float32(slope) + np.float32(curve) * at)
        sensitivity: NDArray[np.float32] = np.exp(np.clip(log, -LARGEST_COIL_LOG, LARGEST_COIL_LOG))
        return sensitivity


def draw_scanner(subject: Subject, fat_gain: tuple[float, float] = (1.0, 1.0)) -> Scanner:
    """Return the scanner that ``subject`` lies in, the same for every image of that subject.

    Parameters
    ----------
    fat_gain
        From where to where the gain of fat is drawn, each doubling alike; the other draws do not move.
    """
    least, most = np.log(fat_gain)
    gain = float(np.exp(subject.generator(FAT_GAIN).uniform(least, most)))
    g = subject.generator(SCANNER)
    sequence = Sequence(str(g.choice(list(Sequence))))
    is_2d = sequence is Sequence.SPIN_ECHO
    offset = g.uniform(-VIEW_OFFSET_MM, VIEW_OFFSET_MM, 3)
    return Scanner(
        field_strength_t=float(g.choice(FIELD_STRENGTHS_T)),
        timing=_draw_timing(sequence, g),
        slice_mm=float(g.uniform(*(SPIN_ECHO_SLICE_MM if is_2d else VOLUME_SLICE_MM))),
        field_of_view_mm=float(g.uniform(*FIELD_OF_VIEW_MM)),
        # Patients are centred by a laser from side to side, less well along the table.
        view_offset_mm=(0.0, float(offset[1]), float(offset[2])),
        signal_to_noise=float(g.uniform(*SIGNAL_TO_NOISE)),
        coil=(
            *(float(v) for v in COIL_SLOPE * g.uniform(-1, 1, 3)),
            *(float(v) for v in COIL_CURVE * g.uniform(-0.3, 1, 3)),
        ),
        inflow_per_s=float(g.uniform(*INFLOW_PER_S)),
        window_percentile=float(g.uniform(*WINDOW_PERCENTILE)),
        window_taste=float(g.uniform(*WINDOW_TASTE)),
        blur_px=float(g.uniform(*BLUR_PX)),
        fat_gain=gain,
    )


def _draw_timing(sequence: Sequence, g: np.random.Generator) -> Timing:
    if sequence is Sequence.SPIN_ECHO:
        tr, te = float(g.uniform(*SPIN_ECHO_TR_MS)), float(g.uniform(*SPIN_ECHO_TE_MS))
        return Timing(sequence=sequence, tr_ms=tr, te_ms=te, flip_deg=90.0)
    te = float(g.uniform(*GRADIENT_ECHO_TE_MS))
    if sequence is Sequence.SPOILED_GRADIENT_ECHO:
        tr = float(g.uniform(*GRADIENT_ECHO_TR_MS))
        flip = float(g.uniform(*GRADIENT_ECHO_FLIP_DEG)) + FLIP_PER_TR * (tr - GRADIENT_ECHO_TR_MS[0])
        return Timing(sequence=sequence, tr_ms=tr, te_ms=te, flip_deg=flip)
    spacing, echoes = float(g.uniform(*MPRAGE_SPACING_MS)), int(g.integers(*MPRAGE_ECHOES))
    ti = float(g.uniform(*MPRAGE_TI_MS))
    return Timing(
        sequence=sequence,
        tr_ms=ti + spacing * (echoes - echoes // 2) + float(g.uniform(*MPRAGE_REST_MS)),
        te_ms=te,
        flip_deg=float(g.uniform(*MPRAGE_FLIP_DEG)),
        ti_ms=ti,
        echo_spacing_ms=spacing,
        echoes=echoes,
    )
