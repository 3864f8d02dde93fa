"""Signal equations, and what gadolinium does to relaxation.

Magnitudes per unit of proton density and coil sensitivity; all times in milliseconds.

References
----------
.. [1] Bernstein MA, King KF, Zhou XJ. Handbook of MRI Pulse Sequences. Elsevier 2004, ch. 14.
.. [2] Ernst RR, Anderson WA. Rev Sci Instrum 1966;37:93-102.
.. [3] Mugler JP, Brookeman JR. Magn Reson Med 1990;15:152-157 (MPRAGE).
.. [4] Deichmann R et al. NeuroImage 2000;12:112-127 (its steady state).
.. [5] Rohrer M et al. Invest Radiol 2005;40:715-724 (relaxivities in plasma at 37 C).
.. [6] Weinmann HJ et al. Physiol Chem Phys Med NMR 1984;16:167-172, as fitted by Tofts PS,
   Kermode AG. Magn Reson Med 1991;17:357-367 (plasma concentration after a dose).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

from gadoscope.phantom.head.regions import BLOOD_REGIONS, MAKEUP, Makeup, Region
from gadoscope.phantom.head.tissues import RELAXATION, Relaxation

# Tofts and Kermode 1991: plasma concentration per dose = sum of amplitude * exp(-rate * minutes).
PLASMA_AMPLITUDES_KG_PER_L = (3.99, 4.78)
PLASMA_RATES_PER_MIN = (0.144, 0.0111)
# The agent stays out of red cells; 0.42 is a usual haematocrit of an adult.
HAEMATOCRIT = 0.42
MS_PER_S = 1000.0

# Longitudinal magnetisation m becomes slope * m + offset: every step of a sequence is such a pair.
_Step: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Agent:
    """A gadolinium agent.

    Parameters
    ----------
    name
        Generic name.
    brand
        As scanner operators type it.
    r1, r2
        Relaxivities in plasma at 37 C by field in tesla, L / (mmol s) [5]_.
    """

    name: str
    brand: str
    r1: MappingProxyType[float, float]
    r2: MappingProxyType[float, float]


AGENTS = (
    Agent(
        "gadopentetate dimeglumine",
        "Magnevist",
        MappingProxyType({1.5: 4.1, 3.0: 3.7}),
        MappingProxyType({1.5: 4.6, 3.0: 5.2}),
    ),
    Agent(
        "gadobutrol",
        "Gadavist",
        MappingProxyType({1.5: 5.2, 3.0: 5.0}),
        MappingProxyType({1.5: 6.1, 3.0: 7.1}),
    ),
    Agent(
        "gadoterate meglumine",
        "Dotarem",
        MappingProxyType({1.5: 3.6, 3.0: 3.5}),
        MappingProxyType({1.5: 4.3, 3.0: 4.9}),
    ),
)
"""Rohrer 2005, table for plasma."""


@dataclass(frozen=True, kw_only=True)
class Injection:
    """One dose, and when the image was taken after it.

    Parameters
    ----------
    agent
        What was given.
    dose_mmol_per_kg
        Usually 0.1.
    delay_min
        From injection to the middle of the acquisition.
    leakage
        How far leaky tissue has come towards the concentration in plasma, 0 to 1: differs between people.
    """

    agent: Agent
    dose_mmol_per_kg: float = 0.1
    delay_min: float = 5.0
    leakage: float = 1.0

    @property
    def plasma_mmol_per_l(self) -> float:
        """Return the concentration in plasma [6]_."""
        pairs = zip(PLASMA_AMPLITUDES_KG_PER_L, PLASMA_RATES_PER_MIN, strict=True)
        return self.dose_mmol_per_kg * sum(a * math.exp(-rate * self.delay_min) for a, rate in pairs)

    def tissue_mmol_per_l(self, makeup: Makeup) -> float:
        """Return the mean concentration in a region: its blood's plasma and its leaky space."""
        blood = makeup.blood_volume * (1 - HAEMATOCRIT)
        return self.plasma_mmol_per_l * (blood + makeup.leakage_volume * self.leakage)


def spin_echo(tissue: Relaxation, *, tr_ms: float, te_ms: float) -> float:
    """Return the spin-echo signal: 90 and 180 degree pulses, repeated every ``tr_ms`` [1]_."""
    recovery = 1 - 2 * math.exp(-(tr_ms - te_ms / 2) / tissue.t1_ms) + math.exp(-tr_ms / tissue.t1_ms)
    return tissue.proton_density * recovery * math.exp(-te_ms / tissue.t2_ms)


def inversion_recovery_spin_echo(tissue: Relaxation, *, tr_ms: float, te_ms: float, ti_ms: float) -> float:
    """Return the magnitude of a spin echo that an inversion precedes by ``ti_ms`` [1]_.

    In the periodic steady state; ``tr_ms`` is from inversion to inversion.
    """
    t1 = tissue.t1_ms
    after = 2 * math.exp(-(tr_ms - te_ms / 2) / t1) - math.exp(-tr_ms / t1)
    recovery = 1 - 2 * math.exp(-ti_ms / t1) + after
    return tissue.proton_density * abs(recovery) * math.exp(-te_ms / tissue.t2_ms)


