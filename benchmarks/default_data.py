"""The manifest that the default model is trained on: what its licences allow, and phantoms beside it.

    python -m benchmarks.default_data --data ../shared/data/manifest.csv --output runs/default-data

Takes the CC BY and CC BY-SA sources of a manifest of public images, leaves out what cannot be read, and adds
phantom slices in three planes: T1 before and after contrast, and other contrasts, labelled other, for
the gate. Writes `manifest.csv`; `gadoscope train configs/default.toml --data` reads it.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from gadoscope.errors import InputError
from gadoscope.labels import Plane
from gadoscope.phantom.cohort import Cohort
from gadoscope.phantom.contrasts import Contrast
from gadoscope.phantom.write import Form, write_cohort
from gadoscope.preparation.manifest import Item, Manifest, read_manifest, write_manifest
from gadoscope.preparation.pool import count_jobs
from gadoscope.reading.images import read_slice

SOURCES = ("tcga-lgg", "tcga-lgg-sagittal", "figshare-cheng", "ixi", "tcga-lgg-flair")
"""CC BY 3.0 and 4.0, and CC BY-SA 3.0: weights trained on them may be shipped. Feltrin's may not be, and the
volunteers' T2 and FLAIR are for evaluation alone."""
PLANES = (Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL)
PHANTOM_SEED = 2026
PHANTOM_SUBJECTS = 30
"""Of each plane: so many that no head is learnt by heart at one draw of twenty."""
PHANTOM_SLICES = 4
LESIONS = 0.5


def main() -> None:
    """Make the phantoms and write the manifest."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="manifest of the public images")
    parser.add_argument("--output", type=Path, required=True, help="a new folder")
    arguments = parser.parse_args()
    public = [item for item in read_manifest(arguments.data).items if item.source in SOURCES]
    items = [replace(item, split=None) for item in public if is_readable(item)]
    for number, plane in enumerate(PLANES):
        items += make_phantoms(arguments.output / f"phantom-{plane.value}", plane, PHANTOM_SEED + number)
    path = arguments.output / "manifest.csv"
    write_manifest(Manifest(tuple(items), path), path)
    print(f"{path}: {len(items)} images")


def is_readable(item: Item) -> bool:
    """Return whether an image can be looked at; two of TCGA-LGG's are blank."""
    try:
        read_slice(item.path)
    except InputError as error:
        print(f"left out: {item.path.name} ({error.reason})")
        return False
    return True


def make_phantoms(folder: Path, plane: Plane, seed: int) -> list[Item]:
    """Write phantom slices of every contrast and return their rows, none of them in a split yet."""
    cohort = Cohort(
        subjects=PHANTOM_SUBJECTS, seed=seed, slices=PHANTOM_SLICES, plane=plane, lesions=LESIONS, brain=True
    )
    write_cohort(cohort, folder, form=Form.PNG, contrasts=tuple(Contrast), jobs=count_jobs(0))
    return [
        replace(item, subject_id=f"{plane.value}-{item.subject_id}", split=None)
        for item in read_manifest(folder).items
    ]


if __name__ == "__main__":
    main()
