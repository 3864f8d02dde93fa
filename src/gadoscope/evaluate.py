"""How good is a bundle, and what is the figure worth: a model and labelled images become a report."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gadoscope.errors import InputError, ManifestError, OutputError, UsageError
from gadoscope.evaluation.formats import plural
from gadoscope.evaluation.gallery import overlay, picture
from gadoscope.evaluation.predictions import Predictions, from_rows, write_predictions
from gadoscope.evaluation.report import (
    EVALUATED,
    Case,
    Subject,
    build_report,
    draw_figures,
    list_wrong,
    render_html,
    short_name,
)
from gadoscope.evaluation.seen import Division, count_items, divide_for_bundle, divide_foreign, divide_own
from gadoscope.evaluation.summary import count
from gadoscope.evaluation.trained_run import TrainedRun, describe_training, read_run
from gadoscope.evaluation.worth import Context
from gadoscope.files import write_text
from gadoscope.inference.decide import sigmoid
from gadoscope.inference.saliency import occlude
from gadoscope.inference.session import Session
from gadoscope.labels import Label, Plane, Split
from gadoscope.preparation.manifest import Item, read_manifest
from gadoscope.preparation.pool import map_in_order
from gadoscope.reading.images import read_slice

HTML_NAME = "report.html"
JSON_NAME = "report.json"
PREDICTIONS_NAME = "predictions.csv"

DEFAULT_CASES = 24
"""Wrong answers with pictures: eight rows of three; a page that can still be read to its end."""

OnProgress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, and how many there are."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What an evaluation leaves behind: the content of report.json, the scores, and where both are."""

    report: dict[str, Any]
    predictions: Predictions
    folder: Path


def evaluate(
    model: Path,
    *,
    data: Path | None,
    output: Path,
    jobs: int = 1,
    n_cases: int = DEFAULT_CASES,
    on_progress: OnProgress | None = None,
) -> Evaluation:
    """Score labelled images and write report.html, report.json and predictions.csv into ``output``.

    Parameters
    ----------
    model
        A folder made by `gadoscope train`, or a bundle.
    data
        A manifest or a folder of labelled images. For a run it may be None: the run's own data.
        Images that a run was trained on are left out, whatever ``data`` says of them.
    output
        A folder; the three files replace those of an earlier evaluation.
    jobs
        Threads that read and score images.
    n_cases
        At most so many wrong answers are shown with pictures.

    Raises
    ------
    UsageError
        If ``model`` is neither, or a bundle comes without data.
    ManifestError
        If the data hold no labelled image that may judge the model, or none that can be read.
    BundleError
        If the bundle does not fit.
    OutputError
        If a file cannot be written.
    """
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output} is a file; name a folder for the report.")
    tell = on_progress or (lambda _what, _done, _all: None)
    run = read_run(model) if model.is_dir() else None
    session = Session(run.bundle if run else model)
    division, origin, notices = _divide(run, data)
    rows, unread = _score(division.evaluated, session, jobs, tell)
    predictions = from_rows(rows)
    context = _describe_context(run, session, division, predictions, len(unread))
    subject = Subject(
        model=_describe_model(session),
        data={
            "origin": origin,
            "splits": _count_splits(division, predictions),
            "notices": notices,
            "unread": unread,
        },
        training=describe_training(run) if run else None,
    )
    report = build_report(subject, predictions, context, n_cases)
    cases = _show_cases(predictions, session, n_cases, jobs, tell)
    page = render_html(report, draw_figures(report, predictions), cases)
    write_predictions(predictions, output / PREDICTIONS_NAME)
    write_text(output / JSON_NAME, json.dumps(report, indent=1, allow_nan=False) + "\n")
    write_text(output / HTML_NAME, page)
    return Evaluation(report=report, predictions=predictions, folder=output)


def _divide(run: TrainedRun | None, data: Path | None) -> tuple[Division, str, list[str]]:
    """Return the images by what the model has seen of them, where they are from, and what to know."""
    if run is None and data is None:
        raise UsageError(
            "a bundle does not say which images to evaluate it on; name them with --data MANIFEST or FOLDER."
        )
    own = read_manifest(run.manifest) if run else None
    if own is not None and (data is None or _is_same_file(data, own.origin)):
        manifest, division = own, divide_own(own.labelled())
    else:
        manifest = read_manifest(data or Path())
        labelled = manifest.labelled()
        division = divide_foreign(labelled, own.labelled()) if own else divide_for_bundle(labelled)
    notices = list(manifest.notices)
    n_other = sum(item.label is Label.OTHER for item in manifest.items)
    if n_other:
        verb = "is" if n_other == 1 else "are"
        notices.append(f"{plural(n_other, 'image')} {verb} labelled 'other' (no T1 brain image): left out.")
    if not division.evaluated:
        raise ManifestError(
            f"{manifest.origin} holds no labelled image that may judge this model: "
            f"{len(division.trained_on)} belong to the training split, {n_other} are labelled 'other'. "
            "Name other images with --data."
        )
    return division, short_name(str(manifest.origin)), notices


