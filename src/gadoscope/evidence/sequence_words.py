"""What tags call the things that are no T1 brain series, and what the values of code strings may be.

References
----------
DICOM PS3.3 C.7.3.1.1.1 (Modality), C.7.6.1.1.2 and C.8.3.1.1.1 (ImageType), C.8.13.3.1 (Image Type and
Acquisition Contrast of Enhanced MR), C.8.3.1, C.8.13.4 and C.8.13.5 (sequence and contrast), PS3.16 annex L
(BodyPartExamined); vendors' conformance statements for the rest.
"""

from gadoscope.evidence.tokens import parse_tokens, parse_words
from gadoscope.labels import MODALITIES

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

# reason: (words of ImageType, what they mean), in the order in which they are asked. M and R (magnitude,
# real) pass; P and I do not.
IMAGE_TYPE_REASONS: dict[str, tuple[frozenset[str], str]] = {
    "localizer": (frozenset(("LOCALIZER", "LOCALISER", "SCOUT", "SURVEY")), "a localizer"),
    "subtraction": (frozenset(("SUB", "SUBTRACT", "SUBTRACTION")), "a subtraction"),
    "projection": (
        frozenset(
            ("MIP", "MNIP", "MINIP", "MAX", "MIN", "MAX IP", "MIN IP", "TMIP", "PROJECTION", "PJN", "STDDEV")
        ),
        "a projection",
    ),
    "phase_image": (
        frozenset(("P", "I", "PHASE", "PHASE MAP", "PHASE IMAGE", "IMAGINARY", "VELOCITY", "VELOCITY MAP")),
        "phase or imaginary data",
    ),
    "t2_weighted": (frozenset(("T2", "T2W", "T2 STAR", "T2 STAR W", "SWI")), "a T2- or T2*-weighted image"),
    "proton_density": (frozenset(("PROTON DENSITY",)), "a proton-density image"),
    "flair": (frozenset(("FLUID ATTENUATED", "FLAIR")), "a FLAIR image"),
    "stir": (frozenset(("STIR",)), "a STIR image"),
    "functional": (frozenset(("FMRI", "BOLD", "TTEST", "T TEST")), "functional data"),
    "diffusion": (
        frozenset(
            (
                "DIFFUSION",
                "TRACEW",
                "TRACE",
                "ADC",
                "FA",
                "TENSOR",
                "CALC BVALUE",
                "CALC B VALUE",
                "CALCULATED BVALUE",
                "EADC",
                "FRACTIONAL ANISOTROPY",
                "MEAN DIFFUSIVITY",
            )
        ),
        "a diffusion image",
    ),
    "perfusion": (
        frozenset(("PERFUSION", "RCBV", "RCBF", "CBV", "CBF", "MTT", "TTP", "TMAX", "ASL", "RELCBV")),
        "a perfusion image",
    ),
    "field_map": (
        frozenset(
            ("B0", "B1", "B0 MAP", "B1 MAP", "FIELD MAP", "FIELDMAP", "FIELDMAP HZ", "FIELD MAP HZ", "FMAP")
        ),
        "a field map",
    ),
    "parametric_map": (
        frozenset(
            (
                "MAP",
                "QMAP",
                "T1 MAP",
                "T2 MAP",
                "R1",
                "R2",
                "R1 MAP",
                "R2 MAP",
                "PD MAP",
                "T1RHO",
                "FAT FRACTION",
            )
        ),
        "a parametric map",
    ),
    "angiography": (
        frozenset(("TOF", "ANGIO", "FLOW ENCODED", "PHASE CONTRAST", "PCA")),
        "an angiogram",
    ),
    "spectroscopy": (frozenset(("SPECTROSCOPY", "CSI", "METABOLITE")), "spectroscopy"),
    "secondary_capture": (frozenset(("SCREEN", "SCREEN SAVE", "SECONDARY CAPTURE")), "a screen capture"),
}

# Of these a value as a whole counts: as a part of one their words say other things (IN_PHASE, T2_PREP).
WHOLE_VALUES = frozenset(("phase_image", "t2_weighted", "proton_density", "flair", "stir", "functional"))

# A resampled acquisition shows what was acquired.
REFORMATTED = frozenset(("MPR", "REFORMATTED", "RESAMPLED", "NORM", "DIS2D", "DIS3D", "MFSPLIT", "COMPOSED"))

# Units of a BIDS sidecar, or of DICOM's RescaleType, in which no image is: frequencies, times, angles,
# fields, shares. Without the division by a time and without a power.
MAP_UNITS = parse_words(
    "hz khz hertz rad mrad millirad milliradian milliradians milliradial milliradials radian radians"
    " degree degrees deg s ms sec second seconds msec millisecond milliseconds ppm ppb t mt ut tesla"
    " microtesla nt mm2 um2 percent %"
)

