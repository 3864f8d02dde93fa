"""Classic series as multi-frame objects: the real Enhanced MR Image, by hand, and the legacy converted one.

The enhanced object holds the frames of a classic series, in the same order unless told otherwise, with
the same geometry, rescale, window, timing and contrast.

References
----------
DICOM PS3.3 A.36 (Enhanced MR), C.7.6.16 (functional groups), C.7.6.17 (dimensions), C.8.13 (MR groups)
"""

import copy
from collections.abc import Sequence

import numpy as np
from highdicom.legacy import LegacyConvertedEnhancedMRImage
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian

from gadoscope.phantom.forms.dicom import make_uid
from tests.support.dicom_files import phantom_scan, set_instance_uid, set_sop_class

# What describes one instance only, or moves into a functional group.
_MOVED = (
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "SpacingBetweenSlices",
    "SliceLocation",
    "WindowCenter",
    "WindowWidth",
    "RescaleSlope",
    "RescaleIntercept",
    "EchoTime",
    "EchoNumbers",
    "RepetitionTime",
    "InversionTime",
    "FlipAngle",
    "EchoTrainLength",
    "ScanningSequence",
    "SequenceVariant",
    "ScanOptions",
    "MRAcquisitionType",
    "ImagingFrequency",
    "ImagedNucleus",
    "NumberOfAverages",
    "TemporalPositionIdentifier",
    "NumberOfTemporalPositions",
    "TriggerTime",
    "AcquisitionTime",
    "AcquisitionDate",
)
_CONTRAST = (
    "ContrastBolusAgent",
    "ContrastBolusRoute",
    "ContrastBolusVolume",
    "ContrastBolusTotalDose",
    "ContrastBolusStartTime",
    "ContrastBolusIngredient",
    "ContrastBolusIngredientConcentration",
)
STACK_ID = "1"


def legacy_converted(datasets: Sequence[Dataset]) -> Dataset:
    """Return the Legacy Converted Enhanced MR Image that highdicom makes of a classic series."""
    uid = make_uid(phantom_scan().subject, datasets[0].SeriesInstanceUID, "legacy")
    instance_uid = make_uid(phantom_scan().subject, uid, "instance")
    sources = [copy.deepcopy(dataset) for dataset in datasets]
    made = LegacyConvertedEnhancedMRImage(
        sources,
        series_instance_uid=uid,
        series_number=9,
        sop_instance_uid=instance_uid,
        instance_number=1,
        transfer_syntax_uid=ExplicitVRLittleEndian,
    )
    # highdicom leaves the original's description out; an archive's converter keeps it.
    made.SeriesDescription = datasets[0].SeriesDescription
    return made


def enhanced(datasets: Sequence[Dataset], *, agent_phase: Sequence[str] = ()) -> Dataset:
    """Return one Enhanced MR Image that holds the frames of a classic series, in this order.

    Parameters
    ----------
    datasets
        Uncompressed; all of one series. Several temporal positions or echoes become dimensions.
    agent_phase
        Contrast/Bolus Agent Phase of each frame; none: no Contrast/Bolus Usage group. A phase other than
        PRE_CONTRAST says "administered".
    """
    made = _copy_series(datasets)
    made.NumberOfFrames = len(datasets)
    made.PixelData = b"".join(dataset.PixelData[: dataset.Rows * dataset.Columns * 2] for dataset in datasets)
    made.SharedFunctionalGroupsSequence = Items([_shared_groups(datasets[0])])
    made.PerFrameFunctionalGroupsSequence = Items(
        [
            _frame_groups(datasets, index, agent_phase[index] if agent_phase else "")
            for index in range(len(datasets))
        ]
    )
    _describe_dimensions(made)
    if agent_phase:
        made.ContrastBolusAgentSequence = Items([_agent()])
    return made