def _is_same_file(data: Path, origin: Path) -> bool:
    return data.exists() and origin.exists() and data.samefile(origin)


def _score(
    items: Sequence[Item], session: Session, jobs: int, tell: OnProgress
) -> tuple[list[dict[str, object]], list[dict[str, str]]]:
    """Return one row for each image that can be read, and one for each that cannot."""
    rows: list[dict[str, object]] = []
    unread: list[dict[str, str]] = []
    for done, (item, scored) in enumerate(
        zip(items, map_in_order(lambda item: _score_one(item, session), items, jobs), strict=True), start=1
    ):
        if isinstance(scored, InputError):
            name = short_name(str(item.path))
            unread.append({"name": name, "reason": scored.reason, "sentence": scored.sentence})
        else:
            rows.append(scored)
        tell("Scoring images", done, len(items))
    if not rows:
        first = f"{unread[0]['reason']}: {unread[0]['sentence']}"
        raise ManifestError(
            f"none of the {len(items)} images can be read; of {unread[0]['name']}, the first: {first}"
        )
    return rows, unread


def _score_one(item: Item, session: Session) -> dict[str, object] | InputError:
    try:
        pixels = read_slice(item.path).pixels
    except InputError as error:
        return error
    resized = session.bundle.metadata.image_path.resize_slice(pixels)
    logit = session.slice_logits(resized[np.newaxis])
    return {
        "path": item.path,
        "subject_id": item.subject_id,
        "source": item.source,
        "plane": item.plane.value,
        "split": item.split.value if item.split else "",
        "reference_label": item.label.value,
        "logit": float(logit[0]),
        "probability": float(sigmoid(logit)[0]),
    }


def _show_cases(
    predictions: Predictions, session: Session, n_cases: int, jobs: int, tell: OnProgress
) -> list[Case]:
    threshold = session.bundle.metadata.operating_point.threshold
    wrong = list_wrong(predictions, threshold)[:n_cases]
    cases = []
    for done, case in enumerate(
        map_in_order(lambda row: _show_case(Path(str(predictions.path[row])), session), wrong, jobs), start=1
    ):
        cases.append(case)
        tell("Explaining wrong answers", done, len(wrong))
    return cases


def _show_case(path: Path, session: Session) -> Case:
    try:
        pixels = read_slice(path).pixels
    except InputError:  # it could be read a moment ago: gone since, and the report says no more than that
        return Case()
    evidence = occlude(session, session.bundle.metadata.image_path.resize_slice(pixels))
    return Case(picture=picture(pixels), overlay=overlay(pixels, evidence))


def _describe_context(
    run: TrainedRun | None, session: Session, division: Division, predictions: Predictions, n_unread: int
) -> Context:
    metadata = session.bundle.metadata
    made_for = {plane.value for plane in metadata.planes}
    found = set(predictions.plane.tolist()) - {Plane.UNKNOWN.value}
    config = run.record.get("config", {}) if run else {}
    has_test = bool((predictions.split == Split.TEST.value).any())
    return Context(
        split=(Split.TEST if has_test else Split.VALIDATION).value,
        chosen_on=metadata.operating_point.chosen_on,
        split_method=str(config.get("split", {}).get("method", "")),
        training_sources=division.training_sources,
        n_shared_images=division.n_shared_images,
        n_shared_subjects=division.n_shared_subjects,
        n_excluded=division.n_excluded,
        n_unread=n_unread,
        foreign_planes=sorted(found - made_for) if made_for else (),
    )


def _describe_model(session: Session) -> dict[str, Any]:
    bundle = session.bundle
    return {
        "id": bundle.model_id,
        "sha256": bundle.sha256,
        "network": bundle.metadata.network,
        "n_parameters": bundle.metadata.n_parameters,
        "planes": [plane.value for plane in bundle.metadata.planes],
        "licence": bundle.metadata.licence,
        "image_path": bundle.metadata.image_path.to_dict(),
        "operating_point": asdict(bundle.metadata.operating_point),
    }


def _count_splits(division: Division, predictions: Predictions) -> list[dict[str, Any]]:
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
