"""What the tests of the recipes share."""

import pytest


@pytest.fixture
def small_patches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Teach from fewer and smaller patches, which show as much of a head of half the side."""
    for name, value in {"PATCH_SIDE": 64, "BATCH_SIZE": 8, "WARMUP": 10}.items():
        monkeypatch.setattr(f"recipes.default.unet.{name}", value)
