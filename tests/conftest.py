"""Shared by all tests: the shared real data where there is any, and a bundle that needs no training."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture
def shared() -> Path:
    """Return the folder of real images, or skip: it never travels with the repository."""
    if not (SHARED / "data" / "manifest.csv").exists():
        pytest.skip("needs the real images in ../shared/data, which are not in the repository")
    return SHARED


@pytest.fixture
def tiny_bundle(tmp_path: Path) -> Path:
    """Return a valid bundle whose logit is the mean brightness: brighter than half is post-contrast."""
    from tests.bundles import write_tiny_bundle  # noqa: PLC0415 — most tests need no onnx

    return write_tiny_bundle(tmp_path / "tiny-bundle" / "tiny.onnx")
