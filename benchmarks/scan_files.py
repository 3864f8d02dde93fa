"""An archive of phantom DICOM, made in minutes: studies of five T1 series in the syntaxes of real archives.

A few heads are scanned and encoded once, with placeholders where an instance differs from the next; each
file is such a template with its own UIDs and numbers written over them. Headers hold about 150 elements,
a third of them private, as scanners write them.
"""

import io
import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import imagecodecs
import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from gadoscope.labels import Phase, Plane
from gadoscope.phantom.forms.cohort import Cohort, Scan, scan
from gadoscope.phantom.forms.dicom import slice_dataset
from gadoscope.phantom.forms.headers import HeaderMode

SEED = 1
SERIES_A_STUDY = 5
FEWEST, MOST = 20, 180
"""Instances of a series."""
# Of ten series: most archives store plain or lossless JPEG, and some of everything else.
SYNTAXES = (
    *(ExplicitVRLittleEndian,) * 4,
    *(ImplicitVRLittleEndian,) * 2,
    JPEGLosslessSV1,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)
SERIES = (
    (Plane.SAGITTAL, Phase.PRE_CONTRAST),
    (Plane.AXIAL, Phase.PRE_CONTRAST),
    (Plane.SAGITTAL, Phase.POST_CONTRAST),
    (Plane.AXIAL, Phase.POST_CONTRAST),
    (Plane.SAGITTAL, Phase.POST_CONTRAST),
)
"""What each series of a study is; all are T1, so all have to be answered."""

UID_DIGITS = 39
STUDY, SERIES_UID, INSTANCE = (f"2.25.{digit * UID_DIGITS}" for digit in "123")
"""Placeholders, as long as every UID that replaces them."""
PATIENT = "PLACEHOLDER"
NUMBER_DIGITS = 4
PRIVATE_BLOCKS = ("GADOSCOPE BENCH 01", "GADOSCOPE BENCH 02", "GADOSCOPE BENCH HEADER")
PRIVATE_ELEMENTS = 16
"""In each of the first two blocks; the third holds a lump of bytes, as vendors' shadow headers do."""
SHADOW_BYTES = 8192
# PS3.5 7.1: how InstanceNumber (0020,0013) begins, explicit and implicit, with four characters to follow.
NUMBER_HEADERS = (b"\x20\x00\x13\x00IS\x04\x00", b"\x20\x00\x13\x00\x04\x00\x00\x00")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How large an archive is.

    Parameters
    ----------
    studies
        Each of five series.
    matrix
        Rows and columns of an instance.
    most
        Instances of the longest series.
    """

    studies: int
    matrix: int = 256
    most: int = MOST

    @property
    def n_series(self) -> int:
        """Return the series in all."""
        return self.studies * SERIES_A_STUDY


@dataclass(frozen=True)
class Template:
    """An encoded instance and where its placeholders lie."""

    data: bytes
    places: tuple[tuple[int, str], ...]

    def fill(self, values: dict[str, str]) -> bytes:
        """Return the file with its own values, each as long as its placeholder."""
        data = bytearray(self.data)
        for start, name in self.places:
            data[start : start + len(values[name])] = values[name].encode()
        return bytes(data)


def make_archive(plan: Plan, folder: Path) -> int:
    """Make the archive unless it is there already, and return the number of its instances.

    Studies lie in ``folder/study-00000`` and so on; the first ones are the same whatever the number.
    """
    done = folder / f".{plan}.done"  # hidden, so it is no input
    if done.exists():
        return int(done.read_text())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    jobs = defaultdict(list)
    random = np.random.default_rng(SEED)
    for study in range(plan.studies):
        for number, kind in enumerate(SERIES):
            syntax = SYNTAXES[int(random.integers(len(SYNTAXES)))]
            count = int(random.integers(min(FEWEST, plan.most), plan.most + 1))
            jobs[kind, syntax].append((study, number, count))
    n_instances = 0
    for (kind, syntax), series in jobs.items():
        templates = make_templates(*kind, syntax, matrix=plan.matrix, most=plan.most)
        for study, number, count in series:
            place = folder / f"study-{study:05d}" / f"series-{number + 1}"
            n_instances += write_series(templates, place, study=study, number=number, count=count)
    done.write_text(str(n_instances))
    return n_instances


def write_series(templates: Sequence[Template], folder: Path, *, study: int, number: int, count: int) -> int:
    """Write ``count`` instances, spread evenly over the head, and return how many they are."""
    folder.mkdir(parents=True)
    step = len(templates) // count
    first = (len(templates) - step * count) // 2
    for index in range(count):
        values = {
            STUDY: make_uid(study),
            SERIES_UID: make_uid(study, number),
            INSTANCE: make_uid(study, number, index),
            PATIENT: f"PHANTOM{study:04d}",
            "": f"{index + 1:0{NUMBER_DIGITS}d}",
        }
        # Instances lie in no order, as a PACS sends them.
        (folder / f"{index * 7919 % 10007:05d}.dcm").write_bytes(templates[first + index * step].fill(values))
    return count


def make_uid(*numbers: int) -> str:
    """Return a UID of the placeholders' length."""
    return "2.25.9" + "".join(f"{number:05d}7" for number in numbers).ljust(UID_DIGITS - 1, "0")


