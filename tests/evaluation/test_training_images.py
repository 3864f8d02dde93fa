"""A bundle knows the images that it was made from, in few bytes, and damaged lists are no lists."""

import hashlib
import json
from pathlib import Path

import pytest

from gadoscope.evaluation.training_images import tell_seen, tell_sources
from gadoscope.inference.default import DEFAULT_BUNDLE, read_digest, read_training_images
from gadoscope.inference.onnx_content import MAX_METADATA_BYTES
from gadoscope.preparation import training_images
from gadoscope.preparation.items import Item
from gadoscope.preparation.manifest import read_manifest
from gadoscope.preparation.picture_print import print_picture
from gadoscope.preparation.training_images import ROW_BYTES, TrainingImages
from gadoscope.reading.images import read_slice
from tests.support.slices import grey_values

PAIRS = [
    (hashlib.sha256(bytes([n])).hexdigest(), print_picture(grey_values(90, 80, seed=n))) for n in range(30)
]


def test_a_list_comes_back_from_json_and_does_not_depend_on_the_order() -> None:
    known = TrainingImages.from_pairs(PAIRS)
    again = TrainingImages.from_dict(json.loads(json.dumps(known.to_dict())))
    assert again is not None
    assert again.to_dict() == TrainingImages.from_pairs(PAIRS[::-1]).to_dict()
    assert len(again.rows) == again.n_images == 30


def test_files_and_pictures_are_found_each_by_its_own_sign() -> None:
    known = TrainingImages.from_pairs(PAIRS[:20])
    digests = [PAIRS[0][0], "ab" * 32, "cd" * 32, ""]
    same, alike = known.find(digests, [PAIRS[25][1], PAIRS[1][1], PAIRS[26][1], PAIRS[27][1]])
    assert same.tolist() == [True, False, False, False]
    assert alike.tolist() == [False, True, False, False]


def test_of_very_many_images_a_part_is_kept_and_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_images, "MAX_IMAGES", 10)
    known = TrainingImages.from_pairs(PAIRS)
    assert (known.n_images, len(known.rows)) == (30, 10)
    seen = {"n_images": 9, "n_identical": 3, "n_alike": 1, "n_known": 10, "n_trained": 30, "sources": []}
    assert "at least 4" in tell_seen(seen)[0]["text"]


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"version": 2}, {"version": 1, "n_images": 1, "images": "AAAA"},
     {"version": 1, "n_images": "x", "images": ""}, {"version": 1, "n_images": 1, "images": "ü"},
     {"version": 1, "images": ""}],
)  # fmt: skip
def test_a_damaged_list_is_none(document: object) -> None:
    assert TrainingImages.from_dict(document) is None


def test_a_few_pictures_that_look_alike_are_chance_and_one_same_file_is_not() -> None:
    seen = {"n_images": 500, "n_identical": 0, "n_alike": 5, "n_known": 9, "n_trained": 9, "sources": ["ixi"]}
    assert tell_seen(seen) == []
    assert tell_sources(seen)[0]["severity"] == "caution"
    assert "1 as the same file" in tell_seen({**seen, "n_identical": 1})[0]["text"]
    assert tell_seen(None) == tell_sources(None) == []


def test_the_default_bundle_comes_with_its_images_and_both_stay_small() -> None:
    known = TrainingImages.from_dict(read_training_images(read_digest()))
    assert known is not None
    assert len(known.rows) == known.n_images > 5_000
    assert known.rows.shape[1] == ROW_BYTES
    files = DEFAULT_BUNDLE.parent.iterdir()
    assert sum(file.stat().st_size for file in files if file.is_file()) <= 8_000_000
    assert read_training_images("0" * 64) is None


@pytest.mark.parametrize("every", [250, pytest.param(25, marks=pytest.mark.slow)])
def test_real_images_of_the_recipe_are_known_and_those_of_other_sources_are_not(
    shared: Path, every: int
) -> None:
    known = TrainingImages.from_dict(read_training_images(read_digest()))
    assert known is not None
    listed = read_manifest(shared / "data").items

    def look(sources: tuple[str, ...]) -> tuple[float, float]:
        items = [item for item in listed if item.source in sources][::every]
        same, alike = known.find(*zip(*map(describe, items), strict=True))
        return float(same.mean()), float(alike.mean())

    assert look(("ixi", "figshare-cheng", "tcga-lgg-sagittal", "vqamed2019-eye")) == (1.0, 1.0)
    same, alike = look(("feltrin", "ds002748", "volunteer-flair"))
    assert same == 0
    assert alike <= 0.01


def describe(item: Item) -> tuple[str, bytes]:
    digest = hashlib.sha256(item.path.read_bytes()).hexdigest()
    return digest, print_picture(read_slice(item.path).pixels)


def test_the_longest_list_leaves_room_in_the_metadata_that_a_bundle_may_have() -> None:
    n_bytes = 4 * -(-training_images.MAX_IMAGES * ROW_BYTES // 3)
    assert n_bytes < 0.75 * MAX_METADATA_BYTES
