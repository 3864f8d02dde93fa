"""A fine-tuning set of too few subjects, of one phase, or of images that it knows: a sentence each."""

from pathlib import Path

import pytest

from gadoscope.errors import ManifestError
from gadoscope.imaging.intensity import ImagePath
from gadoscope.inference.default import DEFAULT_BUNDLE
from gadoscope.inference.session import Session
from gadoscope.labels import Label
from gadoscope.preparation.items import Item, Manifest
from gadoscope.preparation.prepare import prepare_store
from gadoscope.preparation.store import Store
from gadoscope.preparation.training_images import MAX_IMAGES, TrainingImages
from gadoscope.training.config import read_config
from gadoscope.training.data import divide
from gadoscope.training.known import find_known, tell_known
from tests.support.tiny_run import make_items

INIT = Session(DEFAULT_BUNDLE).bundle


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return prepare_store(make_items(tmp_path, None, first=0), ImagePath(size=32), tmp_path / "prepared")


def list_images(store: Store, n: int) -> TrainingImages:
    return TrainingImages.from_pairs(zip(store.digests[:n], store.prints[:n], strict=True))


def test_validation_images_that_the_bundle_was_trained_on_are_told(store: Store) -> None:
    (sentence,) = tell_known(list_images(store, 12), store, INIT)
    assert sentence.startswith(
        "12 of 12 validation images went into default.onnx, which this run starts from"
    )
    assert "say nothing of new patients" in sentence
    (sentence,) = tell_known(list_images(store, 1), store, INIT)
    assert " of 12 validation images went into default.onnx" in sentence


def test_new_images_and_bundles_that_say_nothing_are_passed_over(store: Store) -> None:
    assert not tell_known(list_images(store, 0), store, INIT)
    assert not tell_known(None, store, INIT)
    assert find_known(None) is None


def test_a_tuned_bundle_knows_the_images_of_the_one_that_it_began_as(store: Store) -> None:
    own, before = list_images(store, 6), list_images(store, 12)
    joined = own.with_those_of(before)
    assert joined.n_images == 12
    assert joined.rows.tolist() == before.rows.tolist()
    assert own.with_those_of(None) is own


def test_of_very_many_its_own_are_kept_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    own, before = list_images(store, 6), list_images(store, 12)
    monkeypatch.setattr("gadoscope.preparation.training_images.MAX_IMAGES", 8)
    joined = own.with_those_of(before)
    assert MAX_IMAGES > len(joined.rows) == 8
    assert {row.tobytes() for row in own.rows} <= {row.tobytes() for row in joined.rows}
    assert joined.n_images == 12


def manifest_of(n_subjects: int, *labels: Label) -> Manifest:
    return Manifest(
        items=tuple(
            Item(path=Path(f"/data/{subject}-{label}.png"), label=label, subject_id=f"s{subject}")
            for subject in range(n_subjects)
            for label in labels
        ),
        origin=Path("/data/own.csv"),
    )


def test_three_subjects_are_too_few_to_fine_tune_on() -> None:
    with pytest.raises(
        ManifestError, match=r"own\.csv holds 3 subjects, and split\.least_subjects is 20: .*evaluate default"
    ):
        divide(manifest_of(3, Label.PRE, Label.POST), read_config("finetune"))
    anyway = read_config("finetune", ["split.least_subjects=0", "split.test_fraction=0"])
    assert divide(manifest_of(3, Label.PRE, Label.POST), anyway).items


def test_one_phase_is_nothing_to_learn_a_difference_from() -> None:
    with pytest.raises(
        ManifestError, match=r"no post-contrast image .*learns and is judged by both phases: add post-"
    ):
        divide(manifest_of(30, Label.PRE), read_config("finetune"))


def test_forty_subjects_give_ten_that_judge_and_six_that_watch() -> None:
    divided = divide(manifest_of(40, Label.PRE, Label.POST), read_config("finetune"))
    counts = {
        split: len({item.subject_id for item in divided.items if item.split == split})
        for split in ("train", "validation", "test")
    }
    assert counts == {"train": 24, "validation": 6, "test": 10}
