"""What the values of code strings may be: the words that a quotation of them shows.

References
----------
DICOM PS3.3 C.7.3.1.1.1 (Modality), C.7.6.1.1.2, C.8.3.1.1.1 and C.8.13.3.1 (Image Type), C.8.3.1,
C.8.13.4 and C.8.13.5 (sequence and contrast), PS3.16 annex L (body parts); vendors' conformance statements
for the rest.
"""

from gadoscope.evidence.sequence_words import BRAIN_PARTS, IMAGE_TYPE_REASONS, NEAR_PARTS, OTHER_PARTS
from gadoscope.evidence.tokens import parse_tokens, parse_words
from gadoscope.labels import MODALITIES

IMAGE_TYPES = parse_words(
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
SEQUENCE_CODES = parse_words(
    "se ir gr ep rm sk mtc ss trss sp mp osp tof none spin gradient both yes no per rg cg ppg fc pff pfp"
    " fs pfs sat 2d 3d t1 t2 t2_star proton_density fluid_attenuated stir diffusion perfusion flow_encoded"
    " tagging temperature elastography mixed unknown magnitude phase real imaginary acc_gems filtered_gems"
)
UNITS = parse_words(
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
        *(IMAGE_TYPES | SEQUENCE_CODES | UNITS | _REFUSED_IMAGE_TYPES),
        *(BRAIN_PARTS | NEAR_PARTS | OTHER_PARTS),
    )
    for token in parse_tokens(word)
)
"""As `parse_tokens` cuts them: ``DIS2D`` is ``dis`` and ``2d``."""
