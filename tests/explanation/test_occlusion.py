from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from gadoscope.explanation.occlusion import QUICK_STRIDE, occlude
from gadoscope.imaging.intensity import ImagePath
from gadoscope.inference.session import Session
from tests.support.bundles import TINY_METADATA, TINY_SIZE, TINY_SLOPE, tiny_model, write_tiny_bundle


def test_the_bright_spot_is_what_argues_for_post_contrast(tiny_bundle: Path) -> None:
    image = np.full((TINY_SIZE, TINY_SIZE), 60, dtype=np.uint8)
    image[8:11, 20:23] = 255  # the tiny bundle answers by mean brightness

    evidence = occlude(Session(tiny_bundle), image)

    row, column = np.unravel_index(evidence.argmax(), evidence.shape)
    assert abs(row - 9) <= 2
    assert abs(column - 21) <= 2
    assert evidence.max() > 0


def test_a_dark_spot_argues_for_pre_contrast(tiny_bundle: Path) -> None:
    image = np.full((TINY_SIZE, TINY_SIZE), 200, dtype=np.uint8)
    image[8:11, 20:23] = 0

    evidence = occlude(Session(tiny_bundle), image)

    assert abs(evidence.min()) > abs(evidence.max())


def test_where_there_is_nothing_to_hide_there_is_no_evidence(tiny_bundle: Path) -> None:
    image = np.full((TINY_SIZE, TINY_SIZE), 90, dtype=np.uint8)

    assert_allclose(occlude(Session(tiny_bundle), image), 0, atol=1e-6)


def test_evidence_is_in_logits(tiny_bundle: Path) -> None:
    """All of a lone pixel's light is hidden by a patch over it: the logit drops by its share of the mean."""
    image = np.zeros((TINY_SIZE, TINY_SIZE), dtype=np.uint8)
    image[16, 16] = 255
    most = TINY_SLOPE / TINY_SIZE**2

    assert 0.2 * most < occlude(Session(tiny_bundle), image).max() <= most


def test_evidence_has_the_shape_of_the_slice_and_one_call_gives_what_the_next_does(tiny_bundle: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (TINY_SIZE, TINY_SIZE)).astype(np.uint8)
    session = Session(tiny_bundle)

    evidence = occlude(session, image)

    assert evidence.shape == image.shape
    assert evidence.dtype == np.float32
    assert np.array_equal(evidence, occlude(session, image))


# As the default's and the lesson's: seven patches lie on up to five rows and columns twice.
@pytest.mark.parametrize(("size", "patch"), [(160, 23), (331, 48)])
def test_who_waits_is_shown_each_place_once_by_seven_times_seven_patches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, patch: int
) -> None:
    metadata = replace(TINY_METADATA, image_path=ImagePath(size=size))
    session = Session(write_tiny_bundle(tmp_path / "large.onnx", metadata, tiny_model(size=size)))
    image = np.random.default_rng(0).integers(0, 255, (size, size)).astype(np.uint8)
    asked: list[NDArray[np.float32]] = []
    answer = session.logits

    def ask(images: NDArray[np.float32]) -> NDArray[np.float64]:
        asked.append(images.copy())
        return answer(images)

    monkeypatch.setattr(session, "logits", ask)

    occlude(session, image, step=QUICK_STRIDE)

    whole, *hidden = asked
    times = np.sum([(one != whole)[0, 0] for one in hidden], axis=0)
    assert len(hidden) == 49
    assert times.mean() == pytest.approx(
        (7 * patch / size) ** 2, rel=0.02
    )  # a pixel may be as bright as the blur
    assert (times > 1).mean() < 0.035


def test_a_patch_of_air_with_a_corner_of_the_head_is_not_asked_about(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(tiny_bundle)
    image = np.random.default_rng(0).integers(0, 255, (TINY_SIZE, TINY_SIZE)).astype(np.uint8)
    asked: list[NDArray[np.float32]] = []
    answer = session.logits

    def ask(images: NDArray[np.float32]) -> NDArray[np.float64]:
        asked.append(images)
        return answer(images)

    monkeypatch.setattr(session, "logits", ask)
    n_asked = []
    for side in (1, 3):
        asked.clear()
        within = np.zeros(image.shape, np.bool_)
        within[:side, :side] = True
        occlude(session, image, step=1 / 4, within=within)
        n_asked.append(len(asked) - 1)  # one is the whole slice

    assert n_asked == [0, 1]
