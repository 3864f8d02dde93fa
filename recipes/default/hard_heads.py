"""Phantom slices of what a default model gets wrong before contrast, the same heads before and after it.

Bright marrow of the skull base, bright fat of orbits and cheeks, huge ventricles and infants, over the whole
head and in small fields of view. Brightness says nothing there: every head is drawn in both phases, and as
T2, FLAIR and proton density too, so that the gate does not take what is odd for T1.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from gadoscope.labels import Label, Plane
from gadoscope.parallel import count_jobs
from gadoscope.phantom.forms.cohort import Cohort
from gadoscope.phantom.forms.write import Form, write_cohort
from gadoscope.phantom.physics.contrasts import Contrast
from gadoscope.preparation.items import Item
from gadoscope.preparation.manifest import read_manifest

HARD_SOURCE: Final = "phantom-hard"
HARD_OTHER_SOURCE: Final = f"{HARD_SOURCE}-other"
CONTRASTS: Final = (Contrast.T1, Contrast.T2, Contrast.FLAIR, Contrast.PROTON_DENSITY)
HARD_SEED: Final = 6101
"""Of the first cohort; no benchmark and no other cohort of the recipe has it or the next five."""
PLANES: Final = (Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL)
WHOLE_HEADS, CLOSE_HEADS = 24, 16
"""Of each plane: the whole head, and the skull base in a small field of view."""
HARD_SLICES = 6
LESIONS = 0.5
FAT_GAIN = (0.4, 3.0)
"""Fat and marrow from dimmer than white matter to saturating, the same before and after contrast."""
MARROW = FACIAL_FAT = (0.3, 1.0)
"""From a little to all of it: below, heads are those of the other phantoms."""
HYDROCEPHALUS, INFANTS = 0.3, 0.45
WHOLE_EXTENT_MM: Final = {
    Plane.SAGITTAL: (-60.0, 60.0),
    Plane.AXIAL: (-32.0, 76.0),
    Plane.CORONAL: (-84.0, 66.0),
}
"""From temple to temple, from the jaw to the vertex, from the orbits to the occiput."""
CLOSE_EXTENT_MM: Final = {
    Plane.SAGITTAL: (-45.0, 45.0),
    Plane.AXIAL: (-36.0, 14.0),
    Plane.CORONAL: (-84.0, 14.0),
}
"""Orbits, pituitary and petrous bones."""
CLOSE_FIELD_MM, CLOSE_SLICE_MM, CLOSE_INFANTS = (150.0, 210.0), (2.0, 5.0), 0.25


def make_hard(folder: Path, *, thin: int = 1) -> list[Item]:
    """Write slices of heads that are hard in all planes and phases and return their rows, in no split yet."""
    items = []
    for name, cohort in list_cohorts(thin=thin):
        write_cohort(cohort, folder / name, form=Form.PNG, contrasts=CONTRASTS, jobs=count_jobs(0))
        for item in read_manifest(folder / name).items:
            subject = f"hard-{name}-{item.subject_id}"
            source = HARD_OTHER_SOURCE if item.label is Label.OTHER else HARD_SOURCE
            items.append(replace(item, subject_id=subject, source=source, split=None))
    return items


def list_cohorts(*, seed: int = HARD_SEED, thin: int = 1) -> Iterator[tuple[str, Cohort]]:
    """Yield the name of each cohort and whom it holds: one of whole heads and a close one of each plane."""
    for number, plane in enumerate(PLANES):
        whole = Cohort(
            subjects=WHOLE_HEADS // thin,
            seed=seed + 2 * number,
            slices=HARD_SLICES,
            plane=plane,
            lesions=LESIONS,
            fat_gain=FAT_GAIN,
            marrow=MARROW,
            facial_fat=FACIAL_FAT,
            hydrocephalus=HYDROCEPHALUS,
            infants=INFANTS,
            extent_mm=WHOLE_EXTENT_MM[plane],
            paired=True,
        )
        yield f"{plane}-whole", whole
        close = replace(
            whole,
            subjects=CLOSE_HEADS // thin,
            seed=whole.seed + 1,
            hydrocephalus=0.0,
            infants=CLOSE_INFANTS,
            field_of_view_mm=CLOSE_FIELD_MM,
            slice_mm=CLOSE_SLICE_MM,
            extent_mm=CLOSE_EXTENT_MM[plane],
        )
        yield f"{plane}-close", close