# Keyword of a BIDS sidecar that only such an image has: reason to refuse, and what it is.
OTHER_METADATA = {
    "TaskName": ("functional", "functional data"),
    "ArterialSpinLabelingType": ("perfusion", "perfusion data"),
    "PostLabelingDelay": ("perfusion", "perfusion data"),
    "EchoTime2": ("field_map", "a field map of two echoes"),
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
    " skalle huvud hjerne hode hoved pituitary hypophysis hypophyse sella ipofisi hipofisis hipofise hypofyse"
    " hypofys"
)
# Beside the brain: such a field of view may hold it.
NEAR_PARTS = parse_words("neck orbit orbits face facial iac ear sinus sinuses tmj jaw hals cou collo")
# What lies in a head, and is scanned alone in a small field of view.
PARTS_OF_HEAD = parse_words(
    "orbit orbits orbita orbitas orbite orbiten iac iacs cai cais ear mastoid petrous rocher rochers"
    " felsenbein khbw cpa trigeminal trigeminus hippocampus cavernous"
)
OTHER_PARTS = parse_words(
    "spine cspine tspine lspine lsspine ssspine cervical thoracic lumbar sacrum coccyx chest thorax heart"
    " breast abdomen liver kidney pancreas pelvis prostate uterus hip knee ankle foot shoulder elbow wrist"
    " hand arm leg thigh calf femur humerus extremity aorta wholebody wirbelsaule lws hws bws rachis colonna"
    " columna coluna mamma mama rectum bladder forearm finger toe tibia limb limbs extremities joint"
    " extremities schulter ellenbogen handgelenk hufte huefte knie sprunggelenk becken herz leber niere"
    " epaule coude poignet kolano sacroiliac patella achilles plexus bone rib ribs scapula clavicle sternum"
    " stifle carpus tarsus fetlock hoof tail paw phantom exm mrcp"
    " hanche genou cheville bassin coeur foie spalla gomito polso anca ginocchio caviglia bacino cuore fegato"
    " hombro codo muneca cadera rodilla tobillo higado corazon ombro cotovelo punho quadril joelho tornozelo"
    " figado coracao schouder elleboog heup enkel bekken hart lever axel armbage handled hoft kna fotled"
)
# Of a word of BodyPartExamined: LOWEREXTREMITY, TLSPINE, RKNEE and LENDENWIRBELSAEULE are such parts too.
OTHER_STEMS = ("spine", "extrem", "limb", "knee", "wirbel", "ankle", "shoulder")
# Words that also mean something else where a person writes; of a description they do not count.
AMBIGUOUS_PARTS = parse_words(
    "hand arm leg hip calf toe finger heart mama mamma cervical joint hart lever axel anca polso punho kna"
)

_IMAGE_TYPES = parse_words(
    "original derived primary secondary other axial localizer localiser scout topogram mpr mip minip mnip"
    " vrt reformatted resampled projection image projn pjn max min mean sub subtract subtraction add"
    " addition multiplication division average averaged stddev sum std dev se ffe tfe ir se/m ffe/m m p r"
    " i phase map magnitude real imaginary mixed velocity t1 t2 star rho proton density fluid attenuated"
    " flair stir b0 b1 b1map field fieldmap calibration diffusion tracew trace adc eadc fa tensor tensorb0"
    " exponential anisotropy dwi calc bvalue bvalues perfusion flow encoded rcbv rcbf cbv cbf mtt ttp tmax"
    " relcbv relcbf relmtt relccbv gbp asl moco r1 r2 t2star spectroscopy csi metabolite screen save"
    " capture secondarycapture norm dis2d dis3d nd fm fil mfsplit composed compose uni uniform inv inv1"
    " inv2 in out opposed opp water fat dixon single delayed early late venous arterial portal volume none"
    " sw swi tof pc angio angiography csa csaparallel csamanipulated csaresampled reformat mono rgb t1map"
    " t2map research result processed unspecified cine dynamic gdc dfc filtered m_se m_ffe p_ffe propeller"
    " 2d 3d 4d snr ge gr"
)
_SEQUENCE_CODES = parse_words(
    "se ir gr ep rm sk mtc ss trss sp mp osp tof none spin gradient both yes no per rg cg ppg fc pff pfp"
    " fs pfs sat 2d 3d t1 t2 t2_star proton_density fluid_attenuated stir diffusion perfusion flow_encoded"
    " tagging temperature elastography mixed unknown magnitude phase real imaginary acc_gems filtered_gems"
)
_UNITS = parse_words(
    "hz khz rad mrad milliradian milliradians radian radians degree degrees deg s ms sec second seconds"
    " msec millisecond milliseconds ppm ppb t mt ut tesla mm2 um2 us hu od pct normalized arbitrary"
)
_PHRASES = frozenset(phrase for phrases, _ in IMAGE_TYPE_REASONS.values() for phrase in phrases)
# Vendors join the words of a phrase, too: FIELDMAPHZ.
_REFUSED_IMAGE_TYPES = _PHRASES | {phrase.replace(" ", "") for phrase in _PHRASES}
CODE_WORDS = frozenset(
    token.text
    for word in (
        *(word.lower() for word in MODALITIES),
        *(_IMAGE_TYPES | _SEQUENCE_CODES | _UNITS | _REFUSED_IMAGE_TYPES),
        *(BRAIN_PARTS | NEAR_PARTS | OTHER_PARTS),
    )
    for token in parse_tokens(word)
)
"""What a quotation of code strings shows, as `parse_tokens` cuts it: ``DIS2D`` is ``dis`` and ``2d``."""
