"""What this installation holds, read from its own metadata: no library is imported for it."""

import re
from importlib import metadata
from importlib.util import find_spec

from gadoscope.errors import UsageError
from gadoscope.extras import (
    DEVELOPMENT,
    MODULES_OF_EXTRA,
    PACKAGE,
    group_requirements,
    name_what_is_missing,
)
from gadoscope.misfits import name_choices, quote

_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)")

IMAGE_CODECS = {"PNG": "zlib", "JPEG": "jpg", "JPEG 2000": "jpg_2000", "TIFF": "libtiff", "WebP": "webp"}
"""Image forms and the name of the Pillow feature that reads them."""


def installed_libraries() -> dict[str, dict[str, str | None]]:
    """Return the version of every required library, by ``base`` and by extra; None where it is missing."""
    return {
        group: {name: _installed_version(name) for name in map(_name_of, requirements) if name != PACKAGE}
        for group, requirements in group_requirements().items()
        if group not in DEVELOPMENT
    }


def find_missing(extra: str) -> str | None:
    """Return a library of an extra that is not installed, by the name that is imported; None where none is.

    Nothing is imported for it.
    """
    return next((module for module in MODULES_OF_EXTRA[extra] if find_spec(module) is None), None)


def check_extra(extra: str) -> None:
    """Say which command brings an extra, unless it is installed: for the first line of a notebook.

    Parameters
    ----------
    extra
        ``train``, ``notebook``, ``phantom``, ``tune``, ``pandas``, ``parquet``, ``tensorboard`` or
        ``mlflow``.

    Raises
    ------
    UsageError
        If a library of it is missing, or no extra has that name.
    """
    if extra not in MODULES_OF_EXTRA:
        raise UsageError(
            f"there is no extra {quote(extra)}; expected {name_choices(extra, MODULES_OF_EXTRA)}."
        )
    with name_what_is_missing("what follows", extra):
        if missing := find_missing(extra):
            raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)


def _name_of(requirement: str) -> str:
    name = _REQUIREMENT.match(requirement)
    return name["name"] if name else requirement


def _installed_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def readable_images() -> dict[str, bool]:
    """Return which image forms this Pillow can read."""
    from PIL import features

    return {form: bool(features.check(feature)) for form, feature in IMAGE_CODECS.items()}


def readable_transfer_syntaxes() -> dict[str, bool]:
    """Return which transfer syntaxes of DICOM this installation can decode, by name."""
    from gadoscope.reading.dicom.codecs import find_missing_decoders
    from gadoscope.reading.dicom.syntaxes import COMPRESSED_SYNTAXES, NATIVE_SYNTAXES

    missing = find_missing_decoders()
    return dict.fromkeys(NATIVE_SYNTAXES.values(), True) | {
        name: uid not in missing for uid, name in COMPRESSED_SYNTAXES.items()
    }
