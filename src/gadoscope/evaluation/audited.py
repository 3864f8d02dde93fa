"""What an earlier `gadoscope audit` found, for the top of every later report."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gadoscope.errors import UsageError

Data = dict[str, Any]

AUDIT_NAME = "audit.json"
AUDIT_FORMAT, AUDIT_VERSION = "gadoscope audit", 1


def find_audit(folders: Iterable[Path]) -> Path | None:
    """Return the audit.json in the first of ``folders`` that has one, or None."""
    return next((folder / AUDIT_NAME for folder in folders if (folder / AUDIT_NAME).is_file()), None)


def read_audit(path: Path) -> Data:
    """Return what a report shows of an audit: ``origin``, ``n_images``, ``findings``, ``predictors``.

    Parameters
    ----------
    path
        audit.json, or the folder that holds it.

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
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"the audit {path} cannot be read ({error}); make it again with `gadoscope audit`."
        ) from error


def _pick(row: Mapping[str, Any], keys: Iterable[str]) -> Data:
    return {key: row[key] for key in keys}
