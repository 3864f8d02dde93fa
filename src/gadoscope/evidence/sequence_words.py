"""What tags call the things that are no T1 brain series.

References
----------
DICOM PS3.3 C.7.6.1.1.2 and C.8.3.1.1.1 (ImageType), C.8.13.3.1 (Image Type and Acquisition Contrast of
Enhanced MR), PS3.16 annex L (BodyPartExamined); vendors' conformance statements for the rest.
"""

from gadoscope.evidence.tokens import parse_words

MR_SOP_CLASSES = frozenset(
    (
        "1.2.840.10008.5.1.4.1.1.4",  # MR Image
        "1.2.840.10008.5.1.4.1.1.4.1",  # Enhanced MR Image
        "1.2.840.10008.5.1.4.1.1.4.3",  # Enhanced MR Color Image
        "1.2.840.10008.5.1.4.1.1.4.4",  # Legacy Converted Enhanced MR Image
    )
)

# reason: (SOP class, what it is)
SOP_CLASS_REASONS = {
    "spectroscopy": ("1.2.840.10008.5.1.4.1.1.4.2", "MR spectroscopy"),
    "secondary_capture": ("1.2.840.10008.5.1.4.1.1.7", "a secondary capture"),
}

# reason: (words of ImageType, what they mean). M and R (magnitude, real) pass; P and I do not.
IMAGE_TYPE_REASONS: dict[str, tuple[frozenset[str], str]] = {
    "localizer": (frozenset(("LOCALIZER", "LOCALISER", "SCOUT")), "a localizer"),
    "subtraction": (frozenset(("SUB", "SUBTRACT", "SUBTRACTION")), "a subtraction"),
    "projection": (
        frozenset(("MIP", "MNIP", "MINIP", "MAX", "MIN", "PROJECTION", "PJN", "STDDEV")),
        "a projection",
    ),
    "phase_image": (
        frozenset(("P", "I", "PHASE", "PHASE MAP", "IMAGINARY", "VELOCITY")),
        "phase or imaginary data",
    ),
    "diffusion": (
        frozenset(("DIFFUSION", "TRACEW", "TRACE", "ADC", "FA", "TENSOR", "CALC BVALUE", "EADC")),
        "a diffusion image",
    ),
    "perfusion": (
        frozenset(("PERFUSION", "RCBV", "RCBF", "CBV", "CBF", "MTT", "TTP", "TMAX", "ASL", "RELCBV")),
        "a perfusion image",
    ),
    "parametric_map": (
        frozenset(("T1 MAP", "T2 MAP", "R1", "R2", "R2 STAR MAP", "T2 STAR MAP", "FIELD MAP", "B0", "B1")),
        "a parametric map",
    ),
    "spectroscopy": (frozenset(("SPECTROSCOPY", "CSI", "METABOLITE")), "spectroscopy"),
    "secondary_capture": (frozenset(("SCREEN", "SCREEN SAVE", "SECONDARY CAPTURE")), "a screen capture"),
}

# A resampled acquisition shows what was acquired.
REFORMATTED = frozenset(("MPR", "REFORMATTED", "RESAMPLED", "NORM", "DIS2D", "DIS3D", "MFSPLIT", "COMPOSED"))

# reason: (tokens of SeriesDescription, what they name). Words of one meaning only.
TITLE_REASONS: dict[str, tuple[frozenset[str], str]] = {
    "localizer": (
        parse_words("localizer localiser scout survey aahead aahscout lokalizer topogram reperage"),
        "a localizer",
    ),
    "subtraction": (
        parse_words(
            "subtraction subtracted subtr subtraktion soustraction sottrazione sustraccion subtracao"
            " subtractie subtraksjon"
        ),
        "a subtraction",
    ),
    "projection": (parse_words("mip minip mnip"), "a projection"),
    "spectroscopy": (parse_words("spectroscopy spektroskopie csi svs"), "spectroscopy"),
    "phase_image": (frozenset(("phasemap", "unwrapped")), "phase data"),
}

# AcquisitionContrast of Enhanced MR: reason to refuse; T1, MIXED, UNKNOWN and others pass.
OTHER_CONTRASTS = {
    "T2": "t2_weighted",
    "T2_STAR": "t2_weighted",
    "PROTON_DENSITY": "proton_density",
    "FLUID_ATTENUATED": "flair",
    "STIR": "stir",
    "DIFFUSION": "diffusion",
    "PERFUSION": "perfusion",
    "FLOW_ENCODED": "angiography",
    "TOF": "angiography",
    "SPECTROSCOPY": "spectroscopy",
}

BRAIN_PARTS = parse_words(
    "head brain skull neuro cranium cerebrum headneck kopf schadel schaedel gehirn hirn tete crane cerveau"
    " encephale testa cranio encefalo cervello cabeza craneo cerebro cabeca hoofd hersenen schedel hjarna"
    " skalle huvud hjerne hode hoved pituitary hypophysis hypophyse sella"
)
# Beside the brain: such a field of view may hold it.
NEAR_PARTS = parse_words("neck orbit orbits face facial iac ear sinus sinuses tmj jaw hals cou collo")
OTHER_PARTS = parse_words(
    "spine cspine tspine lspine lsspine ssspine cervical thoracic lumbar sacrum coccyx chest thorax heart"
    " breast abdomen liver kidney pancreas pelvis prostate uterus hip knee ankle foot shoulder elbow wrist"
    " hand arm leg thigh calf femur humerus extremity aorta wholebody wirbelsaule lws hws bws rachis colonna"
    " columna coluna mamma mama rectum bladder forearm finger toe tibia"
)
