"""The bundle's metadata: what is written is read back, and nothing else is accepted."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import onnx
import pytest

from gadoscope.decision.aggregation import Aggregation
from gadoscope.decision.calibration import Calibration
from gadoscope.decision.decision import Decision, LevelDecision
from gadoscope.decision.gate import Gate
from gadoscope.decision.operating_point import OperatingPoint, Promise
from gadoscope.errors import BundleError
from gadoscope.imaging.intensity import ImagePath
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.inference.bundle import METADATA_KEY, Bundle, BundleMetadata
from gadoscope.inference.default import find_default
from gadoscope.labels import Plane
from gadoscope.records import to_plain
from tests.support.bundles import TINY_METADATA

FULL = BundleMetadata(
    name="lesson",
    network="siim",
    n_parameters=109_073,
    image_path=ImagePath(size=331, preprocessing_function="invert"),
    slice_policy=SlicePolicy(
        planes=(Plane.SAGITTAL, Plane.AXIAL), n_slices=7, extent=0.5, volume_planes=(Plane.AXIAL,)
    ),
    planes=(Plane.SAGITTAL, Plane.AXIAL),
    decision=Decision(
        of_slice=LevelDecision(
            point=OperatingPoint(
                threshold=0.5, lower=0.4, upper=0.6, rule="balanced_accuracy", chosen_on="validation"
            ),
            calibration=Calibration("temperature", {"temperature": 1.7}),
        ),
        of_series=LevelDecision(
            point=OperatingPoint(
                threshold=0.3,
                lower=0.3,
                upper=0.3,
                rule="target_sensitivity",
                rule_parameters={"target": 0.95, "bound": "lower", "is_met": True},
                chosen_on="validation: 40 series, 20 subjects",
                reached="Chosen for a sensitivity of 95 %.",
                promise=Promise(
                    max_risk=0.01,
                    confidence=0.95,
                    is_promised=False,
                    coverage=None,
                    sentence="Too few subjects.",
                ),
            ),
            calibration=Calibration("beta", {"slope_post": 1.0, "slope_pre": 2.0, "intercept": -0.5}),
        ),
        aggregation=Aggregation("log_mean_exp", {"sharpness": 2.0}),
        gate=Gate(
            threshold=0.4, max_refused=0.005, chosen_on="validation: 40 images", reached="It refuses 0."
        ),
    ),
    training={"seed": 1020, "n_images": {"train": 722}},
    licence="CC BY 4.0",
    performance={"test_auc": 0.99},
)


def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(FULL.to_json())
    return document


def test_metadata_come_back_as_they_were_written() -> None:
    assert BundleMetadata.from_json(FULL.to_json()) == FULL


def test_a_bundle_may_decide_series_as_it_decides_slices() -> None:
    alone = dataclasses.replace(FULL, decision=dataclasses.replace(FULL.decision, of_series=None))
    assert BundleMetadata.from_json(alone.to_json()) == alone


@pytest.mark.parametrize("missing", ["series_calibration", "series_operating_point"])
def test_a_threshold_of_series_without_the_scale_it_was_chosen_on_is_refused(missing: str) -> None:
    with pytest.raises(BundleError, match="go together"):
        BundleMetadata.from_json(json.dumps({**_document(), missing: None}))


def test_the_shipped_bundle_is_written_again_to_the_byte() -> None:
    (entry,) = (prop for prop in onnx.load(find_default()).metadata_props if prop.key == METADATA_KEY)
    assert BundleMetadata.from_json(entry.value).to_json() == entry.value


def test_equal_metadata_give_equal_bytes_whatever_the_order_of_their_keys() -> None:
    turned = dataclasses.replace(FULL, training=dict(reversed(list(FULL.training.items()))))
    assert list(turned.training) != list(FULL.training)
    assert turned.to_json() == FULL.to_json()


@pytest.mark.parametrize("field", ["name", "planes", "decision"])
def test_metadata_cannot_be_changed(field: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(FULL, field, "another")


@pytest.mark.parametrize("key", sorted(_document()))
def test_every_missing_key_is_named(key: str) -> None:
    document = _document()
    del document[key]
    with pytest.raises(BundleError, match="format None" if key == "format_version" else key):
        BundleMetadata.from_json(json.dumps(document))


@pytest.mark.parametrize("key", sorted(_document()["operating_point"]))
def test_every_missing_key_of_the_operating_point_is_named(key: str) -> None:
    document = _document()
    del document["operating_point"][key]
    with pytest.raises(BundleError, match=f"operating_point of this bundle lacks {key}"):
        BundleMetadata.from_json(json.dumps(document))


@pytest.mark.parametrize("key", ["max_risk", "confidence", "is_promised", "coverage", "sentence"])
def test_every_missing_key_of_a_promise_is_named(key: str) -> None:
    document = _document()
    del document["series_operating_point"]["promise"][key]
    with pytest.raises(BundleError, match=rf"series_operating_point\.promise of this bundle lacks {key}"):
        BundleMetadata.from_json(json.dumps(document))


@pytest.mark.parametrize("key", ["threshold", "max_refused", "chosen_on", "reached"])
def test_every_missing_key_of_the_gate_is_named(key: str) -> None:
    document = _document()
    del document["gate"][key]
    with pytest.raises(BundleError, match=f"gate of this bundle lacks {key}"):
        BundleMetadata.from_json(json.dumps(document))


def test_a_bundle_may_have_no_gate() -> None:
    alone = dataclasses.replace(FULL, decision=dataclasses.replace(FULL.decision, gate=None))
    assert BundleMetadata.from_json(alone.to_json()) == alone


def test_a_promise_that_is_neither_kept_nor_not_is_refused() -> None:
    document = _document()
    document["series_operating_point"]["promise"]["is_promised"] = 1
    with pytest.raises(BundleError, match="is_promised = 1; expected true or false"):
        BundleMetadata.from_json(json.dumps(document))


@pytest.mark.parametrize("key", sorted(set(_document()) - {"format_version"}))
def test_every_key_of_a_wrong_type_is_named(key: str) -> None:
    document = {**_document(), key: True}
    with pytest.raises(BundleError, match=f"{key} = True; expected"):
        BundleMetadata.from_json(json.dumps(document))


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(BundleError, match=r"unknown keys: surprise.*upgrade with pip"):
        BundleMetadata.from_json(json.dumps({**_document(), "surprise": 1}))


def test_a_bundle_of_a_later_format_asks_for_an_upgrade() -> None:
    with pytest.raises(BundleError, match="is of format 7; this Gadoscope reads 3: upgrade with pip"):
        BundleMetadata.from_json(json.dumps({**_document(), "format_version": 7}))


@pytest.mark.parametrize("version", [1, 2])
def test_a_bundle_of_an_earlier_format_is_to_be_exported_again(version: int) -> None:
    message = f"is of format {version}; this Gadoscope reads 3: export it again"
    with pytest.raises(BundleError, match=message):
        BundleMetadata.from_json(json.dumps({**_document(), "format_version": version}))


def test_a_bundle_with_the_classes_turned_round_is_refused() -> None:
    turned = {**_document(), "class_order": ["POST_CONTRAST", "PRE_CONTRAST"]}
    with pytest.raises(BundleError, match=r"class_order \['POST_CONTRAST', 'PRE_CONTRAST'\]; expected"):
        BundleMetadata.from_json(json.dumps(turned))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "planes",
            ["oblique"],
            r"planes\[0\] = 'oblique'; expected one of sagittal, axial, coronal, unknown",
        ),
        ("image_path", {"size": 331}, "image_path of this bundle lacks high_percentile, low_percentile, pre"),
        (
            "image_path",
            {**_document()["image_path"], "size": 3.0},
            "image_path of this bundle has size = 3.0",
        ),
        ("slice_policy", {"n_slices": 5}, "slice_policy of this bundle lacks extent, planes, volume_planes"),
        ("slice_policy", {**to_plain(FULL.slice_policy), "n_slices": 0}, "n_slices = 0; expected"),
        (
            "slice_policy",
            {**to_plain(FULL.slice_policy), "planes": ["oblique"]},
            r"has planes\[0\] = 'oblique'",
        ),
        ("calibration", {"method": "magic"}, "the method 'magic'; this Gadoscope knows none"),
        ("calibration", {}, "calibration of this bundle lacks method"),
        ("calibration", {"method": "temperature", "temperature": 0}, "temperature 0.0; expected a finite"),
        ("aggregation", {"method": "magic"}, "the method 'magic'; this Gadoscope knows mean"),
        ("series_calibration", {"method": "beta"}, "calibration by beta needs slope_post"),
        ("series_calibration", None, "go together"),
        ("gate", {**_document()["gate"], "threshold": 1.5}, "gate must hold threshold from 0 to 1"),
    ],
)
def test_a_value_that_this_gadoscope_does_not_know_is_refused(key: str, value: object, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        BundleMetadata.from_json(json.dumps({**_document(), key: value}))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\0"])
def test_what_is_no_json_object_is_called_damaged(text: str) -> None:
    with pytest.raises(BundleError, match="The file is damaged"):
        BundleMetadata.from_json(text)


@pytest.mark.parametrize(
    ("lower", "threshold", "upper"),
    [(0.6, 0.5, 0.7), (0.4, 0.5, 0.45), (-0.1, 0.5, 0.6), (0.4, 0.5, 1.1), (float("nan"), 0.5, 0.6)],
)
def test_an_operating_point_out_of_order_is_refused(lower: float, threshold: float, upper: float) -> None:
    with pytest.raises(ValueError, match="0 <= lower <= threshold <= upper <= 1"):
        OperatingPoint(threshold=threshold, lower=lower, upper=upper, rule="r", chosen_on="c")


def test_nan_is_not_written_into_a_bundle() -> None:
    with pytest.raises(ValueError, match="JSON"):
        dataclasses.replace(FULL, performance={"test_auc": float("nan")}).to_json()


def test_a_model_is_named_by_its_name_and_the_first_digits_of_its_hash() -> None:
    bundle = Bundle(path=Path("x.onnx"), sha256="0123456789abcdef" * 4, metadata=TINY_METADATA)
    assert bundle.model_id == "tiny@01234567"
