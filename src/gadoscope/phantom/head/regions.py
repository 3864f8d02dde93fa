"""The anatomical regions of the phantom head: what each is made of, and what of it enhances."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from gadoscope.phantom.head.tissues import Tissue


class Region(IntEnum):
    """What a voxel is; the values are those of every region map."""

    AIR = 0
    SKIN = 1
    FAT = 2
    BONE = 3
    MARROW = 4
    DURA = 5
    CSF = 6
    CORTEX = 7
    WHITE_MATTER = 8
    CORPUS_CALLOSUM = 9
    FORNIX = 10
    THALAMUS = 11
    STRIATUM = 12
    PALLIDUM = 13
    HYPOTHALAMUS = 14
    BRAINSTEM = 15
    CEREBELLAR_CORTEX = 16
    CEREBELLAR_WHITE_MATTER = 17
    VENTRICLE = 18
    CHOROID_PLEXUS = 19
    ANTERIOR_PITUITARY = 20
    POSTERIOR_PITUITARY = 21
    PINEAL_GLAND = 22
    DURAL_SINUS = 23
    CAVERNOUS_SINUS = 24
    DEEP_VEIN = 25
    CORTICAL_VESSEL = 26
    ARTERY = 27
    MUCOSA = 28
    CARTILAGE = 29
    MUSCLE = 30
    TONGUE = 31
    SPINAL_CORD = 32
    DISC = 33
    VITREOUS = 34
    LENS = 35
    OPTIC_NERVE = 36
    EXTRAOCULAR_MUSCLE = 37
    GLAND = 38
    LESION_SOLID = 39
    LESION_RIM = 40
    LESION_CORE = 41
    LESION_NON_ENHANCING = 42
    OEDEMA = 43
    FATTY_MARROW = 44
    RED_MARROW = 45
    UNMYELINATED_WHITE_MATTER = 46


@dataclass(frozen=True)
class Makeup:
    """What a region holds.

    Parameters
    ----------
    tissues
        Parts that add up to 1; their signals add.
    blood_volume
        Part of the region that is blood, 0 to 1: where the agent flows even behind an intact barrier.
    leakage_volume
        Part of the region, outside vessels and cells, that the agent leaks into; 0 behind an intact
        blood-brain barrier.
    """

    tissues: MappingProxyType[Tissue, float]
    blood_volume: float = 0.0
    leakage_volume: float = 0.0

    @property
    def enhances(self) -> bool:
        """Whether the agent reaches any of it."""
        return self.blood_volume > 0 or self.leakage_volume > 0


def _of(tissues: Tissue | dict[Tissue, float], blood: float = 0.0, leakage: float = 0.0) -> Makeup:
    parts = {tissues: 1.0} if isinstance(tissues, Tissue) else tissues
    return Makeup(MappingProxyType(parts), blood, leakage)


# Blood volumes of grey and white matter: Leenders KL et al. Brain 1990;113:27-47 (positron emission
# tomography: 5.2 and 2.7 ml per 100 ml, large vessels included; the smaller ones taken here leave those
# out). Leakage of muscle: Tofts PS et al. J Magn Reson Imaging 1999;10:223-232 (extracellular space
# about a tenth). Every other figure, and every mixture of grey and white matter for a nucleus, is an
# estimate that makes the region look as it does in practice.
_GREY, _WHITE = Tissue.GREY_MATTER, Tissue.WHITE_MATTER
_GREY_BLOOD, _WHITE_BLOOD = 0.035, 0.02

MAKEUP: MappingProxyType[Region, Makeup] = MappingProxyType(
    {
        Region.AIR: _of(Tissue.AIR),
        Region.SKIN: _of(Tissue.SKIN, 0.03, 0.10),
        Region.FAT: _of({Tissue.FAT: 0.93, Tissue.SKIN: 0.07}, 0.01, 0.01),
        Region.BONE: _of(Tissue.BONE),
        Region.MARROW: _of({Tissue.MARROW: 0.85, Tissue.BONE: 0.15}, 0.03, 0.03),
        Region.DURA: _of(Tissue.DURA, 0.10, 0.30),
        Region.CSF: _of(Tissue.CSF),
        Region.CORTEX: _of(_GREY, _GREY_BLOOD),
        Region.WHITE_MATTER: _of(_WHITE, _WHITE_BLOOD),
        Region.CORPUS_CALLOSUM: _of(_WHITE, _WHITE_BLOOD),
        Region.FORNIX: _of({_WHITE: 0.85, _GREY: 0.15}, _WHITE_BLOOD),
        Region.THALAMUS: _of({_GREY: 0.5, _WHITE: 0.5}, _GREY_BLOOD),
        Region.STRIATUM: _of({_GREY: 0.8, _WHITE: 0.2}, _GREY_BLOOD),
        Region.PALLIDUM: _of({_GREY: 0.3, _WHITE: 0.7}, _GREY_BLOOD),
        Region.HYPOTHALAMUS: _of({_GREY: 0.7, _WHITE: 0.3}, _GREY_BLOOD),
        Region.BRAINSTEM: _of({_GREY: 0.25, _WHITE: 0.75}, _WHITE_BLOOD),
        Region.CEREBELLAR_CORTEX: _of({_GREY: 0.95, _WHITE: 0.05}, _GREY_BLOOD),
        Region.CEREBELLAR_WHITE_MATTER: _of(_WHITE, _WHITE_BLOOD),
        Region.VENTRICLE: _of(Tissue.CSF),
        Region.CHOROID_PLEXUS: _of({Tissue.GLAND: 0.7, Tissue.CSF: 0.3}, 0.20, 0.40),
        Region.ANTERIOR_PITUITARY: _of(Tissue.GLAND, 0.18, 0.35),
        Region.POSTERIOR_PITUITARY: _of(Tissue.NEUROHYPOPHYSIS, 0.15, 0.30),
        Region.PINEAL_GLAND: _of(Tissue.GLAND, 0.12, 0.30),
        Region.DURAL_SINUS: _of(Tissue.BLOOD, 1.0),
        Region.CAVERNOUS_SINUS: _of({Tissue.BLOOD: 0.7, Tissue.MUSCLE: 0.3}, 0.7),
        Region.DEEP_VEIN: _of(Tissue.BLOOD, 1.0),
        Region.CORTICAL_VESSEL: _of(Tissue.BLOOD, 1.0),
        Region.ARTERY: _of(Tissue.BLOOD, 1.0),
        Region.MUCOSA: _of(Tissue.MUCOSA, 0.15, 0.40),
        Region.CARTILAGE: _of({Tissue.MUCOSA: 0.6, Tissue.BONE: 0.4}, 0.05, 0.15),
        Region.MUSCLE: _of({Tissue.MUSCLE: 0.92, Tissue.FAT: 0.08}, 0.02, 0.10),
        Region.TONGUE: _of({Tissue.MUSCLE: 0.84, Tissue.FAT: 0.16}, 0.04, 0.10),
        Region.SPINAL_CORD: _of({_GREY: 0.2, _WHITE: 0.8}, _WHITE_BLOOD),
        Region.DISC: _of({Tissue.MUSCLE: 0.6, Tissue.BONE: 0.4}),
        Region.VITREOUS: _of(Tissue.CSF),
        Region.LENS: _of({Tissue.MUSCLE: 0.7, Tissue.BONE: 0.3}),
        Region.OPTIC_NERVE: _of(_WHITE, _WHITE_BLOOD),
        Region.EXTRAOCULAR_MUSCLE: _of(Tissue.MUSCLE, 0.08, 0.30),
        Region.GLAND: _of({Tissue.GLAND: 0.7, Tissue.FAT: 0.3}, 0.06, 0.20),
        Region.LESION_SOLID: _of(Tissue.TUMOUR, 0.10, 0.40),
        Region.LESION_RIM: _of(Tissue.TUMOUR, 0.10, 0.45),
        Region.LESION_CORE: _of({Tissue.TUMOUR: 0.3, Tissue.CSF: 0.7}),
        Region.LESION_NON_ENHANCING: _of({Tissue.TUMOUR: 0.8, Tissue.CSF: 0.2}, _WHITE_BLOOD),
        Region.OEDEMA: _of({_WHITE: 0.6, Tissue.CSF: 0.4}, _WHITE_BLOOD),
        Region.FATTY_MARROW: _of({Tissue.FAT: 0.93, Tissue.BONE: 0.07}, 0.01, 0.01),
        Region.RED_MARROW: _of({Tissue.MUSCLE: 0.6, Tissue.MARROW: 0.2, Tissue.BONE: 0.2}, 0.06, 0.08),
        Region.UNMYELINATED_WHITE_MATTER: _of(Tissue.UNMYELINATED, _WHITE_BLOOD),
    }
)

INTACT_BARRIER = frozenset(
    {
        Region.CORTEX,
        Region.WHITE_MATTER,
        Region.CORPUS_CALLOSUM,
        Region.FORNIX,
        Region.THALAMUS,
        Region.STRIATUM,
        Region.PALLIDUM,
        Region.HYPOTHALAMUS,
        Region.BRAINSTEM,
        Region.CEREBELLAR_CORTEX,
        Region.CEREBELLAR_WHITE_MATTER,
        Region.SPINAL_CORD,
        Region.OPTIC_NERVE,
        Region.LESION_NON_ENHANCING,
        Region.OEDEMA,
        Region.UNMYELINATED_WHITE_MATTER,
    }
)
"""Where the agent stays in the vessels: the brain enhances by its small blood volume alone."""

BLOOD_REGIONS = frozenset({Region.DURAL_SINUS, Region.DEEP_VEIN, Region.CORTICAL_VESSEL, Region.ARTERY})
"""Vessels wide enough to be seen as such; their blood flows."""
