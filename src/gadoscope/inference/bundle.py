"""The bundle: one .onnx file that carries everything needed to use it, in one metadata entry.

The ONNX file takes one input and gives one output::

    images  float32 (batch, 1, size, size), in [0, 1]
    logit   float32 (batch,)                 P(post-contrast) = 1 / (1 + exp(-logit))

Its ``metadata_props`` hold one entry, ``gadoscope``: the JSON of :class:`BundleMetadata`. There is
no pickle anywhere, and nothing in the file is executed but the network's own arithmetic.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from gadoscope.errors import BundleError
from gadoscope.imaging.intensity import ImagePath
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.labels import CLASS_ORDER, Plane

METADATA_KEY = "gadoscope"
"""Name of the one entry in the ONNX file's ``metadata_props``."""

FORMAT_VERSION = 2
"""Rises whenever an older Gadoscope could misunderstand a bundle; 1 had no slice policy."""

INPUT_NAME = "images"
OUTPUT_NAME = "logit"

CALIBRATION_METHODS = ("none",)
"""How a logit becomes a probability beyond the sigmoid; an unknown one is refused, not skipped."""

MODEL_ID_DIGITS = 8
"""Hexadecimal digits of the SHA-256 that name a model in result tables: 1 in 4 billion by chance."""


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """Where a probability becomes an answer; chosen on validation data, frozen in the bundle.

    ``lower <= threshold <= upper``, all in [0, 1]. Probabilities in ``[lower, upper)`` are
    INDETERMINATE; the band is empty where ``lower == upper``. ``rule`` says how the threshold was
    chosen and ``chosen_on`` on which data.
    """

    threshold: float
    lower: float
    upper: float
    rule: str
    chosen_on: str

    def __post_init__(self) -> None:
        if not 0 <= self.lower <= self.threshold <= self.upper <= 1:
            raise ValueError(
                "operating_point must hold 0 <= lower <= threshold <= upper <= 1, but it has "
                f"lower {self.lower}, threshold {self.threshold}, upper {self.upper}."
            )


