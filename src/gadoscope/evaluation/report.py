"""The report: everything that is known of an evaluation, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gadoscope.evaluation.caveats import Context, judge
from gadoscope.evaluation.cross_checks import cross_check, tell_shortcuts
from gadoscope.evaluation.forgetting import tell_forgetting
from gadoscope.evaluation.summary import EVALUATED, Summary
from gadoscope.evaluation.training_images import tell_seen, tell_sources
from gadoscope.inference.bundle import Bundle
from gadoscope.labels import Split
from gadoscope.records import Data, to_plain
from gadoscope.report.finding import rank
from gadoscope.version import __version__

FORMAT_VERSION = 2


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """What is evaluated, and what is known of it but its scores.

    Parameters
    ----------
    data
        ``origin``, ``splits`` (a row of counts each), ``unread``, ``notices``.
    training
        ``layers``, ``settings``, ``machine``, ``history``; None for a bundle alone.
    audit
        From `audited.read_audit`; None where there is none.
    gate
        ``threshold``, ``max_refused``, ``chosen_on``, and what comes from `gate.summarise_gate`; None for a
        bundle without one.
    shortcuts
        From `shortcuts.find_shortcuts`; None where nothing was measured.
    seen
        Which images of the verdict the bundle was made from, from `evaluate.seen`; None where nobody knows.
    """

    bundle: Bundle
    data: Data
    training: Data | None
    audit: Data | None = None
    gate: Data | None = None
    shortcuts: Data | None = None
    seen: Data | None = None


def build_report(
    evaluated: Evaluated,
    splits: Mapping[Split, Summary],
    context: Context,
    wrong: Data,
    *,
    openings: Sequence[Data] = (),
    comparison: Data | None = None,
    forgetting: Data | None = None,
) -> Data:
    """Return the content of report.json.

    Parameters
    ----------
    splits
        From `summarise`; that of the verdict is there.
    wrong
        From `describe_wrong`.
    openings
        Of the run's sealed test, oldest first, this one included.
    comparison
        From `comparison.compare`.
    forgetting
        From `forgetting.measure_forgetting`; None where nothing is compared with elsewhere.
    """
    verdict = splits[Split(context.split)]
    promise = to_plain(verdict.judged.decided.point.promise)
    seen, known = tell_seen(evaluated.seen), tell_sources(evaluated.seen)
    warnings = [*seen, *tell_shortcuts(evaluated.shortcuts)]
    doubts = cross_check(
        verdict.figures,
        audit=evaluated.audit,
        openings=openings,
        promise=promise,
        gate=evaluated.gate,
        shortcuts=evaluated.shortcuts,
    )
    limits = judge(verdict.table, verdict.figures, context)
    return {
        "format": "gadoscope evaluation",
        "format_version": FORMAT_VERSION,
        "gadoscope": __version__,
        "not_a_medical_device": True,
        "warnings": warnings,
        "model": _describe_model(evaluated.bundle),
        "data": evaluated.data,
        "verdict_split": context.split,
        "splits": {split.value: splits[split].figures if split in splits else None for split in EVALUATED},
        "worth": rank([*warnings, *tell_forgetting(forgetting), *doubts, *known, *limits]),
        "promise": promise,
        "comparison": comparison,
        "forgetting": forgetting,
        "gate": evaluated.gate,
        "openings": list(openings),
        "audit": evaluated.audit,
        "shortcuts": evaluated.shortcuts,
        "seen": evaluated.seen,
        "wrong": wrong,
        "training": evaluated.training,
    }


def _describe_model(bundle: Bundle) -> Data:
    """Return what the report says of the model: the bundle's metadata under its own keys."""
    metadata = bundle.metadata
    decision = to_plain(metadata.decision)
    del decision["gate"]  # a part of the report of its own
    return {
        "id": bundle.model_id,
        "sha256": bundle.sha256,
        "network": metadata.network,
        "n_parameters": metadata.n_parameters,
        "planes": [plane.value for plane in metadata.planes],
        "licence": metadata.licence,
        "image_path": to_plain(metadata.image_path),
        **decision,
    }
