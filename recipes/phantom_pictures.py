"""The phantom slices that `gadoscope explain` shows beside a scan: before and after contrast, three planes.

    python -m recipes.phantom_pictures

Made once; the files travel with the package, for to make a head takes longer than to explain a scan.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from gadoscope.labels import Label, Plane
from gadoscope.phantom.forms.cohort import LABEL, Cohort, scan
from gadoscope.phantom.physics.acquire import window

FOLDER = Path(__file__).parents[1] / "src" / "gadoscope" / "classification" / "phantoms"
SEED, MATRIX, QUALITY = 4, 240, 80


def main() -> None:
    """Make and write them."""
    FOLDER.mkdir(exist_ok=True)
    for plane in (Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL):
        for label, image in draw_pair(plane).items():
            image.save(FOLDER / f"{plane.value}-{label.value}.webp", quality=QUALITY)


def draw_pair(plane: Plane) -> dict[Label, Image.Image]:
    """Return the same slice of a head before and after contrast."""
    cohort = Cohort(subjects=1, seed=SEED, slices=1, matrix=MATRIX, plane=plane, lesions=0, brain=True)
    scanned = scan(cohort, 1)
    return {
        LABEL[one.phase]: Image.fromarray(np.asarray(window(one.signal[0], scanned.scanner)))
        for one in scanned.series
    }


if __name__ == "__main__":
    main()