def spoiled_gradient_echo(tissue: Relaxation, *, tr_ms: float, te_ms: float, flip_deg: float) -> float:
    """Return the spoiled-gradient-echo signal in the steady state [2]_."""
    e1, flip = math.exp(-tr_ms / tissue.t1_ms), math.radians(flip_deg)
    steady = math.sin(flip) * (1 - e1) / (1 - math.cos(flip) * e1)
    return tissue.proton_density * steady * math.exp(-te_ms / tissue.t2_star_ms)


def inversion_prepared_gradient_echo(
    tissue: Relaxation,
    *,
    tr_ms: float,
    te_ms: float,
    ti_ms: float,
    flip_deg: float,
    echo_spacing_ms: float,
    echoes: int,
) -> float:
    """Return the MPRAGE signal at the centre of k-space, in the periodic steady state [3]_ [4]_.

    A perfect inversion, a wait, ``echoes`` pulses of ``flip_deg`` every ``echo_spacing_ms`` whose middle
    one comes ``ti_ms`` after the inversion, and free recovery until ``tr_ms``. Transverse magnetisation is
    spoiled before each pulse, so only the longitudinal part needs following; each step maps it by
    ``m -> slope * m + offset``.

    Raises
    ------
    ValueError
        If the train does not fit into the repetition.
    """
    middle = echoes // 2
    wait = ti_ms - middle * echo_spacing_ms
    rest = tr_ms - wait - echoes * echo_spacing_ms
    if wait < 0 or rest < 0:
        raise ValueError(
            f"{echoes} echoes every {echo_spacing_ms} ms do not fit: ti_ms = {ti_ms}, tr_ms = {tr_ms}; "
            "lengthen them or shorten the train"
        )
    inversion = (-1.0, 0.0)
    to_train = _then(inversion, _recovery(wait, tissue.t1_ms))
    cosine = math.cos(math.radians(flip_deg))
    pulse = _then((cosine, 0.0), _recovery(echo_spacing_ms, tissue.t1_ms))
    to_middle = _then(to_train, _repeated(pulse, middle))
    after = _then(_repeated(pulse, echoes - middle), _recovery(rest, tissue.t1_ms))
    slope, offset = _then(to_middle, after)
    steady = offset / (1 - slope)
    at_middle = to_middle[0] * steady + to_middle[1]
    transverse = abs(at_middle) * math.sin(math.radians(flip_deg))
    return tissue.proton_density * transverse * math.exp(-te_ms / tissue.t2_star_ms)


def with_gadolinium(tissue: Relaxation, concentration: float, *, r1: float, r2: float) -> Relaxation:
    """Return the tissue's relaxation with the agent in it.

    Rates add: ``1 / T1 + r1 c``, ``1 / T2 + r2 c``; the same r2 c is added to 1 / T2*.

    Parameters
    ----------
    tissue
        Without the agent.
    concentration
        Millimoles per litre of tissue.
    r1, r2
        Relaxivities, L / (mmol s).
    """
    if concentration == 0:
        return tissue
    more_r1, more_r2 = r1 * concentration / MS_PER_S, r2 * concentration / MS_PER_S
    return replace(
        tissue,
        t1_ms=1 / (1 / tissue.t1_ms + more_r1),
        t2_ms=1 / (1 / tissue.t2_ms + more_r2),
        t2_star_ms=1 / (1 / tissue.t2_star_ms + more_r2),
    )


def with_inflow(tissue: Relaxation, inflow_per_s: float) -> Relaxation:
    """Return the relaxation of flowing blood: fresh spins recover it as a shorter T1 would.

    References
    ----------
    Detre JA et al. Perfusion imaging. Magn Reson Med 1992;23:37-45: 1 / T1' = 1 / T1 + flow / volume.
    """
    return replace(tissue, t1_ms=1 / (1 / tissue.t1_ms + inflow_per_s / MS_PER_S))


def region_relaxations(
    region: Region, field_strength_t: float, injection: Injection | None, inflow_per_s: float
) -> list[tuple[float, Relaxation]]:
    """Return what a region's signal adds up from: (part, relaxation) per tissue."""
    makeup = MAKEUP[region]
    concentration = 0.0 if injection is None else injection.tissue_mmol_per_l(makeup)
    parts = []
    for tissue, part in makeup.tissues.items():
        relaxation = RELAXATION[tissue, field_strength_t]
        if region in BLOOD_REGIONS:
            relaxation = with_inflow(relaxation, inflow_per_s)
        if injection is not None:
            agent = injection.agent
            relaxation = with_gadolinium(
                relaxation, concentration, r1=agent.r1[field_strength_t], r2=agent.r2[field_strength_t]
            )
        parts.append((part, relaxation))
    return parts


def _then(first: _Step, second: _Step) -> _Step:
    return second[0] * first[0], second[0] * first[1] + second[1]


def _recovery(time_ms: float, t1_ms: float) -> _Step:
    left = math.exp(-time_ms / t1_ms)
    return left, 1 - left


def _repeated(step: _Step, times: int) -> _Step:
    slope, offset = step
    if slope == 1:
        return 1.0, offset * times
    power = slope**times
    return power, offset * (1 - power) / (1 - slope)
