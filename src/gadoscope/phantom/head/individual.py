"""One person: the numbers that were drawn for a subject, and the noise that shapes what numbers cannot."""

from __future__ import annotations

from gadoscope.phantom.head.noise import Noise
from gadoscope.phantom.head.subject import FOLDS, Subject

# Wavelengths, mm: gyri stand some 12 mm apart (half of it), small sulci and vessels closer; the slow
# field makes depths and thicknesses differ from place to place, the strands are those of muscle and marrow.
FOLD_MM, SMALL_FOLD_MM, SLOW_MM, STRAND_MM = 22.0, 15.0, 60.0, 11.0


class Individual:
    """What the painters of the anatomy know of a subject: every head has its own gyri and vessels.

    Parameters
    ----------
    subject
        Whose head it is; its seed draws the noise.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        generator = subject.generator(FOLDS)
        self.folds = Noise(FOLD_MM, generator, as_sheets=True)
        self.small_folds = Noise(SMALL_FOLD_MM, generator, as_sheets=True)
        self.slow = Noise(SLOW_MM, generator)
        self.strands = Noise(STRAND_MM, generator)
