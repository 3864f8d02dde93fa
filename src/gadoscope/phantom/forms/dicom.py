"""A scan as a DICOM study: one classic MR series before and one after contrast.

References
----------
DICOM PS3.3 A.4 (MR Image IOD), C.7.6.2 (Image Plane), C.7.6.4 (Contrast/Bolus), C.8.3.1 (MR Image)
"""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

from gadoscope.labels import Phase
from gadoscope.phantom.forms.cohort import Scan
from gadoscope.phantom.forms.headers import HeaderMode, claimed_phase, mode_of_series
from gadoscope.phantom.head.subject import Subject
from gadoscope.phantom.physics.acquire import Acquisition
from gadoscope.phantom.physics.scanner import Scanner, Sequence

# Anyone may make UIDs of UUIDs under this root (PS3.5 B.2).
UUID_ROOT = "2.25."
NAMESPACE = uuid.UUID("6f1c4f0a-3a0e-5b53-9d55-0d6f3b0c9a11")
# White matter before contrast, in stored values: 12 bits leave room for the brightest fat.
WHITE_MATTER_STORED, LARGEST_STORED = 600, 4095
# All phantoms were scanned on one day, long ago; hours follow the series.
STUDY_DATE = "20000101"
SERIES_TIME = {Phase.PRE_CONTRAST: "090000", Phase.POST_CONTRAST: "091500"}
INJECTION_TIME = "091000"
SERIES_NUMBER = {Phase.PRE_CONTRAST: 2, Phase.POST_CONTRAST: 3}
SCANNING = {
    Sequence.SPIN_ECHO: ("SE", "NONE", "2D"),
    Sequence.SPOILED_GRADIENT_ECHO: ("GR", "SP", "3D"),
    Sequence.MPRAGE: (["GR", "IR"], ["SP", "MP"], "3D"),
}
PROTOCOL = {
    Sequence.SPIN_ECHO: "T1 SE",
    Sequence.SPOILED_GRADIENT_ECHO: "T1 SPGR 3D",
    Sequence.MPRAGE: "T1 MPRAGE",
}
# Proton frequency in MHz per tesla.
LARMOR_MHZ_PER_T = 42.577
AGENT_MMOL_PER_ML = 0.5
ASSUMED_WEIGHT_KG = 70.0


def write_study(scan: Scan, folder: Path, mode: HeaderMode) -> list[tuple[Acquisition, HeaderMode, Path]]:
    """Write the series of one subject, each into a folder of its own.

    Parameters
    ----------
    scan
        The subject's series.
    folder
        Becomes the study; made here.
    mode
        What the headers say of contrast.

    Returns
    -------
    list of (Acquisition, HeaderMode, Path)
        Each series, what its header does, and its folder.
    """
    written = []
    for series in scan.series:
        series_mode = mode_of_series(mode, scan.subject, series.phase)
        place = folder / f"ser-{SERIES_NUMBER[series.phase]:02d}"
        place.mkdir(parents=True)
        for index in range(series.grid.shape[0]):
            dataset = slice_dataset(scan.subject, scan.scanner, series, index, series_mode)
            dataset.save_as(place / f"im-{index + 1:04d}.dcm", enforce_file_format=True)
        written.append((series, series_mode, place))
    return written


def make_uid(subject: Subject, *names: object) -> UID:
    """Return a UID that depends on the cohort's seed, the subject and ``names`` alone."""
    text = "/".join(str(part) for part in (subject.seed, subject.number, *names))
    return UID(UUID_ROOT + str(uuid.uuid5(NAMESPACE, text).int))


