"""What lies among the T1 brain series of an archive and is none; and words that must never leave a file."""

import copy
from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    UID,
    ComprehensiveSRStorage,
    CTImageStorage,
    RTStructureSetStorage,
    SecondaryCaptureImageStorage,
)

from gadoscope.labels import Plane
from tests.support.dicom_files import classic_series, rename_series, set_pixels, set_sop_class, stored_pixels

HOUNSFIELD_ZERO = -1024

# Distinctive strings that look like nothing else, so that a search through all output finds every leak.
PATIENT_WORDS = {
    "PatientName": "Zwolsterveldt^Quirijnabel",
    "PatientID": "PIDQ7731942",
    "PatientBirthDate": "19130217",
    "OtherPatientIDs": "OPIDX5520013",
    "OtherPatientNames": "Vlindermanius^Bep",
    "PatientMotherBirthName": "Kraaijenbrinkstra",
    "PatientAddress": "Oudezijdsveldweg 4711",
    "PatientTelephoneNumbers": "0031-555-0190417",
    "PatientComments": "Dochter van Zwolsterveldt",
    "IssuerOfPatientID": "Issuerhausen",
    "AccessionNumber": "ACCQ990817",
    "ReferringPhysicianName": "Doktorowskaja^Ulla",
    "InstitutionName": "Spitalhausen Nord",
}
"""Keyword to planted value; `leaked_words` gives what to look for."""


def leaked_words() -> tuple[str, ...]:
    """Return every part of a planted value that nothing but the patient's data holds."""
    parts = {part for value in PATIENT_WORDS.values() for part in value.replace("^", " ").split()}
    return tuple(sorted(part for part in parts if len(part) > len("Nord")))


def plant_patient(datasets: Sequence[Dataset], *, in_descriptions: bool = True) -> list[Dataset]:
    """Write distinctive patient data into every attribute that holds such, and into the descriptions."""
    for dataset in datasets:
        for keyword, value in PATIENT_WORDS.items():
            setattr(dataset, keyword, value)
        other = Dataset()
        other.PatientID = PATIENT_WORDS["OtherPatientIDs"]
        dataset.OtherPatientIDsSequence = Items([other])
        if in_descriptions:
            dataset.SeriesDescription = "T1 post Gd ZWOLSTERVELDT 19130217"
            dataset.ProtocolName = "T1 quirijnabel PIDQ7731942"
            dataset.StudyDescription = "Kopf Zwolsterveldt, Quirijnabel"
            dataset.ContrastBolusAgent = "Gadovist Zwolsterveldt"
            dataset.ImageComments = "seen with Quirijnabel"
    return list(datasets)


def ct_series(n_slices: int = 4) -> list[Dataset]:
    """Return a CT series of the head."""
    datasets = classic_series(plane=Plane.AXIAL, n_slices=n_slices)
    for dataset in datasets:
        set_sop_class(dataset, CTImageStorage)
        dataset.Modality = "CT"
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        dataset.SeriesDescription = "Schaedel 4.0 H31s"
        dataset.KVP = "120"
        dataset.RescaleIntercept, dataset.RescaleSlope = str(HOUNSFIELD_ZERO), "1"
        dataset.RescaleType = "HU"
        del dataset.ScanningSequence, dataset.SequenceVariant, dataset.MRAcquisitionType
        del dataset.RepetitionTime, dataset.EchoTime, dataset.MagneticFieldStrength
    return rename_series(datasets, "ct")


def spine_series(n_slices: int = 4) -> list[Dataset]:
    """Return an MR series that says it shows the lumbar spine."""
    datasets = classic_series(n_slices=n_slices)
    for dataset in datasets:
        dataset.BodyPartExamined = "LSPINE"
        dataset.SeriesDescription = dataset.ProtocolName = "t1_tse_sag LWS"
        dataset.StudyDescription = "MRT LWS"
    return rename_series(datasets, "spine")


def secondary_capture() -> list[Dataset]:
    """Return one colour screenshot."""
    dataset = classic_series()[0]
    set_sop_class(dataset, SecondaryCaptureImageStorage)
    dataset.ConversionType = "WSD"
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.SeriesDescription = "Screen Save"
    grey = (stored_pixels(dataset) // 16).astype(np.uint8)
    set_pixels(dataset, grey)
    dataset.PixelData = np.repeat(grey[..., None], 3, axis=-1).tobytes()
    dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, 0
    dataset.PhotometricInterpretation = "RGB"
    for keyword in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "WindowCenter",
        "WindowWidth",
    ):
        delattr(dataset, keyword)
    return rename_series([dataset], "secondary capture")


def rt_structure_set() -> list[Dataset]:
    """Return an RT structure set: no pixels."""
    dataset = _without_image(RTStructureSetStorage, "RTSTRUCT")
    dataset.StructureSetLabel = "Plan 1"
    dataset.StructureSetDate, dataset.StructureSetTime = "20000101", "100000"
    dataset.StructureSetROISequence = dataset.ROIContourSequence = Items([])
    dataset.RTROIObservationsSequence = Items([])
    return rename_series([dataset], "rt structure set")


def structured_report() -> list[Dataset]:
    """Return a report: no pixels."""
    dataset = _without_image(ComprehensiveSRStorage, "SR")
    dataset.ValueType, dataset.ContinuityOfContent = "CONTAINER", "SEPARATE"
    dataset.CompletionFlag, dataset.VerificationFlag = "COMPLETE", "UNVERIFIED"
    dataset.ContentSequence = Items([])
    return rename_series([dataset], "structured report")


OTHERS = {
    "ct": ct_series,
    "spine": spine_series,
    "secondary capture": secondary_capture,
    "rt structure set": rt_structure_set,
    "structured report": structured_report,
}
"""Builders of series that are refused."""


def _without_image(sop_class: UID, modality: str) -> Dataset:
    image = classic_series()[0]
    made = Dataset()
    made.file_meta = copy.deepcopy(image.file_meta)
    made.preamble = image.preamble
    for keyword in (
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID",
        "StudyDate", "StudyTime", "StudyDescription", "AccessionNumber", "ReferringPhysicianName",
        "SeriesInstanceUID", "SeriesNumber", "Manufacturer", "InstanceNumber", "SOPInstanceUID",
    ):  # fmt: skip
        setattr(made, keyword, image[keyword].value)
    set_sop_class(made, sop_class)
    made.Modality = modality
    return made
