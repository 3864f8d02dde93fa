"""The default bundle's file: there, whole, small, and said so where it is not."""

import hashlib
from pathlib import Path

import pytest

from gadoscope.errors import BundleError, UsageError
from gadoscope.inference import default
from gadoscope.inference.session import Session
from gadoscope.labels import Plane

MOST_BYTES = 8_000_000


def test_the_default_bundle_has_the_sha256_that_is_written_beside_it() -> None:
    digest = hashlib.sha256(default.find_default().read_bytes()).hexdigest()
    assert default.read_digest() == digest
    default.check_default(digest)


def test_the_digest_is_what_sha256sum_checks() -> None:
    beside = default.DEFAULT_BUNDLE.with_name("default.sha256")
    assert beside.read_text() == f"{default.read_digest()}  default.onnx\n"


def test_the_default_bundle_is_at_most_8_mb() -> None:
    assert default.find_default().stat().st_size <= MOST_BYTES


def test_the_default_bundle_reads_three_planes_has_a_gate_and_names_its_licence() -> None:
    metadata = Session(default.find_default()).bundle.metadata
    assert set(metadata.planes) == {Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL}
    assert metadata.decision.gate is not None
    assert metadata.licence == "Apache-2.0"


def test_another_file_in_its_place_is_told_with_both_digests() -> None:
    with pytest.raises(BundleError, match=rf"SHA-256 {'0' * 64}, but [0-9a-f]{{64}} was shipped.*reinstall"):
        default.check_default("0" * 64)


def test_a_digest_that_is_missing_is_no_match(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(default, "DEFAULT_BUNDLE", tmp_path / "default.onnx")
    with pytest.raises(BundleError, match="but none was shipped"):
        default.check_default("0" * 64)


def test_an_installation_without_it_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(default, "DEFAULT_BUNDLE", tmp_path / "none.onnx")
    with pytest.raises(
        UsageError,
        match=r"force-reinstall .*--model FILE.*`gadoscope train`.*`gadoscope import-keras`",
    ):
        default.find_default()


def test_default_is_its_name_unless_a_file_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (None, "default", Path("default")):
        assert default.is_default(name)
        assert default.find_model(name) == default.DEFAULT_BUNDLE
    assert default.find_model("other.onnx") == Path("other.onnx")
    (tmp_path / "default").touch()
    assert default.find_model("default") == Path("default")
    assert not default.is_default("default")
    assert default.find_model(None) == default.DEFAULT_BUNDLE
