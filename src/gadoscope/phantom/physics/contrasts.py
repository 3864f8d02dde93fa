"""Other contrasts of the same heads: T2, FLAIR, proton density, diffusion, T2* and CT.

They are what a T1 classifier has to refuse. Each scan's settings are drawn for the subject, so no two
subjects' T2 images look alike; anatomy and place are those of the T1 images.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gadoscope.phantom.head.anatomy import Head
from gadoscope.phantom.head.regions import BLOOD_REGIONS, MAKEUP, Region
from gadoscope.phantom.head.subject import CONTRAST, Subject
from gadoscope.phantom.head.tissues import RELAXATION, Relaxation, Tissue
from gadoscope.phantom.physics.acquire import Exposure, Grid, expose, window
from gadoscope.phantom.physics.scanner import Scanner
from gadoscope.phantom.physics.signal import inversion_recovery_spin_echo, spin_echo, spoiled_gradient_echo

# Clinical practice, from the ranges that archives of brain MRI show.
T2_TR_MS, T2_TE_MS = (3000.0, 6000.0), (80.0, 120.0)
DENSITY_TR_MS, DENSITY_TE_MS = (2200.0, 4000.0), (12.0, 30.0)
FLAIR_TR_MS, FLAIR_TE_MS = (8000.0, 11000.0), (90.0, 140.0)
# Inversion times are set near the null of CSF, not on it.
FLAIR_TI_OFF = 0.04
STAR_TR_MS, STAR_TE_MS, STAR_FLIP_DEG = (450.0, 800.0), (15.0, 28.0), (15.0, 25.0)
DIFFUSION_TR_MS, DIFFUSION_TE_MS = (4000.0, 8000.0), (70.0, 100.0)
# s / mm2, and how often each is kept: the images without weighting are in the archive as well.
B_VALUES, B_CHANCES = (0.0, 1000.0), (0.3, 0.7)
DIFFUSION_BLUR_PX = (1.2, 2.4)
# Chance that a spin echo suppresses fat, and what is left; a train of echoes shows it brighter else
# (Henkelman RM et al. J Magn Reson Imaging 1992;2:533-540).
SUPPRESSION, SUPPRESSED_FAT, TRAIN_FAT = 0.4, (0.03, 0.2), (1.2, 2.2)
# Blood that flows leaves the slice between the pulses of a spin echo: what is left of its signal.
FLOW_VOID = (0.02, 0.4)
OTHER_SIGNAL_TO_NOISE = (15.0, 45.0)
# Hounsfield units of noise; shown are brain windows, and bone windows now and then: low, high.
CT_NOISE_HU, CT_BLUR_PX = (3.0, 9.0), (0.5, 1.0)
BRAIN_WINDOW_HU, BONE_WINDOW_HU, BONE_CHANCE = (
    ((-10.0, 5.0), (70.0, 100.0)),
    ((-600.0, -200.0), (900.0, 1600.0)),
    0.3,
)
HU_PER_UNIT = 1000.0
"""CT levels are (HU + 1000) / 1000: air 0, water 1."""
FIRST_STREAM = 2
"""Noise of the contrasts comes after that of the two phases."""

# Brain and CSF: Sener RN. Comput Med Imaging Graph 2001;25:299-326, rounded; the rest estimates. mm2 / s.
DIFFUSIVITY: MappingProxyType[Tissue, float] = MappingProxyType(
    {
        Tissue.AIR: 0.0,
        Tissue.WHITE_MATTER: 0.00075,
        Tissue.GREY_MATTER: 0.00085,
        Tissue.CSF: 0.003,
        Tissue.BLOOD: 0.003,
        Tissue.FAT: 0.0001,
        Tissue.MARROW: 0.0004,
        Tissue.MUSCLE: 0.0014,
        Tissue.BONE: 0.0003,
        Tissue.SKIN: 0.001,
        Tissue.DURA: 0.001,
        Tissue.MUCOSA: 0.0018,
        Tissue.GLAND: 0.0013,
        Tissue.NEUROHYPOPHYSIS: 0.001,
        Tissue.TUMOUR: 0.0012,
        Tissue.UNMYELINATED: 0.0013,
    }
)
# Textbook values, Hounsfield units; those of diploe, dura and small glands are estimates.
HOUNSFIELD: MappingProxyType[Tissue, float] = MappingProxyType(
    {
        Tissue.AIR: -1000.0,
        Tissue.WHITE_MATTER: 27.0,
        Tissue.GREY_MATTER: 37.0,
        Tissue.CSF: 6.0,
        Tissue.BLOOD: 50.0,
        Tissue.FAT: -95.0,
        Tissue.MARROW: 350.0,
        Tissue.MUSCLE: 55.0,
        Tissue.BONE: 1150.0,
        Tissue.SKIN: 35.0,
        Tissue.DURA: 60.0,
        Tissue.MUCOSA: 40.0,
        Tissue.GLAND: 50.0,
        Tissue.NEUROHYPOPHYSIS: 40.0,
        Tissue.TUMOUR: 33.0,
        Tissue.UNMYELINATED: 18.0,
    }
)


class Contrast(StrEnum):
    """What an image is weighted by."""

    T1 = "t1"
    """What the phantom is for: before and after gadolinium."""
    T2 = "t2"
    """Fast spin echo: fluid bright, white matter dark."""
    FLAIR = "flair"
    """The same with the fluid nulled by an inversion."""
    PROTON_DENSITY = "pd"
    """Spin echo of long repetition and short echo."""
    DIFFUSION = "dwi"
    """Spin-echo echo-planar imaging with and without diffusion weighting."""
    T2_STAR = "t2_star"
    """Gradient echo of small flip angle and long echo."""
    CT = "ct"
    """X-ray computed tomography, in a brain or a bone window."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The settings of one scan that is not T1.

    Parameters
    ----------
    contrast
        What it is weighted by.
    tr_ms, te_ms, ti_ms, flip_deg, b_s_per_mm2
        Repetition, echo and inversion time, flip angle, diffusion weighting; ``None`` where there is none.
    fat
        Factor on the signal of fat and marrow: suppressed, or brightened by a train of echoes.
    flow
        Factor on the signal of blood in vessels.
    window_hu
        Of CT: what is black and white, Hounsfield units.
    """

    contrast: Contrast
    tr_ms: float | None = None
    te_ms: float | None = None
    ti_ms: float | None = None
    flip_deg: float | None = None
    b_s_per_mm2: float | None = None
    fat: float = 1.0
    flow: float = 1.0
    window_hu: tuple[float, float] | None = None

    def level(self, region: Region, field_strength_t: float) -> float:
        """Return the signal of a voxel full of ``region``; of CT (HU + 1000) / 1000."""
        flow = self.flow if region in BLOOD_REGIONS else 1.0
        return sum(
            part * flow * self._tissue_level(tissue, RELAXATION[tissue, field_strength_t])
            for tissue, part in MAKEUP[region].tissues.items()
        )

    def _tissue_level(self, tissue: Tissue, relaxation: Relaxation) -> float:
        if self.contrast is Contrast.CT:
            return HOUNSFIELD[tissue] / HU_PER_UNIT + 1
        fat = self.fat if tissue in {Tissue.FAT, Tissue.MARROW} else 1.0
        return fat * self._signal(relaxation) * math.exp(-(self.b_s_per_mm2 or 0.0) * DIFFUSIVITY[tissue])

    def _signal(self, relaxation: Relaxation) -> float:
        if self.tr_ms is None or self.te_ms is None:
            raise ValueError(f"{self.contrast} needs tr_ms and te_ms; one of them is None")
        if self.ti_ms is not None:
            return inversion_recovery_spin_echo(
                relaxation, tr_ms=self.tr_ms, te_ms=self.te_ms, ti_ms=self.ti_ms
            )
        if self.flip_deg is not None:
            return spoiled_gradient_echo(
                relaxation, tr_ms=self.tr_ms, te_ms=self.te_ms, flip_deg=self.flip_deg
            )
        return spin_echo(relaxation, tr_ms=self.tr_ms, te_ms=self.te_ms)


@dataclass(frozen=True)
class OtherScan:
    """Slices of one subject in one other contrast.

    Parameters
    ----------
    protocol
        The settings.
    grid
        Where the voxels lie.
    pixels
        As they are shown, uint8 (slice, row, column).
    """

    protocol: Protocol
    grid: Grid
    pixels: NDArray[np.uint8]


def draw_protocol(contrast: Contrast, subject: Subject, field_strength_t: float) -> Protocol:
    """Return the settings that ``subject`` is scanned with for ``contrast``, always the same."""
    g = subject.generator(CONTRAST, list(Contrast).index(contrast))

    def draw(limits: tuple[float, float]) -> float:
        return float(g.uniform(*limits))

    is_suppressed = g.random() < SUPPRESSION
    fat, flow = draw(SUPPRESSED_FAT if is_suppressed else TRAIN_FAT), draw(FLOW_VOID)
    if contrast is Contrast.T2:
        return Protocol(contrast=contrast, tr_ms=draw(T2_TR_MS), te_ms=draw(T2_TE_MS), fat=fat, flow=flow)
    if contrast is Contrast.PROTON_DENSITY:
        tr, te = draw(DENSITY_TR_MS), draw(DENSITY_TE_MS)
        return Protocol(contrast=contrast, tr_ms=tr, te_ms=te, fat=fat, flow=flow)
    if contrast is Contrast.FLAIR:
        tr, te = draw(FLAIR_TR_MS), draw(FLAIR_TE_MS)
        null = find_null_ms(RELAXATION[Tissue.CSF, field_strength_t].t1_ms, tr_ms=tr, te_ms=te)
        ti = null * (1 + draw((-FLAIR_TI_OFF, FLAIR_TI_OFF)))
        return Protocol(contrast=contrast, tr_ms=tr, te_ms=te, ti_ms=ti, fat=fat, flow=flow)
    if contrast is Contrast.T2_STAR:
        flip = draw(STAR_FLIP_DEG)
        return Protocol(contrast=contrast, tr_ms=draw(STAR_TR_MS), te_ms=draw(STAR_TE_MS), flip_deg=flip)
    if contrast is Contrast.DIFFUSION:
        return Protocol(
            contrast=contrast,
            tr_ms=draw(DIFFUSION_TR_MS),
            te_ms=draw(DIFFUSION_TE_MS),
            b_s_per_mm2=float(g.choice(B_VALUES, p=B_CHANCES)),
            fat=draw(SUPPRESSED_FAT),  # echo-planar images always suppress it
            flow=flow,
        )
    if contrast is Contrast.CT:
        low, high = BONE_WINDOW_HU if g.random() < BONE_CHANCE else BRAIN_WINDOW_HU
        return Protocol(contrast=contrast, window_hu=(draw(low), draw(high)))
    raise ValueError(f"{contrast} is what `acquire` makes, with a phase")


def find_null_ms(t1_ms: float, *, tr_ms: float, te_ms: float) -> float:
    """Return the inversion time at which an inversion-recovery spin echo shows nothing of a tissue."""
    rest = 1 + 2 * math.exp(-(tr_ms - te_ms / 2) / t1_ms) - math.exp(-tr_ms / t1_ms)
    return t1_ms * math.log(2 / rest)


def scan_contrasts(
    head: Head, scanner: Scanner, grid: Grid, contrasts: Sequence[Contrast]
) -> list[OtherScan]:
    """Scan ``head`` once in each of ``contrasts``, none of them T1.

    Parameters
    ----------
    head
        Who lies in the scanner.
    scanner
        That of the T1 images; field strength, coil, slices and taste are taken from it.
    grid
        Where the voxels lie.
    contrasts
        In this order.
    """
    protocols = [draw_protocol(contrast, head.subject, scanner.field_strength_t) for contrast in contrasts]
    exposures = [_prepare(protocol, head.subject, scanner) for protocol in protocols]
    signals, _ = expose(head, grid, exposures)
    return [
        OtherScan(protocol, grid, np.stack([_show(slice_, protocol, scanner) for slice_ in signal]))
        for protocol, signal in zip(protocols, signals, strict=True)
    ]


def _prepare(protocol: Protocol, subject: Subject, scanner: Scanner) -> Exposure:
    """Return levels and noise of a scan; of MR full white matter is 1, as in the T1 images."""
    number = list(Contrast).index(protocol.contrast)
    g = subject.generator(CONTRAST, number, 1)
    levels = {region: protocol.level(region, scanner.field_strength_t) for region in Region}
    if protocol.contrast is Contrast.CT:
        noise, blur = float(g.uniform(*CT_NOISE_HU)), float(g.uniform(*CT_BLUR_PX))
        used = replace(
            scanner, coil=(0.0,) * len(scanner.coil), signal_to_noise=HU_PER_UNIT / noise, blur_px=blur
        )
    else:
        levels = _relative_to_white_matter(levels)
        blurs = DIFFUSION_BLUR_PX if protocol.contrast is Contrast.DIFFUSION else None
        used = replace(
            scanner,
            signal_to_noise=float(g.uniform(*OTHER_SIGNAL_TO_NOISE)),
            blur_px=float(g.uniform(*blurs)) if blurs else scanner.blur_px,
        )
    return Exposure(levels=levels, scanner=used, stream=FIRST_STREAM + number)


def _relative_to_white_matter(levels: Mapping[Region, float]) -> dict[Region, float]:
    unit = levels[Region.WHITE_MATTER]
    return {region: level / unit for region, level in levels.items()}


def _show(signal: NDArray[np.float32], protocol: Protocol, scanner: Scanner) -> NDArray[np.uint8]:
    if protocol.window_hu is None:
        return window(signal, scanner)
    low, high = (limit / HU_PER_UNIT + 1 for limit in protocol.window_hu)
    shown = np.clip((signal - np.float32(low)) * np.float32(255 / (high - low)), 0, 255)
    grey: NDArray[np.uint8] = (shown + np.float32(0.5)).astype(np.uint8)
    return grey