def _copy_series(datasets: Sequence[Dataset]) -> Dataset:
    made = copy.deepcopy(datasets[0])
    first = datasets[0]
    for keyword in (*_MOVED, *_CONTRAST):
        if keyword in made:
            delattr(made, keyword)
    set_sop_class(made, EnhancedMRImageStorage)
    subject = phantom_scan().subject
    made.SeriesInstanceUID = make_uid(subject, first.SeriesInstanceUID, "enhanced")
    set_instance_uid(made, make_uid(subject, first.SeriesInstanceUID, "enhanced instance"))
    made.InstanceNumber = made.AcquisitionNumber = 1
    made.ImageType = ["ORIGINAL", "PRIMARY", "T1", "NONE"]
    made.AcquisitionDateTime = first.AcquisitionDate + first.AcquisitionTime
    made.AcquisitionDuration = 240.0
    made.ResonantNucleus = "1H"
    made.KSpaceFiltering = "NONE"
    made.PixelPresentation = "MONOCHROME"
    made.VolumetricProperties = "VOLUME"
    made.VolumeBasedCalculationTechnique = "NONE"
    made.ComplexImageComponent = "MAGNITUDE"
    made.AcquisitionContrast = "T1"
    made.BurnedInAnnotation = "NO"
    made.LossyImageCompression = "00"
    made.PresentationLUTShape = "IDENTITY"
    made.DeviceSerialNumber, made.SoftwareVersions = "1", "1"
    made.AcquisitionContextSequence = Items([])
    _describe_pulses(made, first)
    return made


def _describe_pulses(made: Dataset, first: Dataset) -> None:
    kinds = (
        {str(first.ScanningSequence)}
        if isinstance(first.ScanningSequence, str)
        else set(first.ScanningSequence)
    )
    made.PulseSequenceName = "phantom"
    made.MRAcquisitionType = first.MRAcquisitionType
    made.EchoPulseSequence = "SPIN" if "SE" in kinds else "GRADIENT"
    made.EchoPlanarPulseSequence = made.PhaseContrast = made.MultipleSpinEcho = "NO"
    made.MultiPlanarExcitation = made.TimeOfFlightContrast = "NO"
    made.SteadyStatePulseSequence = "NONE"
    made.Spoiling = "RF"
    made.SaturationRecovery = made.SpectrallySelectedExcitation = "NO"
    made.RectilinearPhaseEncodeReordering = "LINEAR"


