"""The lines that a run keeps of each time its sealed test was opened, as they are read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gadoscope.errors import OutputError

OPENINGS_NAME = "openings.jsonl"
FIGURES = ("accuracy", "sensitivity", "specificity", "auc")


def read_openings(run: Path) -> list[dict[str, Any]]:
    """Return the earlier openings, oldest first; a damaged line counts as an opening without figures."""
    try:
        text = (run / OPENINGS_NAME).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OutputError(f"cannot read {run / OPENINGS_NAME}: {error.strerror}.") from error
    return [_parse(line) for line in text.splitlines() if line.strip()]


def _parse(line: str) -> dict[str, Any]:
    try:
        opening = json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        opening = None
    if not isinstance(opening, dict):
        opening = {}
    texts = {key: _take(opening, key, str) for key in ("time", "bundle_sha256")}
    return {**texts, **{key: _take(opening, key, int, float) for key in ("n_images", *FIGURES)}}


def _take(opening: Mapping[str, Any], key: str, *kinds: type) -> Any:
    """Return a value of one of these types; anything else counts as unknown."""
    value = opening.get(key)
    return value if type(value) in kinds else None
