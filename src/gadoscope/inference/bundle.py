"""The bundle: one .onnx file that carries everything needed to use it, in one metadata entry.

The ONNX file takes one input and gives one output, two if it has a gate, three if that says what else an
image is::

    images          float32 (batch, 1, size, size), in [0, 1]
    logit           float32 (batch,)   P(post-contrast) = sigmoid of the calibrated logit
    t1_brain_logit  float32 (batch,)   P(a T1 brain) = sigmoid of it
    kind_logits     float32 (batch, n_kinds)   of each of the gate's kinds

Its ``metadata_props`` hold one entry, ``gadoscope``: the JSON of :class:`BundleMetadata`. There is
no pickle anywhere, and nothing in the file is executed but the network's own arithmetic.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gadoscope.decision.decision import Decision
from gadoscope.errors import BundleError
from gadoscope.imaging.intensity import ImagePath
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.labels import CLASS_ORDER, Phase, Plane
from gadoscope.misfits import MisfitError, MissingKeysError, UnknownKeysError, WrongValueError, quote
from gadoscope.records import Data, beside, from_plain, to_plain

METADATA_KEY = "gadoscope"
"""Name of the one entry in the ONNX file's ``metadata_props``."""

FORMAT_VERSION = 3
"""Rises whenever an older Gadoscope could misunderstand a bundle.

1 had no slice policy; 2 knew neither calibration nor aggregation, and promised nothing.
"""

INPUT_NAME = "images"
OUTPUT_NAME = "logit"
GATE_OUTPUT_NAME = "t1_brain_logit"
KIND_OUTPUT_NAME = "kind_logits"
BATCH_AXIS = "batch"

MAX_NAME_LENGTH = 200
"""Characters of the names of a bundle and its network."""

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
    decision: Decision = field(metadata=beside())
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
        document = _Document(format_version=FORMAT_VERSION, class_order=CLASS_ORDER, metadata=self)
        return json.dumps(to_plain(document), sort_keys=True, allow_nan=False, ensure_ascii=False)

    @property
    def outputs(self) -> Mapping[str, tuple[str | int, ...]]:
        """Return the network's outputs by name, in order, each with its shape; all are float32 logits."""
        gate = self.decision.gate
        shapes: dict[str, tuple[str | int, ...]] = {OUTPUT_NAME: (BATCH_AXIS,)}
        if gate is not None:
            shapes[GATE_OUTPUT_NAME] = (BATCH_AXIS,)
            if gate.kinds:
                shapes[KIND_OUTPUT_NAME] = (BATCH_AXIS, len(gate.kinds))
        return shapes

    @classmethod
    def from_json(cls, text: str) -> "BundleMetadata":
        """Read what :meth:`to_json` wrote, and nothing else.

        Raises
        ------
        BundleError
            Names the key that is missing, unknown or wrong, and what was expected.
        """
        plain = _parse_object(text)
        _check_format_version(plain)
        try:
            document = from_plain(_Document, plain)
        except MisfitError as error:
            raise BundleError(_explain(error)) from error
        if document.class_order != CLASS_ORDER:
            raise BundleError(
                f"this bundle has class_order {list(map(str, document.class_order))}; "
                f"expected {list(map(str, CLASS_ORDER))}. Export it again with this Gadoscope."
            )
        for key in ("name", "network"):
            name: str = plain[key]
            if len(name) > MAX_NAME_LENGTH:
                raise BundleError(
                    f"this bundle's {key} has {len(name):,} characters; at most {MAX_NAME_LENGTH} "
                    "are read, for it stands in rows and errors. Export it again under a shorter one."
                )
        return document.metadata


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk: where it is, the SHA-256 of its bytes, and what it says of itself."""

    path: Path
    sha256: str
    metadata: BundleMetadata

    @property
    def model_id(self) -> str:
        """Return ``name@`` and the first digits of the SHA-256: the model column of every table."""
        return name_model(self.metadata.name, self.sha256)


@dataclass(frozen=True, kw_only=True)
class _Document:
    """The object in the file, whose keys are those of the metadata and two more."""

    format_version: int
    class_order: tuple[Phase, ...]
    metadata: BundleMetadata = field(metadata=beside())


def _parse_object(text: str) -> Data:
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


def _check_format_version(document: Data) -> None:
    version = document.get("format_version")
    if type(version) is int and version < FORMAT_VERSION:
        raise BundleError(
            f"this bundle is of format {quote(version)}; this Gadoscope reads {FORMAT_VERSION}: export it "
            "again, with `gadoscope train --resume` for its run folder or with `gadoscope import-keras`."
        )
    if version != FORMAT_VERSION:
        raise BundleError(
            f"this bundle is of format {quote(version)}; this Gadoscope reads {FORMAT_VERSION}: "
            "upgrade with pip, or export the bundle again."
        )


def _explain(error: MisfitError) -> str:
    """Return the sentence for metadata that are not those of a bundle."""
    where = f"{error.where or 'the metadata'} of this bundle"
    match error:
        case MissingKeysError():
            return f"{where} lacks {', '.join(error.keys)}. Export it again."
        case UnknownKeysError():
            return (
                f"{where} has unknown keys: {error.shown}. "
                "It was written by another Gadoscope: upgrade with pip."
            )
        case WrongValueError():
            parent, _, key = error.where.rpartition(".")
            return (
                f"{parent or 'the metadata'} of this bundle has {key} = {quote(error.found)}; "
                f"expected {error.expected}. Export it again."
            )
    return f"this bundle's metadata does not fit: {error} Export it again, or use a Gadoscope that reads it."


def name_model(name: str, sha256: str) -> str:
    """Return how a bundle of this name and SHA-256 is called in tables."""
    return f"{name}@{sha256[:MODEL_ID_DIGITS]}"
