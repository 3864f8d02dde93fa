"""The flow of an evaluation: models, data, scores, report."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gadoscope.evaluation import DEFAULT_CASES
from gadoscope.evaluation.cases import show_cases
from gadoscope.evaluation.caveats import Context
from gadoscope.evaluation.circumstances import Circumstances, look_at_circumstances
from gadoscope.evaluation.examples import N_EXAMPLES, choose_examples
from gadoscope.evaluation.forgetting import find_beginning, measure_forgetting
from gadoscope.evaluation.gate import summarise_gate
from gadoscope.evaluation.judges import Judges, Model, find_judges, find_verdict, open_model
from gadoscope.evaluation.notebook import draw_evaluation, read_figures
from gadoscope.evaluation.overlap import Division
from gadoscope.evaluation.page import draw_figures, render_html
from gadoscope.evaluation.pictures import CasePictures
from gadoscope.evaluation.report import Evaluated, build_report
from gadoscope.evaluation.rivals import tell_names
from gadoscope.evaluation.scoring import Unread, score_images, score_readable
from gadoscope.evaluation.side_by_side import compare_with_rivals
from gadoscope.evaluation.subgroups import count
from gadoscope.evaluation.summary import EVALUATED, summarise
from gadoscope.evaluation.test_log import open_sealed_tests
from gadoscope.evaluation.training_images import look_for_training_images
from gadoscope.evaluation.wrong import describe_wrong, list_wrong
from gadoscope.files import refuse_file, write_text
from gadoscope.inference.default import find_model
from gadoscope.inference.session import Session
from gadoscope.inspection.audited import read_audit
from gadoscope.labels import Level, Plane, Split
from gadoscope.preparation.subjects import count_items
from gadoscope.progress import OnProgress, say_nothing
from gadoscope.records import Data
from gadoscope.report.finding import Finding, list_caveats
from gadoscope.run_folder import HTML_NAME, JSON_NAME, PREDICTIONS_NAME, describe_training
from gadoscope.statistics.intervals import Estimate
from gadoscope.statistics.table import Predictions, write_predictions
from gadoscope.wording import short_name


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What an evaluation leaves behind: the content of report.json, the scores, and where both are."""

    report: Data = field(repr=False)
    predictions: Predictions = field(repr=False)
    folder: Path

    @property
    def figures(self) -> Mapping[Level, Mapping[str, Estimate]]:
        """The main figures of the verdict's images, by level and name, each with its 95 % interval.

        Of every level that the data know: ``sensitivity``, ``specificity``, ``balanced_accuracy``,
        ``accuracy``, ``auc`` and ``average_precision``; where some cases are left without an answer also
        ``coverage``, the share that is answered, and ``accuracy_of_answered``.
        """
        return read_figures(self.report)

    @property
    def caveats(self) -> tuple[Finding, ...]:
        """The findings that limit the figures, gravest first; notes, which explain, are in ``report``."""
        return list_caveats(self.report["worth"])

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the figures by level, and the caveats."""
        return draw_evaluation(self.report, self.folder)


def evaluate(  # noqa: PLR0913 - as the front door has them
    model: Path,
    *,
    data: Path | None,
    output: Path,
    labels: Path | None = None,
    rivals: Sequence[Path] = (),
    audit: Path | None = None,
    elsewhere: Path | None = None,
    jobs: int = 1,
    n_cases: int = DEFAULT_CASES,
    on_progress: OnProgress | None = None,
    defaults: Callable[[], Data] | None = None,
) -> Evaluation:
    """Score labelled images and write report.html, report.json and predictions.csv into ``output``.

    Where images of a run's own test split are among them, the run's openings.jsonl gets a line.

    Parameters
    ----------
    model
        A folder made by `gadoscope train`, a bundle, or ``default``.
    data
        A manifest or a folder of labelled images. For a run it may be None: the run's own data.
        Images that a run was trained on are left out, whatever ``data`` says of them.
    labels
        A CSV with the label of what lies in ``data``; as of `read_manifest`.
    output
        A folder; the three files replace those of an earlier evaluation.
    rivals
        Further runs or bundles, or names in `RIVALS` where no such file exists; all are compared with
        ``model`` on the images that none of them was trained on.
    audit
        audit.json of `gadoscope audit`, or its folder; None: the one of these data, by their hash, that lies
        near the run, the data, the report or the working folder; else one in the run or beside the data.
    elsewhere
        Labelled images of other hospitals: the report then shows what a fine-tuned run gained on ``data`` and
        lost there, beside the model that it began from: a rival, or the default where it began from that.
    jobs
        Threads that read and score images.
    n_cases
        At most so many wrong answers are shown with pictures.
    defaults
        Returns the settings of a training that was told nothing, as nested plain values: the page folds
        those of the run that are the same. None: it folds them all.

    Raises
    ------
    UsageError
        If a model is neither, a bundle comes first without data, or the audit cannot be read.
    ManifestError
        If the data hold no labelled image that may judge the models, or none that can be read.
    BundleError
        If a bundle does not fit.
    OutputError
        If a file cannot be written.
    """
    refuse_file(output, "the report")
    tell = on_progress or say_nothing
    model, *rivals = (find_model(path) for path in (model, *rivals))
    names, further = tell_names(rivals)
    models = [open_model(path) for path in (model, *further)]
    began = find_beginning(models) if elsewhere is not None else None
    judges = find_judges(models, data, labels, jobs=jobs)
    if audit is not None:
        read_audit(audit)  # one that cannot be read ends the evaluation here, not after the scores
    first, decision = models[0], models[0].decision

    n_examples = min(N_EXAMPLES, n_cases)
    pictures = CasePictures(n_cases, n_examples, decision)
    predictions, others, unread = _score(judges, first.session, jobs, tell, pictures)
    splits = summarise(predictions, decision)
    context = _describe_context(first, judges.division, predictions, len(unread))
    verdict = find_verdict(splits[Split(context.split)].table, judges)

    gate = summarise_gate(verdict.table, others, decision)
    around = look_at_circumstances(first, judges, audit, output / JSON_NAME, jobs, tell)
    seen = look_for_training_images(first, verdict) if _may_be_seen(first, context) else None
    comparison = compare_with_rivals(models, names, verdict, jobs, tell)
    forgetting = None
    if began and elsewhere is not None:
        forgetting = measure_forgetting(first, began, verdict, elsewhere, jobs, tell)
    opened = splits[Split.TEST].figures if Split.TEST in splits else None
    openings = open_sealed_tests(models, judges, opened, comparison)  # before the pictures, which can fail

    threshold = decision.of_slice.point.threshold
    wrong = list_wrong(predictions, threshold)
    examples = choose_examples(verdict.table, threshold, n_examples)
    shown = [str(predictions.path[row]) for row in wrong[:n_cases]]
    gallery = show_cases([*shown, *examples.names], pictures, first.session, jobs, tell, n_wrong=len(shown))
    report = build_report(
        _describe(first, judges, predictions, unread, around, gate, seen),
        splits,
        context,
        describe_wrong(predictions, wrong, n_cases, gallery.similarity_with_random_weights),
        openings=openings,
        comparison=comparison,
        forgetting=forgetting,
    )
    page = render_html(
        report,
        draw_figures(report, splits, decision),
        gallery.cases,
        decision,
        examples=examples,
        defaults=defaults() if first.run and defaults else None,
    )
    write_predictions(predictions, output / PREDICTIONS_NAME)
    write_text(output / JSON_NAME, json.dumps(report, indent=1, allow_nan=False) + "\n")
    write_text(output / HTML_NAME, page)
    return Evaluation(report=report, predictions=predictions, folder=output)


def _score(
    judges: Judges, session: Session, jobs: int, tell: OnProgress, pictures: CasePictures
) -> tuple[Predictions, Predictions, Unread]:
    """Return the scores of the labelled images and of the others, and what could not be read of both."""
    predictions, unread = score_images(judges.division.evaluated, session, jobs, tell, look=pictures)
    others, unread_others = score_readable(judges.others, session, jobs, tell, "Asking the gate")
    return predictions, others, [*unread, *unread_others]


def _may_be_seen(model: Model, context: Context) -> bool:
    """Return whether that is a question: of a run's own validation images the report says so anyway."""
    return model.run is None or context.split == Split.TEST.value


