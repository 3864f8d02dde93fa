"""The bundle that comes with the installation, and whether it is the one that was shipped."""

import json
import os
from pathlib import Path
from typing import Any

from gadoscope.errors import BundleError, UsageError

NAME = "default"
"""What a user writes for it where a model is named."""

DEFAULT_BUNDLE = Path(__file__).resolve().parent.parent / "weights" / "default.onnx"

_DIGEST_SUFFIX = ".sha256"
IMAGES_SUFFIX = ".images.json"
"""Of the file beside the bundle that tells which public images it was trained on. The bundle's own list holds
a part of all, and most of them were made from these."""


def find_default() -> Path:
    """Return the default bundle's file.

    Raises
    ------
    UsageError
        If this installation lacks it.
    """
    if not DEFAULT_BUNDLE.exists():
        from gadoscope.extras import install_command  # noqa: PLC0415 — nearly all installations have it

        raise UsageError(
            f"this installation has no default model: `{install_command(again=True)}` brings it. Or "
            "name another with --model FILE, made by `gadoscope train` or `gadoscope import-keras`."
        )
    return DEFAULT_BUNDLE


def check_default(sha256: str) -> None:
    """Compare the SHA-256 of the default bundle, as it was read, with the one written beside it.

    Raises
    ------
    BundleError
        If it is another, or none is written.
    """
    written = read_digest()
    if sha256 != written:
        from gadoscope.extras import install_command  # noqa: PLC0415 — as above

        raise BundleError(
            f"{DEFAULT_BUNDLE} has the SHA-256 {sha256}, but {written or 'none'} was shipped; "
            f"run `{install_command(again=True)}`."
        )


def read_training_images(sha256: str) -> Any:
    """Return what is written beside the default bundle of its training images; None for another bundle.

    Parameters
    ----------
    sha256
        Of the bundle that is asked about, wherever it lies.
    """
    try:
        document = json.loads(DEFAULT_BUNDLE.with_suffix(IMAGES_SUFFIX).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    fits = isinstance(document, dict) and document.get("bundle_sha256") == sha256
    return document.get("images") if fits else None


def read_digest() -> str:
    """Return the SHA-256 beside the bundle, in the form of `sha256sum`; empty where there is none."""
    path = DEFAULT_BUNDLE.with_suffix(_DIGEST_SUFFIX)
    words = path.read_text(encoding="ascii", errors="replace").split() if path.exists() else []
    return words[0] if words else ""


def find_model(model: str | Path | None) -> Path:
    """Return the bundle that a name stands for: the default one for none, or for its name.

    A file called ``default`` comes first, as everywhere a name could be one.

    Raises
    ------
    UsageError
        If the default bundle is meant, and this installation lacks it; or if it is nothing that names one.
    """
    if model is not None and not isinstance(model, (str, os.PathLike)):
        raise UsageError(
            f"a model is named by a path or by {NAME}, and this is a value of the type "
            f"{type(model).__name__}; name a bundle (.onnx) or a folder made by `gadoscope train`."
        )
    return find_default() if is_default(model) else Path(model or "")


def is_default(model: str | Path | None) -> bool:
    """Return whether a name stands for the default bundle."""
    return model is None or (str(model) == NAME and not Path(model).exists())
