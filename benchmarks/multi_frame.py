"""One Enhanced MR object of as many frames as wanted: a phantom head, measured again and again.

Each frame says of itself what scanners say: place, direction, time, rescale, window, echo, type.

References
----------
DICOM PS3.3 A.36 (Enhanced MR), C.7.6.16 (functional groups), C.8.13 (MR groups)
"""

import copy
from datetime import datetime, timedelta
from pathlib import Path

from pydicom import dcmwrite
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import EnhancedMRImageStorage

from gadoscope.labels import Phase, Plane
from gadoscope.phantom.forms.cohort import Cohort, scan
from gadoscope.phantom.forms.dicom import slice_dataset
from gadoscope.phantom.forms.headers import HeaderMode

SEED = 1
PLACES = 100
"""Slices of a volume; more frames are further time points."""
FIRST_TIME, TIME_POINT = datetime(2000, 1, 1, 9), timedelta(seconds=30)
KIND = ["ORIGINAL", "PRIMARY", "T1", "NONE"]
MOVED = (
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SliceLocation"),
    *("SpacingBetweenSlices", "RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth", "EchoTime"),
    *("ScanningSequence", "SequenceVariant", "AcquisitionTime", "AcquisitionDate"),
)
"""What stands in a functional group, or is said by other attributes."""


def write_object(path: Path, n_frames: int, matrix: int) -> None:
    """Write the object; frames run along the head, then through time."""
    n_places = min(PLACES, n_frames)
    head = Cohort(subjects=1, seed=SEED, slices=n_places, matrix=matrix, plane=Plane.AXIAL, whole_head=True)
    done = scan(head, 1)
    series = next(series for series in done.series if series.phase is Phase.POST_CONTRAST)
    slices = [
        slice_dataset(done.subject, done.scanner, series, place, HeaderMode.RIGHT)
        for place in range(n_places)
    ]
    made = _describe_object(slices[0], n_frames)
    made.SharedFunctionalGroupsSequence = Items([_describe_all(slices[0])])
    made.PerFrameFunctionalGroupsSequence = Items(
        [_describe_frame(slices[index % n_places], index, n_places) for index in range(n_frames)]
    )
    pixels = [one.PixelData for one in slices]
    made.PixelData = b"".join(pixels[index % n_places] for index in range(n_frames))
    dcmwrite(path, made, enforce_file_format=True)


def _describe_object(first: Dataset, n_frames: int) -> Dataset:
    made = copy.deepcopy(first)
    for keyword in MOVED:
        if keyword in made:
            delattr(made, keyword)
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    made.ImageType, made.NumberOfFrames = KIND, n_frames
    made.AcquisitionDateTime = f"{FIRST_TIME:%Y%m%d%H%M%S}"
    made.EchoPulseSequence, made.ComplexImageComponent, made.AcquisitionContrast = "SPIN", "MAGNITUDE", "T1"
    return made


def _describe_all(first: Dataset) -> Dataset:
    measures, timing = Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = first.PixelSpacing, first.SliceThickness
    timing.RepetitionTime, timing.FlipAngle = first.RepetitionTime, first.FlipAngle
    return _group(PixelMeasuresSequence=measures, MRTimingAndRelatedParametersSequence=timing)


def _describe_frame(one: Dataset, index: int, n_places: int) -> Dataset:
    content, position, direction, scale, window, echo, kind = (Dataset() for _ in range(7))
    time_point, place = divmod(index, n_places)
    content.StackID, content.InStackPositionNumber = "1", place + 1
    content.TemporalPositionIndex = time_point + 1
    content.DimensionIndexValues = [1, time_point + 1, place + 1]
    content.FrameAcquisitionDateTime = f"{FIRST_TIME + time_point * TIME_POINT:%Y%m%d%H%M%S.%f}"
    position.ImagePositionPatient = one.ImagePositionPatient
    direction.ImageOrientationPatient = one.ImageOrientationPatient
    scale.RescaleSlope, scale.RescaleIntercept, scale.RescaleType = "1", "0", "US"
    window.WindowCenter, window.WindowWidth = one.WindowCenter, one.WindowWidth
    echo.EffectiveEchoTime = float(one.EchoTime)
    kind.FrameType, kind.ComplexImageComponent = KIND, "MAGNITUDE"
    return _group(
        FrameContentSequence=content,
        PlanePositionSequence=position,
        PlaneOrientationSequence=direction,
        PixelValueTransformationSequence=scale,
        FrameVOILUTSequence=window,
        MREchoSequence=echo,
        MRImageFrameTypeSequence=kind,
    )


def _group(**items: Dataset) -> Dataset:
    group = Dataset()
    for keyword, item in items.items():
        setattr(group, keyword, Items([item]))
    return group