def _describe(
    model: Model,
    judges: Judges,
    predictions: Predictions,
    unread: list[dict[str, str]],
    around: Circumstances,
    gate: Data | None,
    seen: Data | None,
) -> Evaluated:
    return Evaluated(
        bundle=model.session.bundle,
        data={
            "origin": short_name(str(judges.manifest.origin)),
            "splits": _count_splits(judges.division, predictions),
            "notices": [*judges.notices, *around.notices],
            "unread": unread,
        },
        training=describe_training(model.run) if model.run else None,
        audit=around.audit,
        gate=gate,
        shortcuts=around.shortcuts,
        seen=seen,
    )


def _describe_context(model: Model, division: Division, predictions: Predictions, n_unread: int) -> Context:
    metadata = model.session.bundle.metadata
    made_for = {plane.value for plane in metadata.planes}
    found = set(predictions.plane.tolist()) - {Plane.UNKNOWN.value}
    config = model.run.record.get("config", {}) if model.run else {}
    has_test = bool((predictions.split == Split.TEST.value).any())
    return Context(
        split=(Split.TEST if has_test else Split.VALIDATION).value,
        chosen_on=model.decision.of_slice.point.chosen_on,
        split_method=str(config.get("split", {}).get("method", "")),
        training_sources=division.training_sources,
        n_shared_images=division.n_shared_images,
        n_shared_subjects=division.n_shared_subjects,
        n_two_sided=division.n_two_sided,
        n_excluded=division.n_excluded,
        n_unread=n_unread,
        foreign_planes=sorted(found - made_for) if made_for else (),
    )


def _count_splits(division: Division, predictions: Predictions) -> list[Data]:
    """Return images, subjects and labels of each split; of the evaluated ones, what could be read."""
    used_for = {
        Split.VALIDATION: "choosing the threshold; has figures of its own",
        Split.TEST: "the verdict",
    }
    return [
        {
            "split": Split.TRAIN.value,
            **count_items(division.trained_on),
            "used_for": "nothing in this report",
        },
        *(
            {"split": split.value, **count(predictions.with_split(split)), "used_for": used_for[split]}
            for split in reversed(EVALUATED)
        ),
    ]
