"""T1, T2, T2* and proton density of the head's tissues at 1.5 T and 3 T, each number with its source.

Sources
-------
Wright 2008
    Wright PJ et al. Water proton T1 measurements in brain tissue at 7, 3, and 1.5 T. MAGMA
    2008;21:121-130 (in vivo, MPRAGE values).
Stanisz 2005
    Stanisz GJ et al. T1, T2 relaxation and magnetization transfer in tissue at 3 T. Magn Reson Med
    2005;54:507-512.
de Bazelaire 2004
    de Bazelaire CMJ et al. MR imaging relaxation times of abdominal and pelvic tissues measured in vivo
    at 3.0 T. Radiology 2004;230:652-659 (1.5 T in the same table).
Wansapura 1999
    Wansapura JP et al. NMR relaxation times in the human brain at 3.0 tesla. J Magn Reson Imaging
    1999;9:531-538.
Rooney 2007
    Rooney WD et al. Magnetic field and tissue dependencies of human brain longitudinal 1H2O relaxation
    in vivo. Magn Reson Med 2007;57:308-318 (cerebrospinal fluid: independent of field).
Gach 2008
    Gach HM, Tanase C, Boada F. 2D & 3D Shepp-Logan phantom standards for MRI. ICSEng 2008:521-526
    (T1 as a power of the field; proton densities).
BrainWeb
    Collins DL et al. Design and construction of a realistic digital brain phantom. IEEE Trans Med
    Imaging 1998;17:463-468, with its table of tissue MR parameters at 1.5 T.
Reichert 2005
    Reichert ILH et al. Magnetic resonance imaging of cortical bone with ultrashort TE pulse sequences.
    Magn Reson Imaging 2005;23:611-618.
estimate
    No measurement was found or taken: a value that makes the tissue look as it does in practice.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

FIELD_STRENGTHS_T = (1.5, 3.0)
"""The fields that the table covers."""


class Tissue(IntEnum):
    """What a region is made of, as far as its signal goes."""

    AIR = 0
    WHITE_MATTER = 1
    GREY_MATTER = 2
    CSF = 3
    BLOOD = 4
    FAT = 5
    MARROW = 6
    MUSCLE = 7
    BONE = 8
    SKIN = 9
    DURA = 10
    MUCOSA = 11
    GLAND = 12
    NEUROHYPOPHYSIS = 13
    TUMOUR = 14
    UNMYELINATED = 15


@dataclass(frozen=True)
class Relaxation:
    """Relaxation of one tissue at one field.

    Parameters
    ----------
    t1_ms, t2_ms, t2_star_ms
        Longitudinal, transverse, and transverse with the field's unevenness, milliseconds.
    proton_density
        Relative to water at 37 C, 0 to 1.
    """

    t1_ms: float
    t2_ms: float
    t2_star_ms: float
    proton_density: float


# Air gives no signal; its times only keep the equations finite.
_AIR = Relaxation(1.0, 1.0, 1.0, 0.0)

RELAXATION: MappingProxyType[tuple[Tissue, float], Relaxation] = MappingProxyType(
    {
        (Tissue.AIR, 1.5): _AIR,
        (Tissue.AIR, 3.0): _AIR,
        # T1 Wright 2008; T2 Stanisz 2005; T2* BrainWeb (1.5 T), Wansapura 1999 (3 T); density Gach 2008
        (Tissue.WHITE_MATTER, 1.5): Relaxation(646.0, 72.0, 61.0, 0.617),
        (Tissue.WHITE_MATTER, 3.0): Relaxation(838.0, 69.0, 44.7, 0.617),
        # T1 Wright 2008; T2 Stanisz 2005; T2* BrainWeb (1.5 T), Wansapura 1999 (3 T); density Gach 2008
        (Tissue.GREY_MATTER, 1.5): Relaxation(1197.0, 95.0, 69.0, 0.745),
        (Tissue.GREY_MATTER, 3.0): Relaxation(1607.0, 99.0, 51.8, 0.745),
        # T1 Rooney 2007; T2 and density Gach 2008; T2* estimate (far longer than any echo time here)
        (Tissue.CSF, 1.5): Relaxation(4300.0, 1990.0, 500.0, 0.98),
        (Tissue.CSF, 3.0): Relaxation(4300.0, 1990.0, 300.0, 0.98),
        # T1, T2 Stanisz 2005; T2* estimate for venous blood; density estimate from its water content
        (Tissue.BLOOD, 1.5): Relaxation(1441.0, 290.0, 60.0, 0.85),
        (Tissue.BLOOD, 3.0): Relaxation(1932.0, 275.0, 25.0, 0.85),
        # T1, T2 de Bazelaire 2004 (subcutaneous fat); T2* BrainWeb at 1.5 T, estimate at 3 T;
        # density: Gach 2008 gives 0.8 for scalp as a whole, BrainWeb 1.0 for fat; between them
        (Tissue.FAT, 1.5): Relaxation(343.0, 58.0, 50.0, 0.9),
        (Tissue.FAT, 3.0): Relaxation(382.0, 68.0, 40.0, 0.9),
        # T1, T2 de Bazelaire 2004 (vertebral marrow); T2* and density estimates: bone spicules cost both
        (Tissue.MARROW, 1.5): Relaxation(549.0, 49.0, 14.0, 0.7),
        (Tissue.MARROW, 3.0): Relaxation(586.0, 49.0, 8.0, 0.7),
        # T1, T2 Stanisz 2005; T2* BrainWeb (1.5 T), estimate (3 T); density estimate from water content
        (Tissue.MUSCLE, 1.5): Relaxation(1008.0, 44.0, 30.0, 0.75),
        (Tissue.MUSCLE, 3.0): Relaxation(1412.0, 50.0, 25.0, 0.75),
        # T1 and T2* Reichert 2005 (cortical bone, 1.5 T: 140-260 ms and 0.42-0.50 ms), taken for both
        # fields; T2 as T2*; density: estimate from its water content
        (Tissue.BONE, 1.5): Relaxation(200.0, 0.46, 0.46, 0.2),
        (Tissue.BONE, 3.0): Relaxation(200.0, 0.46, 0.46, 0.2),
        # estimate: dermis, much bound water
        (Tissue.SKIN, 1.5): Relaxation(870.0, 28.0, 20.0, 0.6),
        (Tissue.SKIN, 3.0): Relaxation(1050.0, 28.0, 18.0, 0.6),
        # estimate: dense collagen, dark before contrast
        (Tissue.DURA, 1.5): Relaxation(900.0, 16.0, 10.0, 0.5),
        (Tissue.DURA, 3.0): Relaxation(1100.0, 16.0, 8.0, 0.5),
        # estimate: a wet tissue a little brighter than muscle
        (Tissue.MUCOSA, 1.5): Relaxation(1000.0, 85.0, 45.0, 0.8),
        (Tissue.MUCOSA, 3.0): Relaxation(1300.0, 85.0, 35.0, 0.8),
        # estimate: anterior pituitary, choroid plexus and pineal gland are close to grey matter on T1
        (Tissue.GLAND, 1.5): Relaxation(950.0, 90.0, 60.0, 0.75),
        (Tissue.GLAND, 3.0): Relaxation(1250.0, 90.0, 45.0, 0.75),
        # estimate: the posterior pituitary's bright spot
        (Tissue.NEUROHYPOPHYSIS, 1.5): Relaxation(330.0, 80.0, 50.0, 0.75),
        (Tissue.NEUROHYPOPHYSIS, 3.0): Relaxation(400.0, 80.0, 40.0, 0.75),
        # T1 (0.926 B^0.217 s), T2 and density Gach 2008; T2* estimate
        (Tissue.TUMOUR, 1.5): Relaxation(1011.0, 100.0, 60.0, 0.95),
        (Tissue.TUMOUR, 3.0): Relaxation(1175.0, 100.0, 50.0, 0.95),
        # estimate: a newborn's white matter holds so much water that on T1 it is darker than cortex
        (Tissue.UNMYELINATED, 1.5): Relaxation(1900.0, 180.0, 120.0, 0.88),
        (Tissue.UNMYELINATED, 3.0): Relaxation(2500.0, 170.0, 90.0, 0.88),
    }
)
"""Relaxation by tissue and field strength in tesla."""
