"""A row of results as values of the table `answers`, and back."""

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from gadoscope.labels import KeptResult, Phase, Plane, SeriesResult, Status
from gadoscope.results.ledger import reason_code
from gadoscope.results.store.schema import UNREAD, WHOLE
from gadoscope.text import escaped, unescaped

ROW_COLUMNS = (
    "volume_index",
    "study_instance_uid",
    "series_instance_uid",
    "plane",
    "n_slices",
    "n_slices_used",
    "status",
    "phase",
    "probability",
    "reason",
    "reason_code",
    "header_state",
    "header_quote",
    "agreement",
    "warnings",
    "logits",
)
"""What a row says of the content; where that lies, and which model was asked, is said once for many rows."""

MAX_CODE = 100
"""Characters of `reason_code`, which is a key: more than any word of ours."""

Values = dict[str, Any]
"""Of one row of a table, by its columns."""


def to_values(row: SeriesResult) -> Values:
    """Return what of a row belongs to its content, as `ROW_COLUMNS`.

    No database takes every text that a header or a name may hold: it is escaped, see `gadoscope.text`.
    """
    logits = row.logits if isinstance(row, KeptResult) else ()
    return {
        "volume_index": WHOLE if row.volume_index is None else row.volume_index,
        "study_instance_uid": row.study_instance_uid and escaped(row.study_instance_uid),
        "series_instance_uid": row.series_instance_uid and escaped(row.series_instance_uid),
        "plane": row.plane.value,
        "n_slices": row.n_slices,
        "n_slices_used": row.n_slices_used,
        "status": row.status.value,
        "phase": None if row.phase is None else row.phase.value,
        "probability": row.probability,
        "reason": escaped(row.reason),
        "reason_code": escaped(reason_code(row.reason))[:MAX_CODE],
        "header_state": row.header_state,
        "header_quote": escaped(row.header_quote),
        "agreement": row.agreement,
        "warnings": json.dumps(row.warnings) if row.warnings else "[]",
        # Nine digits are a float32, which is what a network says.
        "logits": f"[{', '.join(f'{logit:.9g}' for logit in logits)}]" if logits else None,
    }


def from_values(values: Sequence[Any], path: str, model: str) -> SeriesResult:
    """Return the row of some values in the order of `ROW_COLUMNS`.

    Raises
    ------
    ValueError
        If they are those of no row: another program wrote them, or a newer Gadoscope.
    """
    volume, study_uid, series_uid, plane, n_slices, n_used, status, phase, probability, *said = values
    reason, _, state, quote, agreement, warnings, logits = said
    kind, kept = (SeriesResult, {}) if logits is None else (KeptResult, {"logits": tuple(json.loads(logits))})
    return kind(
        path=path,
        study_instance_uid=study_uid and unescaped(study_uid),
        series_instance_uid=series_uid and unescaped(series_uid),
        volume_index=None if volume == WHOLE else volume,
        plane=Plane(plane),
        n_slices=n_slices,
        n_slices_used=n_used,
        status=Status(status),
        phase=None if phase is None else Phase(phase),
        probability=probability,
        reason=unescaped(reason),
        header_state=state,
        header_quote=unescaped(quote),
        agreement=agreement,
        model=model,
        warnings=() if warnings == "[]" else tuple(json.loads(warnings)),
        **kept,
    )


def digest_of_unread(rows: Iterable[SeriesResult]) -> str:
    """Return what stands for the digest of an input without one: of where it is, and what is said of it.

    The model is no part of it: what nobody can read has one place, whoever was asked.
    """
    said = ("path", "volume_index", "status", "phase", "probability", "reason")
    text = json.dumps([[getattr(row, name) for name in said] for row in rows])
    return UNREAD + hashlib.sha256(text.encode()).hexdigest()


def now() -> str:
    """Return the time as the tables hold it."""
    return _format_second(int(time.time()))


@lru_cache(maxsize=1)
def _format_second(second: int) -> str:
    return format_time(datetime.fromtimestamp(second, UTC))


def format_time(moment: datetime) -> str:
    """Return a time as the tables hold it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def count_statuses(counts: Mapping[Status, int]) -> str:
    """Return how many rows of each status there were, as the tables hold it."""
    return json.dumps({status.value: counts.get(status, 0) for status in Status})
