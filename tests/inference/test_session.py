"""Loading a bundle: one that fits answers exactly, every other is refused with one sentence."""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto

from gadoscope.errors import BundleError
from gadoscope.inference.session import Session
from tests.support.bundles import (
    GATED_METADATA,
    TINY_GATE,
    TINY_METADATA,
    TINY_SIZE,
    TINY_SLOPE,
    tiny_model,
    write_gated_bundle,
    write_tiny_bundle,
)


def _images(n: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).random((n, 1, TINY_SIZE, TINY_SIZE), dtype=np.float32)


def test_logits_are_those_of_the_formula(tiny_bundle: Path) -> None:
    images = _images(5)
    expected = TINY_SLOPE * (images.mean(axis=(1, 2, 3), dtype=np.float64) - 0.5)
    logits = Session(tiny_bundle).logits(images)
    assert logits.dtype == np.float64
    np.testing.assert_allclose(logits, expected, atol=1e-4)


def test_an_image_answers_the_same_alone_and_among_others(tiny_bundle: Path) -> None:
    session, images = Session(tiny_bundle), _images(9)
    alone = np.concatenate([session.logits(image[None]) for image in images])
    assert session.logits(images).tolist() == alone.tolist()


def test_no_images_give_no_logits(tiny_bundle: Path) -> None:
    assert Session(tiny_bundle).logits(_images(0)).shape == (0,)


def test_slices_go_through_the_image_path_of_the_bundle(tiny_bundle: Path) -> None:
    white = np.full((2, TINY_SIZE, TINY_SIZE), 255, dtype=np.uint8)
    np.testing.assert_allclose(Session(tiny_bundle).slice_logits(white), [TINY_SLOPE / 2] * 2, atol=1e-4)


def test_a_bundle_with_a_gate_gives_both_answers(tmp_path: Path) -> None:
    session, images = Session(write_gated_bundle(tmp_path / "gated.onnx")), _images(3)
    brightness = images.mean(axis=(1, 2, 3), dtype=np.float64)
    answers = session.answers(images)
    assert answers.t1_brain is not None
    np.testing.assert_allclose(answers.phase, TINY_SLOPE * (brightness - 0.5), atol=1e-4)
    np.testing.assert_allclose(answers.t1_brain, TINY_SLOPE * (TINY_GATE - brightness), atol=1e-4)
    assert session.logits(images).tolist() == answers.phase.tolist()
    slices = (images[:, 0] * 255).round().astype(np.uint8)
    of_slices = session.slice_answers(slices)
    assert of_slices.t1_brain is not None
    np.testing.assert_allclose(of_slices.t1_brain, answers.t1_brain, atol=0.1)
    assert session.slice_logits(slices).tolist() == of_slices.phase.tolist()


def test_a_bundle_without_a_gate_says_nothing_of_it(tiny_bundle: Path) -> None:
    assert Session(tiny_bundle).answers(_images(2)).t1_brain is None


def test_a_gate_without_its_output_or_an_output_without_its_gate_is_refused(tmp_path: Path) -> None:
    no_output = write_tiny_bundle(tmp_path / "a.onnx", GATED_METADATA)
    assert "expected 'logit' tensor(float) ['batch'] and 't1_brain_logit'" in _refusal(no_output)
    no_gate = write_gated_bundle(tmp_path / "b.onnx", TINY_METADATA)
    assert "its output is 'logit' tensor(float) ['batch'] and 't1_brain_logit'" in _refusal(no_gate)


def test_images_of_another_shape_or_dtype_are_refused(tiny_bundle: Path) -> None:
    session = Session(tiny_bundle)
    wrongs: list[Any] = [_images(2)[:, 0], _images(2)[:, :, :5], _images(2).astype(np.float64)]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"must be float32 of shape \(n, 1, 32, 32\)"):
            session.logits(wrong)


def test_the_hash_is_that_of_the_file(tiny_bundle: Path) -> None:
    bundle = Session(tiny_bundle).bundle
    assert bundle.sha256 == hashlib.sha256(tiny_bundle.read_bytes()).hexdigest()
    assert bundle.metadata == TINY_METADATA


def _refusal(path: Path) -> str:
    with pytest.raises(BundleError) as caught:
        Session(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_a_missing_bundle_says_how_to_make_one(tmp_path: Path) -> None:
    message = _refusal(tmp_path / "none.onnx")
    assert message.startswith("there is no bundle")
    assert "gadoscope train" in message
    assert "gadoscope import-keras" in message


def test_a_folder_is_no_bundle(tmp_path: Path) -> None:
    assert "Is a directory" in _refusal(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not onnx", b"\x89PNG\r\n\x1a\n", bytes(1000)])
def test_what_is_no_onnx_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(content)
    assert "is not an ONNX file" in _refusal(path)


def test_a_truncated_bundle_is_refused(tiny_bundle: Path) -> None:
    tiny_bundle.write_bytes(tiny_bundle.read_bytes()[:-200])
    assert "is not an ONNX file" in _refusal(tiny_bundle)


def test_a_file_larger_than_any_onnx_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 2**31)  # sparse: takes no space
    assert "at most 268,435,456" in _refusal(path)


def test_an_onnx_file_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.onnx"
    onnx.save(tiny_model(), path)
    assert "no Gadoscope bundle" in _refusal(path)


def test_metadata_that_do_not_fit_are_refused_with_the_name_of_the_file(tmp_path: Path) -> None:
    path = write_tiny_bundle(tmp_path / "x.onnx", '{"format_version": 7}')
    assert "is of format 7" in _refusal(path)


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (tiny_model(input_name="x"), "its input is 'x'"),
        (tiny_model(size=64), r"['batch', 1, 64, 64]"),
        (tiny_model(n_channels=3), r"['batch', 3, 32, 32]"),
        (tiny_model(element_type=TensorProto.DOUBLE), "tensor(double)"),
        (tiny_model(n_outputs=2), "its output is 'logit' tensor(float) ['batch'] and 'second'"),
    ],
    ids=["input-name", "size", "channels", "dtype", "two-outputs"],
)
def test_another_input_or_output_is_refused_with_what_was_expected(
    tmp_path: Path, model: onnx.ModelProto, found: str
) -> None:
    message = _refusal(write_tiny_bundle(tmp_path / "x.onnx", model=model))
    assert found in message
    assert "expected 'images' tensor(float)" in message or "expected 'logit' tensor(float)" in message


def test_weights_in_another_file_are_refused_even_if_they_are_there(tmp_path: Path) -> None:
    path = write_tiny_bundle(tmp_path / "x.onnx")
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        tensor.raw_data = onnx.numpy_helper.to_array(tensor).tobytes()
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert (tmp_path / "weights.bin").exists()
    assert "keeps its weights in another file" in _refusal(path)
