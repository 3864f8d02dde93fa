"""Whoever evaluates a bundle on images that it was made from is told so at the top."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gadoscope.evaluation.run import evaluate
from gadoscope.inference import default
from gadoscope.inference.session import Session
from gadoscope.preparation.manifest import read_manifest
from gadoscope.statistics.predictors import MIN_SUBJECTS
from recipes.default.images import list_images
from tests.evaluation.conftest import TrapRun
from tests.support.bundles import TINY_METADATA, write_tiny_bundle
from tests.support.slices import grey_values
from tests.support.traps import N_FEW, write_trap

TITLE = "The model was made from these images"
N = MIN_SUBJECTS - 1
"""Images of a class: too few to look for what else gives the label away, which is no matter here."""


def write_copies(folder: Path, copies: Path) -> Path:
    """Write each image of the lesson's layout as a larger JPEG, and return ``copies``."""
    for path in sorted(folder.rglob("*.png")):
        copy = copies / path.parent.name / f"{path.stem}.jpg"
        copy.parent.mkdir(parents=True, exist_ok=True)
        image = Image.open(path)
        image.resize((image.width * 3, image.height * 3), Image.Resampling.BICUBIC).save(copy, quality=90)
    return copies


def warnings(bundle: Path, data: Path, output: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = evaluate(bundle, data=data, output=output, n_cases=0).report["warnings"]
    return found


def test_a_bundle_knows_its_images_as_files_and_as_other_copies(tmp_path: Path) -> None:
    data = write_trap(tmp_path / "data", n=N, trap="none")
    images = list_images(read_manifest(data).items).to_dict()
    metadata = replace(TINY_METADATA, training={**TINY_METADATA.training, "images": images})
    bundle = write_tiny_bundle(tmp_path / "tiny.onnx", metadata=metadata)

    (told,) = warnings(bundle, data, tmp_path / "a")
    assert told["title"] == TITLE
    assert f"{2 * N} images here {2 * N}" in told["text"]
    assert f"{2 * N} as the same file" in told["text"]
    (told,) = warnings(bundle, write_copies(data, tmp_path / "copies"), tmp_path / "b")
    assert told["title"] == TITLE
    assert "same picture in another format" in told["text"]
    others = tmp_path / "others"
    for name, first in (("no_gad", 5000), ("with_gad", 6000)):
        (others / name).mkdir(parents=True)
        for number in range(N):
            Image.fromarray(grey_values(seed=first + number)).save(others / name / f"{number}.png")
    assert warnings(bundle, others, tmp_path / "c") == []


def test_the_default_bundle_is_known_wherever_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_trap(tmp_path / "data", n=N, trap="none")
    bundle = write_tiny_bundle(tmp_path / "elsewhere.onnx")
    beside = tmp_path / f"shipped{default.IMAGES_SUFFIX}"
    document = {
        "bundle_sha256": Session(bundle).bundle.sha256,
        "images": list_images(read_manifest(data).items).to_dict(),
    }
    beside.write_text(json.dumps(document))
    monkeypatch.setattr(default, "DEFAULT_BUNDLE", tmp_path / "shipped.onnx")
    assert warnings(bundle, data, tmp_path / "a")[0]["title"] == TITLE
    beside.write_text(json.dumps({**document, "bundle_sha256": "0" * 64}))
    assert warnings(bundle, data, tmp_path / "b") == []


def test_a_trained_bundle_holds_its_own_list_and_its_run_says_nothing_of_its_test(
    trap_run: TrapRun, tmp_path: Path
) -> None:
    data, bundle = trap_run.data, trap_run.run / "model.onnx"
    assert Session(bundle).bundle.metadata.training["images"]["n_images"] == 2 * N_FEW
    assert TITLE in [one["title"] for one in warnings(bundle, data / "Train", tmp_path / "a")]
    assert TITLE not in [one["title"] for one in warnings(bundle, data / "Test", tmp_path / "b")]
