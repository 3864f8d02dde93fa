"""One cohort in every form that a manifest can name, and the very slices of it as images."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from gadoscope.imaging.slices import SlicePolicy
from gadoscope.phantom.forms.cohort import Cohort, scan
from gadoscope.phantom.forms.write import Form, write_cohort
from gadoscope.preparation.manifest import Item, Manifest, read_manifest, write_manifest
from gadoscope.preparation.slices import read_item

SCAN_FORMS = (Form.DICOM, Form.NIFTI, Form.BIDS)


_scan_once = cache(scan)
"""Scans a head once for all the forms that it is written in."""


def write_scans(folder: Path, form: Form, *, subjects: int = 4) -> Path:
    """Write the cohort in one form of scan, and return its manifest: two series a subject."""
    cohort = Cohort(subjects=subjects, seed=1020, slices=8, matrix=48, whole_head=True, lesions=0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gadoscope.phantom.forms.write.scan", _scan_once)
        write_cohort(cohort, folder, form=form)
    return folder / "manifest.csv"


def export_slices(manifest: Path, folder: Path, change: Callable[[Item], Item] = lambda item: item) -> Path:
    """Write the slices that are read of the scans of a manifest as PNG, and return a manifest of these."""
    rows = []
    for number, item in enumerate(read_manifest(manifest).items):
        slices = read_item(item, SlicePolicy())
        for index, (row, pixels) in enumerate(zip(slices.items, slices.pixels, strict=True)):
            path = folder / f"scan-{number:02}-{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
            rows.append(change(replace(row, path=path, slice_number=None)))
    write_manifest(Manifest(tuple(rows), folder), folder / "manifest.csv")
    return folder / "manifest.csv"
