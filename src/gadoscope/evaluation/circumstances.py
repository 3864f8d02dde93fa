"""What gives the label of the evaluated data away: from an audit, an earlier command, or measured now."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gadoscope.evaluation.judges import Judges, Model
from gadoscope.inspection.audited import DataDigests, find_audit, find_audit_of, read_audit
from gadoscope.inspection.shortcuts import find_shortcuts
from gadoscope.preparation.data_digest import digest_files, digest_labelled
from gadoscope.progress import OnProgress
from gadoscope.records import Data
from gadoscope.wording import short_name


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What is known of the data besides the model's answers; ``notices`` are for a person."""

    audit: Data | None
    shortcuts: Data
    notices: tuple[str, ...]


def look_at_circumstances(
    model: Model, judges: Judges, audit: Path | None, report: Path, jobs: int, tell: OnProgress
) -> Circumstances:
    """Return the audit of the data, if there is one, and their trivial predictors.

    Parameters
    ----------
    audit
        One that was named; None: one is looked for.
    report
        report.json of an earlier evaluation, which may hold the figures already.

    Raises
    ------
    UsageError
        If the audit cannot be read.
    """
    manifest = judges.manifest
    labelled = manifest.labelled().items
    digests = judges.digests.of(labelled)
    known = DataDigests(digest_labelled(labelled, digests), digest_files(judges.digests.of(manifest.items)))
    origin = manifest.origin if manifest.origin.is_dir() else manifest.origin.parent
    beside = [origin, manifest.common_folder]
    near = [model.path if model.run else model.path.parent, *beside, report.parent, Path.cwd()]
    found = audit or find_audit_of(known, near) or find_audit([model.path, *beside])
    audited = read_audit(found, known) if found else None
    shortcuts = find_shortcuts(
        labelled,
        digests,
        near=[found] if audited and audited["is_of_these_data"] and found else [],
        kept=_list_kept(model, report),
        jobs=jobs,
        on_progress=partial(tell, "Looking for shortcuts"),
    )
    notices = []
    if audited and audited["is_of_these_data"] is False and found:
        notices.append(
            f"the audit {short_name(str(found))} is of other images or labels than these; audit these again."
        )
    return Circumstances(audit=audited, shortcuts=shortcuts, notices=tuple(notices))


def _list_kept(model: Model, report: Path) -> list[Any]:
    """Return what the run's training, and an earlier report in this place, have measured."""
    kept = [model.run.record.get("shortcuts")] if model.run else []
    try:
        earlier = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return kept
    return [*kept, earlier.get("shortcuts")] if isinstance(earlier, dict) else kept