@dataclass(frozen=True, kw_only=True)
class BundleMetadata:
    """What a bundle says of itself.

    Parameters
    ----------
    name
        Short name of the model, such as ``lesson``; with the file's SHA-256 it names the model.
    network
        Name in the registry of networks, such as ``siim``.
    n_parameters
        Trained numbers in the network.
    image_path
        How a slice becomes the network's input: the same in training and inference.
    slice_policy
        Which slices of a volume are read.
    planes
        Acquisition planes it was trained on; empty where unknown.
    operating_point
        Where a probability becomes an answer.
    calibration
        ``{"method": "none"}``: the probability is the plain sigmoid of the logit.
    training
        Provenance: data, seed, versions, hardware.
    licence
        Licence of the weights.
    performance
        What was measured, on which data.
    """

    name: str
    network: str
    n_parameters: int
    image_path: ImagePath
    slice_policy: SlicePolicy
    planes: tuple[Plane, ...]
    operating_point: OperatingPoint
    calibration: Mapping[str, Any] = field(default_factory=lambda: {"method": "none"})
    training: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""
    performance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        method = self.calibration.get("method")
        if method not in CALIBRATION_METHODS:
            raise ValueError(
                f"calibration has the method {method!r}; this Gadoscope knows "
                f"{', '.join(CALIBRATION_METHODS)}: upgrade with pip."
            )

    def to_json(self) -> str:
        """Return the metadata as JSON: equal metadata gives equal bytes.

        Raises
        ------
        ValueError
            If ``training`` or ``performance`` holds NaN or infinity, which JSON does not know.
        """
        document = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        document["image_path"] = self.image_path.to_dict()
        document["slice_policy"] = self.slice_policy.to_dict()
        document["operating_point"] = dict(vars(self.operating_point))
        document["class_order"] = list(CLASS_ORDER)
        document["format_version"] = FORMAT_VERSION
        return json.dumps(document, sort_keys=True, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "BundleMetadata":
        """Read what :meth:`to_json` wrote, and nothing else.

        Raises
        ------
        BundleError
            Names the key that is missing, unknown or wrong, and what was expected.
        """
        document = _parse_object(text)
        _check_format_version(document)
        _check_keys(document, _METADATA_TYPES, "the metadata")
        if document["class_order"] != list(CLASS_ORDER):
            raise BundleError(
                f"this bundle has class_order {document['class_order']}; "
                f"expected {list(CLASS_ORDER)}. Export it again with this Gadoscope."
            )
        values = {entry.name: document[entry.name] for entry in fields(cls)}
        _check_keys(document["operating_point"], _OPERATING_POINT_TYPES, "operating_point")
        try:
            values["planes"] = tuple(Plane(plane) for plane in document["planes"])
            values["image_path"] = ImagePath.from_dict(document["image_path"])
            values["slice_policy"] = SlicePolicy.from_dict(document["slice_policy"])
            values["operating_point"] = OperatingPoint(**document["operating_point"])
            return cls(**values)
        except (ValueError, TypeError, KeyError) as error:
            raise BundleError(
                f"this bundle's metadata does not fit: {error} "
                "Export it again, or use a Gadoscope that reads it."
            ) from error


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk: where it is, the SHA-256 of its bytes, and what it says of itself."""

    path: Path
    sha256: str
    metadata: BundleMetadata

    @property
    def model_id(self) -> str:
        """Return ``name@`` and the first digits of the SHA-256: the model column of every table."""
        return f"{self.metadata.name}@{self.sha256[:MODEL_ID_DIGITS]}"


_METADATA_TYPES: dict[str, tuple[type, ...]] = {
    "format_version": (int,),
    "class_order": (list,),
    "name": (str,),
    "network": (str,),
    "n_parameters": (int,),
    "image_path": (dict,),
    "slice_policy": (dict,),
    "planes": (list,),
    "operating_point": (dict,),
    "calibration": (dict,),
    "training": (dict,),
    "licence": (str,),
    "performance": (dict,),
}
_OPERATING_POINT_TYPES: dict[str, tuple[type, ...]] = {
    "threshold": (float, int),
    "lower": (float, int),
    "upper": (float, int),
    "rule": (str,),
    "chosen_on": (str,),
}
_JSON_NAMES = {int: "an integer", float: "a number", str: "a string", list: "a list", dict: "an object"}


def _parse_object(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise BundleError(f"this bundle's metadata is not JSON: {error}. The file is damaged.") from error
    if not isinstance(document, dict):
        raise BundleError(
            f"this bundle's metadata is a JSON {type(document).__name__}; expected an object. "
            "The file is damaged."
        )
    return document


def _check_format_version(document: dict[str, Any]) -> None:
    version = document.get("format_version")
    if type(version) is int and version < FORMAT_VERSION:
        raise BundleError(
            f"this bundle is of format {version}; this Gadoscope reads {FORMAT_VERSION}: export it "
            "again, with `gadoscope train --resume` for its run folder or with `gadoscope import-keras`."
        )
    if version != FORMAT_VERSION:
        raise BundleError(
            f"this bundle is of format {version}; this Gadoscope reads {FORMAT_VERSION}: "
            "upgrade with pip, or export the bundle again."
        )


def _check_keys(document: dict[str, Any], types: dict[str, tuple[type, ...]], where: str) -> None:
    missing = sorted(types.keys() - document.keys())
    if missing:
        raise BundleError(f"{where} of this bundle lacks {', '.join(missing)}. Export it again.")
    unknown = sorted(document.keys() - types.keys())
    if unknown:
        raise BundleError(
            f"{where} of this bundle has unknown keys: {', '.join(unknown)}. "
            "It was written by another Gadoscope: upgrade with pip."
        )
    for key, expected in types.items():
        value = document[key]
        if not isinstance(value, expected) or isinstance(value, bool):
            raise BundleError(
                f"{where} of this bundle has {key} = {value!r}; "
                f"expected {_JSON_NAMES[expected[0]]}. Export it again."
            )
