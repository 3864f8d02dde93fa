"""What an earlier `gadoscope audit` found, for the top of every later report."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from gadoscope.errors import UsageError
from gadoscope.records import Data

AUDIT_NAME = "audit.json"
AUDIT_FORMAT, AUDIT_VERSION = "gadoscope audit", 1
STRONG_CODE = "strong_predictor"
"""Of the audit's finding that circumstances give the label away."""
DEPTH = 2
"""Folders below a place in which audits are looked for."""
MAX_FOLDERS = 500
MAX_ENTRIES = 20_000
"""Looked through for an audit: a fraction of a second, also where the neighbours are an archive."""


@dataclass(frozen=True)
class DataDigests:
    """What tells whether an audit is of some data.

    Attributes
    ----------
    labelled
        From `digest_labelled`.
    files
        From `digest_files`, of all files; what audits recorded before they knew of ``labelled``.
    """

    labelled: str
    files: str


def find_audit_of(data: DataDigests, near: Iterable[Path]) -> Path | None:
    """Return the audit.json that was made of these data, or None.

    Looked for in each place of ``near`` and beside it, and `DEPTH` folders further down; what is nearest
    comes first. One that cannot be read is passed by.
    """
    return next((path for path in _iter_audits(near) if is_of(_read_quietly(path), data)), None)


def is_of(document: Any, data: DataDigests) -> bool | None:
    """Return whether an audit was made of these data; None where it does not say of which it was made."""
    known = document.get("data") if isinstance(document, dict) else None
    if not isinstance(known, dict):
        return None
    if known.get("labelled_sha256"):
        return bool(known["labelled_sha256"] == data.labelled)
    if known.get("sha256"):
        return bool(known["sha256"] == data.files)
    return None


def _read_quietly(path: Path) -> Any:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    fits = isinstance(document, dict) and document.get("format") == AUDIT_FORMAT
    return document if fits and document.get("format_version") == AUDIT_VERSION else None


def _iter_audits(near: Iterable[Path]) -> Iterator[Path]:
    places = [Path(os.path.abspath(place)) for place in near]  # noqa: PTH100  # links keep their names
    level = list(dict.fromkeys([*places, *(place.parent for place in places)]))
    seen, n_entries = set(level), 0
    for _ in range(DEPTH + 1):
        below: list[Path] = []
        for folder in level:
            if folder == folder.parent:  # of the whole machine nothing is listed
                continue
            if (folder / AUDIT_NAME).is_file():
                yield folder / AUDIT_NAME
            if len(seen) < MAX_FOLDERS and n_entries < MAX_ENTRIES:
                found, n = _list_folders(folder, MAX_ENTRIES - n_entries)
                n_entries += n
                new = [one for one in found if one not in seen][: MAX_FOLDERS - len(seen)]
                seen.update(new)
                below += new
        level = below


def _list_folders(folder: Path, limit: int) -> tuple[list[Path], int]:
    """Return the folders in one, by name, and how many entries were looked at."""
    try:
        with os.scandir(folder) as entries:
            listed = list(islice(entries, limit))
        names = [
            one.name for one in listed if not one.name.startswith(".") and one.is_dir(follow_symlinks=False)
        ]
    except OSError:
        return [], 0
    return [folder / name for name in sorted(names)], len(listed)


def find_audit(folders: Iterable[Path]) -> Path | None:
    """Return the audit.json in the first of ``folders`` that has one, or None."""
    return next((folder / AUDIT_NAME for folder in folders if (folder / AUDIT_NAME).is_file()), None)


def read_audit(path: Path, data: DataDigests | None = None) -> Data:
    """Return what a report shows of an audit: ``origin``, ``n_images``, ``findings``, ``predictors``.

    With ``data`` also ``is_of_these_data``: true, false, or null where the audit does not say.

    Parameters
    ----------
    path
        audit.json, or the folder that holds it.
    data
        Of the images that it is read for.

    Raises
    ------
    UsageError
        If it cannot be read, or is no audit of this format.
    """
    path = path / AUDIT_NAME if path.is_dir() else path
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict) or document.get("format") != AUDIT_FORMAT:
            raise UsageError(f"{path} is no audit; name the audit.json that `gadoscope audit` wrote.")
        if document["format_version"] != AUDIT_VERSION:
            raise UsageError(
                f"{path} is of format {document['format_version']}; this Gadoscope reads {AUDIT_VERSION}: "
                "audit the data again."
            )
        return {
            "origin": str(document["data"]["origin"]),
            "n_images": int(document["counts"]["all"]["n_images"]),
            "findings": [_pick(one, ("severity", "code", "title", "text")) for one in document["findings"]],
            "predictors": [
                _pick(one, ("name", "nature", "verdict", "auc")) for one in document["predictors"]
            ],
            **({} if data is None else {"is_of_these_data": is_of(document, data)}),
        }
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            f"the audit {path} cannot be read ({error}); make it again with `gadoscope audit`."
        ) from error


def _pick(row: Mapping[str, Any], keys: Iterable[str]) -> Data:
    return {key: row[key] for key in keys}
