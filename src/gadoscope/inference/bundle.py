"""The bundle: one .onnx file that carries everything needed to use it, in one metadata entry.

The ONNX file takes one input and gives one output, or two if it has a gate::

    images          float32 (batch, 1, size, size), in [0, 1]
    logit           float32 (batch,)   P(post-contrast) = sigmoid of the calibrated logit
    t1_brain_logit  float32 (batch,)   P(a T1 brain) = sigmoid of it

Its ``metadata_props`` hold one entry, ``gadoscope``: the JSON of :class:`BundleMetadata`. There is
no pickle anywhere, and nothing in the file is executed but the network's own arithmetic.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from gadoscope.decision.aggregation import Aggregation
from gadoscope.decision.calibration import Calibration
from gadoscope.decision.decision import Decision, LevelDecision
from gadoscope.decision.gate import Gate
from gadoscope.decision.operating_point import OperatingPoint, Promise
from gadoscope.errors import BundleError
from gadoscope.imaging.intensity import ImagePath
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.labels import CLASS_ORDER, Plane

METADATA_KEY = "gadoscope"
"""Name of the one entry in the ONNX file's ``metadata_props``."""

FORMAT_VERSION = 3
"""Rises whenever an older Gadoscope could misunderstand a bundle.

1 had no slice policy; 2 knew neither calibration nor aggregation, and promised nothing.
"""

INPUT_NAME = "images"
OUTPUT_NAME = "logit"
GATE_OUTPUT_NAME = "t1_brain_logit"

MAX_NAME_LENGTH = 200
"""Characters of the names of a bundle and its network."""
MAX_QUOTE_LENGTH = 300
"""Characters that an error quotes of what it found."""