@lru_cache(maxsize=2)
def _scan(plane: Plane, matrix: int, most: int) -> Scan:
    cohort = Cohort(
        subjects=1, seed=SEED, slices=most, matrix=matrix, plane=plane, lesions=0.0, whole_head=True
    )
    return scan(cohort, 1)


def make_templates(plane: Plane, phase: Phase, syntax: UID, *, matrix: int, most: int) -> list[Template]:
    """Return an encoded instance for each slice of a head."""
    done = _scan(plane, matrix, most)
    series = next(series for series in done.series if series.phase is phase)
    templates = []
    for index in range(most):
        dataset = slice_dataset(done.subject, done.scanner, series, index, HeaderMode.RIGHT)
        _enrich(dataset)
        templates.append(_make_template(dataset, syntax))
    return templates


def _enrich(dataset: FileDataset) -> None:
    """Add what a scanner writes beside the essential."""
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID = STUDY, SERIES_UID, INSTANCE
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(INSTANCE)
    dataset.PatientID, dataset.PatientName = PATIENT, PATIENT
    dataset.InstanceNumber = "0" * NUMBER_DIGITS
    del dataset.SpacingBetweenSlices  # a series may leave slices out
    texts = (
        "InstitutionName InstitutionAddress StationName InstitutionalDepartmentName PerformingPhysicianName"
        " OperatorsName DeviceSerialNumber SoftwareVersions PatientAge RequestedProcedureDescription"
        " PerformedProcedureStepID PerformedProcedureStepDescription RequestedProcedureID SequenceName"
        " TransmitCoilName ReceiveCoilName AngioFlag CommentsOnThePerformedProcedureStep"
    )
    for keyword in texts.split():
        setattr(
            dataset, keyword, "N" if keyword == "AngioFlag" else "045Y" if keyword == "PatientAge" else "x"
        )
    numbers = (
        "PatientWeight PatientSize PixelBandwidth PercentSampling PercentPhaseFieldOfView SAR dBdt"
        " NumberOfPhaseEncodingSteps EchoNumbers LargestImagePixelValue SmallestImagePixelValue"
    )
    for keyword in numbers.split():
        setattr(dataset, keyword, 7)
    dataset.InPlanePhaseEncodingDirection, dataset.VariableFlipAngleFlag = "ROW", "N"
    dataset.AcquisitionMatrix = [256, 0, 0, 256]
    dataset.InstanceCreationDate = dataset.PerformedProcedureStepStartDate = "20000101"
    dataset.InstanceCreationTime = dataset.PerformedProcedureStepStartTime = "090000.000000"
    _refer(dataset)
    _add_private(dataset)


def _refer(dataset: Dataset) -> None:
    """Add sequences: references to the localizer, the request, the procedure's code."""
    images, request, code = [], Dataset(), Dataset()
    for number in range(3):
        image = Dataset()
        image.ReferencedSOPClassUID = dataset.SOPClassUID
        image.ReferencedSOPInstanceUID = make_uid(0, 99, number)
        images.append(image)
    dataset.ReferencedImageSequence = Items(images)
    request.RequestedProcedureDescription, request.ScheduledProcedureStepID = "MR head", "1"
    dataset.RequestAttributesSequence = Items([request])
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "MRKOPF", "99LOCAL", "MR head"
    dataset.ProcedureCodeSequence = Items([code])


def _add_private(dataset: Dataset) -> None:
    for group, name in zip((0x0019, 0x0051, 0x0029), PRIVATE_BLOCKS, strict=True):
        block = dataset.private_block(group, name, create=True)
        if group == 0x0029:  # noqa: PLR2004 - where vendors keep their shadow headers
            block.add_new(0x10, "OB", bytes(range(256)) * (SHADOW_BYTES // 256))
            continue
        for number in range(PRIVATE_ELEMENTS):
            value = (
                ("LO", "private text"), ("DS", "1.5"), ("IS", "12"), ("FD", 2.5), ("US", 3), ("SH", "p2"),
            )[number % 6]  # fmt: skip
            block.add_new(number, *value)


def _make_template(dataset: FileDataset, syntax: UID) -> Template:
    if syntax not in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        pixels = np.frombuffer(dataset.PixelData, "<u2").reshape(dataset.Rows, dataset.Columns)
        if syntax == RLELossless:
            dataset.compress(RLELossless, generate_instance_uid=False)
        else:
            dataset.PixelData = encapsulate([_compress(pixels, syntax)])
            dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = syntax
    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    data = stream.getvalue()
    names = (STUDY, SERIES_UID, INSTANCE, PATIENT)
    places = [(start, name) for name in names for start in _find_all(data, name.encode())]
    places += [(at + len(head), "") for head in NUMBER_HEADERS for at in _find_all(data, head)]
    return Template(data, tuple(places))


def _compress(pixels: np.ndarray, syntax: UID) -> bytes:
    if syntax == JPEGLosslessSV1:
        return bytes(imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=1, bitspersample=12))
    if syntax == JPEGLSLossless:
        return bytes(imagecodecs.jpegls_encode(pixels))
    return bytes(imagecodecs.jpeg2k_encode(pixels, 0, codecformat="j2k", reversible=True, bitspersample=12))


def _find_all(data: bytes, part: bytes) -> list[int]:
    found, start = [], data.find(part)
    while start >= 0:
        found.append(start)
        start = data.find(part, start + 1)
    return found
