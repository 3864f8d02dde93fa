"""Shared by all tests: the shared real data where there is any."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture
def shared() -> Path:
    """Return the folder of real images, or skip: it never travels with the repository."""
    if not (SHARED / "data" / "manifest.csv").exists():
        pytest.skip("needs the real images in ../shared/data, which are not in the repository")
    return SHARED