def stored_values(signal: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return magnitudes as stored values of 12 bits; pre- and post-contrast share the scale."""
    stored = np.clip(signal * np.float32(WHITE_MATTER_STORED) + np.float32(0.5), 0, LARGEST_STORED)
    rounded: NDArray[np.uint16] = stored.astype(np.uint16)
    return rounded


def slice_dataset(
    subject: Subject, scanner: Scanner, series: Acquisition, index: int, mode: HeaderMode
) -> FileDataset:
    """Return slice ``index`` (from 0) of a series as a DICOM file's content."""
    instance_uid = make_uid(subject, series.phase, series.grid.plane, "instance", index)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = instance_uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = instance_uid
    _describe_patient_and_study(dataset, subject)
    _describe_series(dataset, subject, scanner, series, mode)
    _describe_sequence(dataset, scanner)
    _describe_place(dataset, subject, series, index)
    _describe_pixels(dataset, series.signal[index])
    return dataset


def _describe_patient_and_study(dataset: FileDataset, subject: Subject) -> None:
    dataset.PatientName = f"Phantom^{subject.subject_id}"
    dataset.PatientID = f"PHANTOM-{subject.subject_id}"
    dataset.PatientBirthDate = ""
    dataset.PatientSex = "O"
    dataset.PatientComments = "Synthetic: computed from equations, no patient"
    dataset.StudyInstanceUID = make_uid(subject, "study")
    dataset.StudyID = str(subject.number)
    dataset.StudyDate = STUDY_DATE
    dataset.StudyTime = SERIES_TIME[Phase.PRE_CONTRAST]
    dataset.StudyDescription = "Phantom head"
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""


def _describe_series(
    dataset: FileDataset, subject: Subject, scanner: Scanner, series: Acquisition, mode: HeaderMode
) -> None:
    dataset.Modality = "MR"
    dataset.SeriesInstanceUID = make_uid(subject, series.phase, series.grid.plane, "series")
    dataset.SeriesNumber = SERIES_NUMBER[series.phase]
    dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = STUDY_DATE
    time = SERIES_TIME[series.phase]
    dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = time
    dataset.Manufacturer = "Gadoscope"
    dataset.ManufacturerModelName = "Phantom"
    dataset.BodyPartExamined = "HEAD"
    dataset.PatientPosition = "HFS"
    dataset.ProtocolName = PROTOCOL[scanner.timing.sequence]
    plane = {"sagittal": "SAG", "axial": "AX", "coronal": "COR"}[series.grid.plane]
    words = {Phase.PRE_CONTRAST: " PRE", Phase.POST_CONTRAST: " POST GD", None: ""}
    claimed = claimed_phase(mode, series.phase)
    dataset.SeriesDescription = f"{plane} {dataset.ProtocolName}{words[claimed]}"
    if claimed is Phase.POST_CONTRAST:
        _describe_contrast(dataset, subject)


def _describe_contrast(dataset: FileDataset, subject: Subject) -> None:
    injection = subject.injection
    dose_ml = injection.dose_mmol_per_kg * ASSUMED_WEIGHT_KG / AGENT_MMOL_PER_ML
    dataset.ContrastBolusAgent = injection.agent.brand
    dataset.ContrastBolusRoute = "IV"
    dataset.ContrastBolusVolume = f"{dose_ml:.1f}"
    dataset.ContrastBolusTotalDose = f"{dose_ml:.1f}"
    dataset.ContrastBolusStartTime = INJECTION_TIME
    dataset.ContrastBolusIngredient = "GADOLINIUM"
    dataset.ContrastBolusIngredientConcentration = f"{AGENT_MMOL_PER_ML * 1000:.0f}"


def _describe_sequence(dataset: FileDataset, scanner: Scanner) -> None:
    timing = scanner.timing
    dataset.ScanningSequence, dataset.SequenceVariant, dataset.MRAcquisitionType = SCANNING[timing.sequence]
    dataset.ScanOptions = ""
    dataset.RepetitionTime = f"{timing.tr_ms:.3f}"
    dataset.EchoTime = f"{timing.te_ms:.3f}"
    if timing.ti_ms is not None:
        dataset.InversionTime = f"{timing.ti_ms:.3f}"
    dataset.EchoTrainLength = timing.echoes or 1
    dataset.FlipAngle = f"{timing.flip_deg:.2f}"
    dataset.MagneticFieldStrength = f"{scanner.field_strength_t:.1f}"
    dataset.ImagingFrequency = f"{scanner.field_strength_t * LARMOR_MHZ_PER_T:.4f}"
    dataset.ImagedNucleus = "1H"
    dataset.NumberOfAverages = "1"


def _describe_place(dataset: FileDataset, subject: Subject, series: Acquisition, index: int) -> None:
    affine, spacing = series.grid.affine, series.grid.spacing_mm
    along_row, along_column = affine[:3, 2] / spacing[2], affine[:3, 1] / spacing[1]
    dataset.FrameOfReferenceUID = make_uid(subject, "frame of reference")
    dataset.PositionReferenceIndicator = ""
    dataset.ImageOrientationPatient = [_decimal(v) for v in (*along_row, *along_column)]
    position = affine[:3, 0] * index + affine[:3, 3]
    dataset.ImagePositionPatient = [_decimal(v) for v in position]
    # PS3.3 10.7.1.3: distance between rows first, then between columns.
    dataset.PixelSpacing = [_decimal(spacing[1]), _decimal(spacing[2])]
    dataset.SliceThickness = _decimal(series.grid.slice_mm)
    dataset.SpacingBetweenSlices = _decimal(spacing[0])
    normal = np.cross(along_row, along_column)
    dataset.SliceLocation = _decimal(float(position @ normal))
    dataset.InstanceNumber = index + 1
    dataset.AcquisitionNumber = 1


def _describe_pixels(dataset: FileDataset, signal: NDArray[np.float32]) -> None:
    stored = stored_values(signal)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    top = float(np.percentile(stored, 99.5))  # as scanners do: nearly all of the image inside the window
    dataset.WindowCenter, dataset.WindowWidth = f"{top / 2:.0f}", f"{max(top, 1):.0f}"
    dataset.PixelData = stored.astype("<u2").tobytes()


def _decimal(value: float) -> str:
    """Return a decimal string (DS): 16 characters at most, fine to a ten-thousandth of a millimetre."""
    text = f"{value:.5f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
