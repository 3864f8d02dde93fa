"""What a BIDS file name says: its entities and its suffix.

References
----------
BIDS 1.11, "File name structure" and "Magnetic Resonance Imaging"
"""

import re
from dataclasses import dataclass

from gadoscope.errors import RefusedError
from gadoscope.reading.archives.places import Place
from gadoscope.reading.nifti.names import split_suffix

_ENTITY = re.compile(r"([a-zA-Z]+)-([a-zA-Z0-9+]+)")
_SUFFIX = re.compile(r"[a-zA-Z0-9]+")
_JSON = ".json"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.lower().split())  # BIDS minds capitals, those who name files do not


# reason: (suffixes, what they name)
OTHER_SUFFIXES: dict[str, tuple[frozenset[str], str]] = {
    "t2_weighted": (
        _words("T2w T2star T2starw PDT2 inplaneT2 MESE MEGRE swi"),
        "a T2- or T2*-weighted image",
    ),
    "flair": (_words("FLAIR"), "a FLAIR image"),
    "proton_density": (_words("PDw PD"), "a proton-density image"),
    "diffusion": (_words("dwi ADC FA trace S0map colFA expADC"), "diffusion data"),
    "functional": (_words("bold cbv sbref phase"), "functional data"),
    "perfusion": (_words("asl m0scan cbf"), "perfusion data"),
    "angiography": (_words("angio"), "an angiogram"),
    "field_map": (
        _words(
            "epi fieldmap magnitude magnitude1 magnitude2 phase1 phase2 phasediff TB1AFI TB1DAM TB1EPI TB1RFM"
            " TB1SRGE TB1TFL TB1map RB1COR RB1map"
        ),
        "a field map",
    ),
    "parametric_map": (
        _words(
            "T1map T2map T2starmap R1map R2map R2starmap PDmap MTRmap MTsat MTVmap MWFmap T1rho Chimap"
            " PDT2map M0map"
        ),
        "a parametric map",
    ),
    "other_contrast": (
        _words("IRT1 MP2RAGE MPM MTS MTR MTw VFA"),
        "one of several images from which a map is computed",
    ),
    "segmentation": (_words("mask defacemask dseg probseg roi lesions"), "a segmentation"),
    "localizer": (_words("localizer scout"), "a localizer"),
    "spectroscopy": (_words("svs mrsi mrsref unloc"), "spectroscopy"),
    "not_mr": (_words("pet blood CT"), "another modality"),
}
# Of entity `part`: magnitude and real are brightness as a reader knows it, the others are not.
_PHASE_PARTS = frozenset(("phase", "imag"))


@dataclass(frozen=True)
class BidsName:
    """A file name taken apart.

    Attributes
    ----------
    entities
        Key to label, as ``{"sub": "01", "ce": "gd"}``, in the order of the name.
    suffix
        The last part: ``T1w``.
    """

    entities: dict[str, str]
    suffix: str

    def applies_to(self, image: "BidsName") -> bool:
        """Return whether metadata of this name are metadata of ``image``, by the inheritance principle."""
        return self.suffix == image.suffix and self.entities.items() <= image.entities.items()


def parse_name(name: str) -> BidsName | None:
    """Take the name of an image or a sidecar apart; ``None`` if BIDS does not name files so."""
    stem = name[: -len(_JSON)] if name.lower().endswith(_JSON) else split_suffix(name)[0]
    *pairs, suffix = stem.split("_")
    if not _SUFFIX.fullmatch(suffix):
        return None
    entities: dict[str, str] = {}
    for pair in pairs:
        found = _ENTITY.fullmatch(pair)
        if found is None or found[1] in entities:
            return None
        entities[found[1]] = found[2]
    return BidsName(entities, suffix)


def parse_image_name(path: Place) -> BidsName | None:
    """Take the name of an image apart; ``None`` unless it begins with a subject, as BIDS demands."""
    name = parse_name(path.name) if split_suffix(path.name)[1] else None
    return name if name is not None and next(iter(name.entities), "") == "sub" else None


def check_suffix(path: Place) -> None:
    """Let pass what BIDS names T1-weighted, and every name that BIDS does not know.

    Raises
    ------
    RefusedError
        If the suffix, or the entity ``part``, says that the image is something else.
    """
    name = parse_image_name(path)
    if name is None:
        return
    for reason, (suffixes, meaning) in OTHER_SUFFIXES.items():
        if name.suffix.lower() in suffixes:
            raise RefusedError(
                reason, f'the BIDS suffix "{name.suffix}" of its name means {meaning}; only T1w is answered.'
            )

    part = name.entities.get("part", "")
    if part in _PHASE_PARTS:
        raise RefusedError(
            "phase_image", f'the BIDS entity "part-{part}" of its name means phase or imaginary data, not T1.'
        )