def _shared_groups(first: Dataset) -> Dataset:
    timing, modifier, anatomy = Dataset(), Dataset(), Dataset()
    timing.RepetitionTime = first.RepetitionTime
    timing.FlipAngle = first.FlipAngle
    timing.EchoTrainLength = first.EchoTrainLength
    timing.RFEchoTrainLength, timing.GradientEchoTrainLength = 0, 1
    modifier.InversionRecovery = "YES" if "InversionTime" in first else "NO"
    if "InversionTime" in first:
        modifier.InversionTimes = float(first.InversionTime)
    modifier.FlowCompensation = modifier.Spoiling = modifier.T2Preparation = "NONE"
    anatomy.FrameLaterality = "U"
    anatomy.AnatomicRegionSequence = Items([_code("69536005", "SCT", "Head")])
    return _group(
        MRTimingAndRelatedParametersSequence=timing,
        MRModifierSequence=modifier,
        FrameAnatomySequence=anatomy,
        PixelMeasuresSequence=_picked(first, "PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
        MRAveragesSequence=_picked(first, "NumberOfAverages"),
    )


def _frame_groups(datasets: Sequence[Dataset], index: int, agent_phase: str) -> Dataset:
    dataset = datasets[index]
    transformation, echo, kind = Dataset(), Dataset(), Dataset()
    transformation.RescaleSlope = dataset.get("RescaleSlope", 1)
    transformation.RescaleIntercept = dataset.get("RescaleIntercept", 0)
    transformation.RescaleType = "US"
    echo.EffectiveEchoTime = float(dataset.EchoTime)
    kind.FrameType = ["ORIGINAL", "PRIMARY", "T1", "NONE"]
    kind.PixelPresentation, kind.VolumetricProperties = "MONOCHROME", "VOLUME"
    kind.VolumeBasedCalculationTechnique = "NONE"
    kind.ComplexImageComponent, kind.AcquisitionContrast = "MAGNITUDE", "T1"
    groups = _group(
        FrameContentSequence=_frame_content(datasets, index),
        PlanePositionSequence=_picked(dataset, "ImagePositionPatient"),
        PlaneOrientationSequence=_picked(dataset, "ImageOrientationPatient"),
        PixelValueTransformationSequence=transformation,
        MREchoSequence=echo,
        MRImageFrameTypeSequence=kind,
    )
    if "WindowCenter" in dataset:
        groups.FrameVOILUTSequence = Items([_picked(dataset, "WindowCenter", "WindowWidth")])
    if agent_phase:
        usage = Dataset()
        usage.ContrastBolusAgentNumber = 1
        usage.ContrastBolusAgentAdministered = "NO" if agent_phase == "PRE_CONTRAST" else "YES"
        usage.ContrastBolusAgentDetected = usage.ContrastBolusAgentAdministered
        usage.ContrastBolusAgentPhase = agent_phase
        groups.ContrastBolusUsageSequence = Items([usage])
    return groups


def _frame_content(datasets: Sequence[Dataset], index: int) -> Dataset:
    """Return the frame's stack, its place in it, its time, and all three as dimension indices."""
    dataset = datasets[index]
    orientation = np.asarray(dataset.ImageOrientationPatient, float)
    normal = np.cross(orientation[:3], orientation[3:])
    places = [round(float(np.asarray(d.ImagePositionPatient, float) @ normal), 3) for d in datasets]
    echoes = [float(d.EchoTime) for d in datasets]
    content = Dataset()
    content.FrameAcquisitionNumber = dataset.get("AcquisitionNumber", 1)
    content.FrameAcquisitionDateTime = dataset.AcquisitionDate + dataset.AcquisitionTime
    content.FrameReferenceDateTime = content.FrameAcquisitionDateTime
    content.FrameAcquisitionDuration = 0.0
    content.StackID = STACK_ID
    content.InStackPositionNumber = sorted(set(places)).index(places[index]) + 1
    content.TemporalPositionIndex = int(dataset.get("TemporalPositionIdentifier", 1))
    echo = sorted(set(echoes)).index(echoes[index]) + 1
    content.DimensionIndexValues = [1, content.TemporalPositionIndex, echo, content.InStackPositionNumber]
    return content


def _describe_dimensions(made: Dataset) -> None:
    uid = make_uid(phantom_scan().subject, made.SOPInstanceUID, "dimensions")
    organization = Dataset()
    organization.DimensionOrganizationUID = uid
    made.DimensionOrganizationSequence = Items([organization])
    pointers = (
        (0x00209056, 0x00209111),  # StackID in FrameContentSequence
        (0x00209128, 0x00209111),  # TemporalPositionIndex
        (0x00189082, 0x00189114),  # EffectiveEchoTime in MREchoSequence
        (0x00209057, 0x00209111),  # InStackPositionNumber
    )
    items = []
    for pointer, group in pointers:
        item = Dataset()
        item.DimensionOrganizationUID = uid
        item.DimensionIndexPointer, item.FunctionalGroupPointer = pointer, group
        items.append(item)
    made.DimensionIndexSequence = Items(items)


def _agent() -> Dataset:
    agent = _code("404851008", "SCT", "Gadoterate meglumine")
    agent.ContrastBolusAgentNumber = 1
    agent.ContrastBolusAdministrationRouteSequence = Items([_code("47625008", "SCT", "Intravenous route")])
    agent.ContrastBolusVolume = "14.0"
    return agent


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _picked(dataset: Dataset, *keywords: str) -> Dataset:
    item = Dataset()
    for keyword in keywords:
        if keyword in dataset:
            setattr(item, keyword, copy.deepcopy(dataset[keyword].value))
    return item


def _group(**items: Dataset) -> Dataset:
    group = Dataset()
    for keyword, item in items.items():
        setattr(group, keyword, Items([item]))
    return group
