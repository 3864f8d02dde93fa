"""Heads that an ordinary cohort lacks: fatty marrow, a fat face, huge ventricles, infants.

Each is drawn from a stream of its own, so that asking for one moves nothing else of a subject. What a head is
does not depend on the phase: it is the same before and after the injection.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gadoscope.phantom.head.subject import FACIAL_FAT, HYDROCEPHALUS, INFANCY, MARROW, Subject

# Of the widest ventricles; a narrower one is rather called a large ventricle.
LEAST_HYDROCEPHALUS = 0.35
# From a year old, when grey and white matter look alike, to newborn.
LEAST_INFANCY = 0.35
# What a full hydrocephalus and a newborn make of an adult head.
HYDROCEPHALIC_GROWTH, HYDROCEPHALIC_SULCUS = 0.08, 0.25
NEWBORN_SCALE, NEWBORN_WIDTH = 0.70, 1.05
NEWBORN_SKULL_MM, NEWBORN_SCALP_FAT_MM, NEWBORN_SULCUS_MM = 2.2, 2.8, 0.4
# Shifts of the places of ``FEATURES`` in a newborn: a short nose, a receding chin, a round brow.
NEWBORN_FEATURES_MM = (-8.0, -2.0, -10.0, 3.0, 1.0, 0.0, -6.0)


@dataclass(frozen=True, kw_only=True)
class Variety:
    """What heads a cohort draws; by default none but ordinary ones.

    Parameters
    ----------
    marrow, facial_fat
        From where to where each is drawn, 0 to 1: how far marrow has turned into fat, and how much fat lies
        in the orbits, the cheeks and between the muscles of the jaw.
    hydrocephalus, infants
        Chance that a head has huge ventricles, and that it is an infant's.
    """

    marrow: tuple[float, float] = (0.0, 0.0)
    facial_fat: tuple[float, float] = (0.0, 0.0)
    hydrocephalus: float = 0.0
    infants: float = 0.0


def vary(subject: Subject, variety: Variety) -> Subject:
    """Return ``subject`` as one of a cohort of this variety, always the same."""
    subject = replace(
        subject,
        marrow=float(subject.generator(MARROW).uniform(*variety.marrow)),
        facial_fat=float(subject.generator(FACIAL_FAT).uniform(*variety.facial_fat)),
    )
    subject = _widen(subject, _draw(subject, HYDROCEPHALUS, variety.hydrocephalus, LEAST_HYDROCEPHALUS))
    return _rejuvenate(subject, _draw(subject, INFANCY, variety.infants, LEAST_INFANCY))


def _draw(subject: Subject, stream: int, chance: float, least: float) -> float:
    generator = subject.generator(stream)
    is_met, degree = generator.random() < chance, float(generator.uniform(least, 1.0))
    return degree if is_met else 0.0


def _widen(subject: Subject, hydrocephalus: float) -> Subject:
    """Give a head huge ventricles: it has grown with them, and its sulci are pressed shut."""
    if not hydrocephalus:
        return subject
    x, y, z = (axis * (1 + HYDROCEPHALIC_GROWTH * hydrocephalus) for axis in subject.scale)
    return replace(
        subject,
        hydrocephalus=hydrocephalus,
        scale=(x, y, z),
        sulcus_mm=_between(subject.sulcus_mm, HYDROCEPHALIC_SULCUS, hydrocephalus),
    )


def _rejuvenate(subject: Subject, infancy: float) -> Subject:
    """Make a head an infant's: small and round, with a thin skull, little fat and a small face."""
    if not infancy:
        return subject
    smaller = _between(1.0, NEWBORN_SCALE, infancy)
    x, y, z = (axis * smaller for axis in subject.scale)
    shifts = zip(subject.features, NEWBORN_FEATURES_MM, strict=True)
    return replace(
        subject,
        infancy=infancy,
        marrow=subject.marrow * (1 - infancy),
        scale=(x * _between(1.0, NEWBORN_WIDTH, infancy), y, z),
        features=tuple(shift + infancy * newborn for shift, newborn in shifts),
        skull_mm=_between(subject.skull_mm, NEWBORN_SKULL_MM, infancy),
        scalp_fat_mm=_between(subject.scalp_fat_mm, NEWBORN_SCALP_FAT_MM, infancy),
        sulcus_mm=_between(subject.sulcus_mm, NEWBORN_SULCUS_MM, infancy),
    )


def _between(here: float, there: float, part: float) -> float:
    return here + (there - here) * part
