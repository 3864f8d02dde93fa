"""A scan as NIfTI files, alone or as a BIDS data set with its sidecars.

References
----------
BIDS 1.10, "Magnetic Resonance Imaging": entity ``ce``, metadata ``ContrastBolusIngredient``
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from gadoscope.labels import Phase
from gadoscope.phantom.forms.cohort import Scan
from gadoscope.phantom.forms.dicom import stored_values
from gadoscope.phantom.forms.headers import HeaderMode, claimed_phase, mode_of_series
from gadoscope.phantom.physics.acquire import Acquisition, Grid
from gadoscope.phantom.physics.scanner import Scanner, Sequence

BIDS_VERSION = "1.10.0"
SUFFIX = {Phase.PRE_CONTRAST: "T1w", Phase.POST_CONTRAST: "ce-gadolinium_T1w"}
INGREDIENT = {Phase.PRE_CONTRAST: "NONE", Phase.POST_CONTRAST: "GADOLINIUM"}
SCANNING = {
    Sequence.SPIN_ECHO: ("SE", "2D"),
    Sequence.SPOILED_GRADIENT_ECHO: ("GR", "3D"),
    Sequence.MPRAGE: ("GR_IR", "3D"),
}
README = """Phantom heads
=============

T1-weighted images of synthetic heads, before and after a gadolinium agent, computed by `gadoscope phantom`.
No patient is in them. Where a file name and its sidecar disagree about contrast, that was asked for
(`--header wrong` or `mixed`): the file name tells the truth.
"""


def ras_affine(grid: Grid) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the (4, 4) affine from NIfTI's index (column, row, slice) to RAS+ millimetres."""
    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    return np.asarray(flip @ grid.affine[:, [2, 1, 0, 3]])


def write_volume(series: Acquisition, path: Path) -> None:
    """Write one series as ``path`` (.nii.gz), voxels as in the DICOM form."""
    voxels = stored_values(series.signal).transpose(2, 1, 0).astype(np.int16)
    image = nib.Nifti1Image(voxels, ras_affine(series.grid))  # type: ignore[no-untyped-call]  # nibabel has none
    image.header.set_xyzt_units("mm", "sec")  # type: ignore[no-untyped-call]  # nibabel has none
    image.set_qform(ras_affine(series.grid), code="scanner")  # type: ignore[no-untyped-call]  # nibabel has none
    image.set_sform(ras_affine(series.grid), code="scanner")  # type: ignore[no-untyped-call]  # nibabel has none
    nib.save(image, path)


def write_nifti(scan: Scan, folder: Path) -> list[tuple[Acquisition, Path]]:
    """Write each series of a scan as one .nii.gz; the file says nothing of contrast but in its name."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for series in scan.series:
        word = "pre" if series.phase is Phase.PRE_CONTRAST else "post"
        path = folder / f"{scan.subject.subject_id}_{word}.nii.gz"
        write_volume(series, path)
        written.append((series, path))
    return written


def write_bids_subject(
    scan: Scan, folder: Path, mode: HeaderMode
) -> list[tuple[Acquisition, HeaderMode, Path]]:
    """Write one subject's folder ``anat`` with images and sidecars into the data set ``folder``."""
    anat = folder / scan.subject.subject_id / "anat"
    anat.mkdir(parents=True)
    written = []
    for series in scan.series:
        series_mode = mode_of_series(mode, scan.subject, series.phase)
        path = anat / f"{scan.subject.subject_id}_{SUFFIX[series.phase]}.nii.gz"
        write_volume(series, path)
        sidecar = path.with_name(path.name.removesuffix(".nii.gz") + ".json")
        _write_json(sidecar, _sidecar(scan.scanner, series, series_mode))
        written.append((series, series_mode, path))
    return written


def write_bids_root(folder: Path, subjects: list[dict[str, Any]]) -> None:
    """Write what a BIDS data set needs beside its subjects.

    Parameters
    ----------
    folder
        Root of the data set.
    subjects
        A row each: ``participant_id`` first, then columns described in participants.json.
    """
    description = {
        "Name": "Phantom heads",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "License": "CC0",
        "GeneratedBy": [{"Name": "gadoscope phantom"}],
    }
    _write_json(folder / "dataset_description.json", description)
    (folder / "README").write_text(README, encoding="utf-8")
    # The manifest is this project's, not a part of BIDS.
    (folder / ".bidsignore").write_text("manifest.csv\n", encoding="utf-8")
    columns = list(subjects[0])
    lines = ["\t".join(columns)] + ["\t".join(str(row[c]) for c in columns) for row in subjects]
    (folder / "participants.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    meaning = {
        "lesion": {"Description": "Lesion that was put in, or n/a"},
        "field_strength_t": {"Description": "Field strength of the scanner", "Units": "T"},
    }
    _write_json(folder / "participants.json", meaning)


def _sidecar(scanner: Scanner, series: Acquisition, mode: HeaderMode) -> dict[str, Any]:
    """Return the sidecar's metadata; BIDS counts in seconds."""
    timing = scanner.timing
    scanning, kind = SCANNING[timing.sequence]
    sidecar: dict[str, Any] = {
        "Manufacturer": "Gadoscope",
        "ManufacturersModelName": "Phantom",
        "MagneticFieldStrength": scanner.field_strength_t,
        "ScanningSequence": scanning,
        "MRAcquisitionType": kind,
        "RepetitionTime": round(timing.tr_ms / 1000, 6),
        "EchoTime": round(timing.te_ms / 1000, 6),
        "FlipAngle": round(timing.flip_deg, 2),
        "SliceThickness": round(series.grid.slice_mm, 4),
        "BodyPart": "HEAD",
    }
    if timing.ti_ms is not None:
        sidecar["InversionTime"] = round(timing.ti_ms / 1000, 6)
    claimed = claimed_phase(mode, series.phase)
    if claimed is not None:
        sidecar["ContrastBolusIngredient"] = INGREDIENT[claimed]
    return sidecar


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