MODEL_ID_DIGITS = 8
"""Hexadecimal digits of the SHA-256 that name a model in result tables: 1 in 4 billion by chance."""


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
    decision
        How the network's logits become an answer.
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
    decision: Decision
    training: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""
    performance: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the metadata as JSON: equal metadata gives equal bytes.

        Raises
        ------
        ValueError
            If ``training`` or ``performance`` holds NaN or infinity, which JSON does not know.
        """
        document = {name: getattr(self, name) for name in _PLAIN} | dict(self.decision.to_dict())
        document["image_path"] = self.image_path.to_dict()
        document["slice_policy"] = self.slice_policy.to_dict()
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
                f"this bundle has class_order {_quote(document['class_order'])}; "
                f"expected {list(CLASS_ORDER)}. Export it again with this Gadoscope."
            )
        for key in ("name", "network"):
            if len(document[key]) > MAX_NAME_LENGTH:
                raise BundleError(
                    f"this bundle's {key} has {len(document[key]):,} characters; at most {MAX_NAME_LENGTH} "
                    "are read, for it stands in rows and errors. Export it again under a shorter one."
                )
        values = {name: document[name] for name in _PLAIN}
        try:
            values["planes"] = tuple(Plane(plane) for plane in document["planes"])
            values["image_path"] = ImagePath.from_dict(document["image_path"])
            values["slice_policy"] = SlicePolicy.from_dict(document["slice_policy"])
            return cls(**values, decision=_parse_decision(document))
        except (ValueError, TypeError, KeyError) as error:
            raise BundleError(
                f"this bundle's metadata does not fit: {_quote(error)} "
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


_PLAIN = tuple(entry.name for entry in fields(BundleMetadata) if entry.name != "decision")
"""Fields that are keys of the JSON; the decision is six keys beside them."""

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
    "aggregation": (dict,),
    "series_operating_point": (dict, type(None)),
    "series_calibration": (dict, type(None)),
    "gate": (dict, type(None)),
    "training": (dict,),
    "licence": (str,),
    "performance": (dict,),
}
_OPERATING_POINT_TYPES: dict[str, tuple[type, ...]] = {
    "threshold": (float, int),
    "lower": (float, int),
    "upper": (float, int),
    "rule": (str,),
    "rule_parameters": (dict,),
    "chosen_on": (str,),
    "reached": (str,),
    "promise": (dict, type(None)),
}
_PROMISE_TYPES: dict[str, tuple[type, ...]] = {
    "max_risk": (float, int),
    "confidence": (float, int),
    "is_promised": (bool,),
    "coverage": (float, int, type(None)),
    "sentence": (str,),
}
_GATE_TYPES: dict[str, tuple[type, ...]] = {
    "threshold": (float, int),
    "max_refused": (float, int),
    "chosen_on": (str,),
    "reached": (str,),
}
_JSON_NAMES = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


def _quote(value: object) -> str:
    """Return what was found, for a sentence: no longer than a sentence may be."""
    text = str(value)
    return text if len(text) <= MAX_QUOTE_LENGTH else f"{text[:MAX_QUOTE_LENGTH]} ..."


def _parse_object(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise BundleError(f"this bundle's metadata is not JSON: {error}. The file is damaged.") from error
    except RecursionError as error:  # brackets in brackets by the thousand
        raise BundleError("this bundle's metadata is nested too deep. The file is damaged.") from error
    if not isinstance(document, dict):
        raise BundleError(
            f"this bundle's metadata is a JSON {type(document).__name__}; expected an object. "
            "The file is damaged."
        )
    return document


def _parse_decision(document: dict[str, Any]) -> Decision:
    of_series = None
    if (document["series_operating_point"] is None) != (document["series_calibration"] is None):
        raise ValueError(
            "series_operating_point and series_calibration go together: a threshold holds on the "
            "scale on which it was chosen."
        )
    if document["series_operating_point"] is not None:
        of_series = _parse_level(document, "series_")
    return Decision(
        of_slice=_parse_level(document, ""),
        of_series=of_series,
        aggregation=Aggregation.from_dict(document["aggregation"]),
        gate=None if document["gate"] is None else _parse_gate(document["gate"]),
    )


def _parse_level(document: dict[str, Any], prefix: str) -> LevelDecision:
    name = f"{prefix}operating_point"
    return LevelDecision(
        point=_parse_point(document[name], name),
        calibration=Calibration.from_dict(document[f"{prefix}calibration"]),
    )


def _parse_point(document: dict[str, Any], name: str) -> OperatingPoint:
    _check_keys(document, _OPERATING_POINT_TYPES, name)
    promise = document["promise"]
    if promise is not None:
        _check_keys(promise, _PROMISE_TYPES, f"{name}.promise")
        promise = Promise(**promise)
    return OperatingPoint(**{**document, "promise": promise})


def _parse_gate(document: dict[str, Any]) -> Gate:
    _check_keys(document, _GATE_TYPES, "gate")
    return Gate(**document)


def _check_format_version(document: dict[str, Any]) -> None:
    version = document.get("format_version")
    if type(version) is int and version < FORMAT_VERSION:
        raise BundleError(
            f"this bundle is of format {_quote(version)}; this Gadoscope reads {FORMAT_VERSION}: export it "
            "again, with `gadoscope train --resume` for its run folder or with `gadoscope import-keras`."
        )
    if version != FORMAT_VERSION:
        raise BundleError(
            f"this bundle is of format {_quote(version)}; this Gadoscope reads {FORMAT_VERSION}: "
            "upgrade with pip, or export the bundle again."
        )


def _check_keys(document: dict[str, Any], types: dict[str, tuple[type, ...]], where: str) -> None:
    missing = sorted(types.keys() - document.keys())
    if missing:
        raise BundleError(f"{where} of this bundle lacks {', '.join(missing)}. Export it again.")
    unknown = sorted(document.keys() - types.keys())
    if unknown:
        raise BundleError(
            f"{where} of this bundle has unknown keys: {_quote(', '.join(unknown))}. "
            "It was written by another Gadoscope: upgrade with pip."
        )
    for key, expected in types.items():
        value = document[key]
        if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
            raise BundleError(
                f"{where} of this bundle has {key} = {_quote(repr(value))}; "
                f"expected {_JSON_NAMES[expected[0]]}. Export it again."
            )
