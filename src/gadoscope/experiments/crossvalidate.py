"""The same training several times, each time with other subjects held out: by fold or by source.

So every image that is not sealed for the test is looked at once by a network that has not seen its
subject. What comes of it: how far threshold, accuracy and AUC depend on whom one trained on, and which
labels the networks do not believe.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Floats
from gadoscope.errors import ManifestError
from gadoscope.evaluation.scoring import score_images
from gadoscope.experiments.out_of_fold import Fold, judge_folds
from gadoscope.experiments.parts import name_part, naming
from gadoscope.experiments.spread import Spread
from gadoscope.experiments.suspects_report import list_singles, list_suspects, render_suspects
from gadoscope.files import write_text
from gadoscope.freezing.rules import PointRule, choose_point
from gadoscope.inference.session import Session
from gadoscope.labels import Split
from gadoscope.parallel import count_jobs
from gadoscope.preparation.items import Item
from gadoscope.preparation.manifest import Manifest, read_manifest
from gadoscope.preparation.split import list_sources
from gadoscope.progress import OnProgress, say_nothing
from gadoscope.report.pictures import picture, shrink
from gadoscope.run_folder import MANIFEST_NAME, PREDICTIONS_NAME, PREPARED_NAME
from gadoscope.statistics.table import Predictions, join, write_predictions
from gadoscope.training.config import SplitConfig
from gadoscope.training.job import Job, TrainedRun, Warn, Watch, check_folder
from gadoscope.training.run import train
from gadoscope.wording import area, percent, plural

PICTURES_NAME = "held_out.slices"
SPREAD_NAME = "spread.json"
SUSPECTS_JSON_NAME = "suspects.json"
SUSPECTS_HTML_NAME = "suspects.html"

MAX_CASES = 24
"""Suspected series with pictures: a page that can still be read to its end; all stand in the JSON."""


@dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """What is known when all folds are trained.

    Attributes
    ----------
    spread
        A row a fold.
    figures
        Of all held-out images together, each judged at a threshold that its subject had no part in.
    predictions
        Of each image that is not test, by the network that has not seen its subject.
    suspects
        Content of suspects.json.
    notices
        What the user must know, each once.
    n_sealed
        Test images, which no fold has touched.
    """

    spread: Spread
    figures: dict[str, Any]
    predictions: Predictions
    suspects: dict[str, Any]
    notices: tuple[str, ...]
    n_sealed: int
    folder: Path

    def to_text(self) -> str:
        """Return what a person needs to see on a terminal."""
        auc, accuracy = self.figures["auc"], self.figures["accuracy"]
        series, total = self.suspects["series"], self.suspects["n_series"]
        unit = "series" if self.suspects["has_series"] else "images"
        singles = f" and {plural(n, 'single image')}" if (n := len(list_singles(self.suspects))) else ""
        lines = [
            *(f"note: {notice}" for notice in self.notices),
            f"out of fold: AUC {area(auc['value'])} ({area(auc['lower'])} to {area(auc['upper'])}), accuracy "
            f"{percent(accuracy['value'])} ({percent(accuracy['lower'])} to {percent(accuracy['upper'])}), "
            f"{plural(len(self.predictions), 'image')}",
            f"suspected labels: {len(series)} of {total} {unit}{singles}; "
            f"look at {self.folder / SUSPECTS_HTML_NAME}",
        ]
        if self.n_sealed:
            lines.append(f"sealed: {plural(self.n_sealed, 'test image')}, which no fold has touched")
        return self.spread.to_text() + "\n".join(lines) + "\n"


def cross_validate(
    job: Job,
    n_folds: int | None,
    *,
    watch: Watch,
    on_progress: OnProgress = say_nothing,
    warn: Warn = lambda _sentence: None,
    on_part: Callable[[str], None] = lambda _part: None,
) -> CrossValidation | None:
    """Train once for each fold, or for each source left out, and judge what was held out.

    Each run lies in ``job.run/fold-N`` or ``job.run/source-N``. ``resume`` goes on with the fold that was
    interrupted; of the finished ones the last checkpoint is read. Test images are never looked at.

    Parameters
    ----------
    n_folds
        How many folds; None leaves out each source in turn.
    on_part
        Called before each run with which it is.

    Returns
    -------
    CrossValidation or None
        None in every process but the first.

    Raises
    ------
    ManifestError
        If there are too few subjects or sources, before anything is trained.
    """
    check_folder(job.run, resume=job.resume)
    manifest = read_manifest(job.data, job.labels).labelled()
    sealed = {item.path for item in manifest.with_split(Split.TEST)}
    unit, plan = ("fold", _plan_folds(job, n_folds)) if n_folds else ("source", _plan_sources(job, manifest))
    judged = []
    pictures = KeptPictures(job.run / PREPARED_NAME / PICTURES_NAME)
    for number, split in enumerate(plan, start=1):
        part = replace(
            job,
            config=job.config.with_values(split=split),
            run=job.run / f"{unit}-{number}",
            prepared=job.run / PREPARED_NAME,
            part=name_part(unit, number, len(plan), split.source if unit == "source" else ""),
        )
        on_part(part.part)
        with naming(part.part):
            trained = train(part, watch=watch, on_progress=on_progress, warn=warn)
            if trained is not None:
                look = _Looking(sealed, job.config.threads, on_progress, pictures)
                judged.append(_look_at_held_out(trained, split, look))
    if not judged:
        return None
    done = _conclude(job, unit, judged, len(sealed))
    _write(done, pictures)
    shutil.rmtree(job.run / PREPARED_NAME, ignore_errors=True)
    return done


class KeptPictures:
    """The slices that were held out, small in one file, by the name of each: who is suspected shows last.

    Parameters
    ----------
    path
        The file; one that is there is replaced when the first slice comes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[str, tuple[int, tuple[int, ...]]] = {}
        self._end = 0

    def keep(self, items: Sequence[Item], pixels: Sequence[NDArray[np.uint8]], _logit: Floats, /) -> None:
        """Add slices, as small as they will be shown."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab" if self._places else "wb") as file:
            for item, slice_ in zip(items, pixels, strict=True):
                small = shrink(slice_)
                file.write(small.tobytes())
                self._places[item.name] = self._end, small.shape
                self._end += small.size

    def draw(self, name: str) -> str:
        """Return a slice as the address of an embedded picture."""
        start, shape = self._places[name]
        with self._path.open("rb") as file:
            file.seek(start)
            read = file.read(int(np.prod(shape)))
        return picture(np.frombuffer(read, dtype=np.uint8).reshape(shape))


@dataclass(frozen=True)
class _Looking:
    """How the images are looked at that were held out: all but ``sealed``, and each is kept as a picture."""

    sealed: set[Path]
    threads: int
    on_progress: OnProgress
    pictures: KeptPictures


def _conclude(
    job: Job, unit: str, judged: Sequence[tuple[Fold, list[str]]], n_sealed: int
) -> CrossValidation:
    """Return what the folds say together."""
    folds = [fold for fold, _ in judged]
    rule = job.config.operating_point.to_rule()
    spread, figures = judge_folds(folds, unit, lambda table: _choose(table, rule))
    predictions = join([fold.predictions for fold in folds])
    return CrossValidation(
        spread=spread,
        figures=figures,
        predictions=predictions,
        suspects=list_suspects(predictions),
        notices=tuple(dict.fromkeys(notice for _, notices in judged for notice in notices)),
        n_sealed=n_sealed,
        folder=job.run,
    )


def _plan_folds(job: Job, n_folds: int) -> list[SplitConfig]:
    return [
        replace(job.config.split, method="kfold", folds=n_folds, fold=fold) for fold in range(1, n_folds + 1)
    ]


def _plan_sources(job: Job, manifest: Manifest) -> list[SplitConfig]:
    """Return one split for each source, after checking that the others hold both classes."""
    sources = list_sources(manifest)
    for source in sources:
        labels = {
            item.label for item in manifest.items if item.split is not Split.TEST and item.source != source
        }
        if len(labels) < 2:  # noqa: PLR2004  # pre and post
            raise ManifestError(
                f"without the source {source} there is no image of one class among the other sources "
                f"({', '.join(name for name in sources if name != source) or 'none'}), so nothing can be "
                "trained. Add a source that has both, or use --folds."
            )
    return [replace(job.config.split, method="leave_source_out", source=source) for source in sources]


def _look_at_held_out(trained: TrainedRun, split: SplitConfig, look: _Looking) -> tuple[Fold, list[str]]:
    """Return what the run says of the images held out from it, and what the user must know of both."""
    manifest = read_manifest(trained.run / MANIFEST_NAME).labelled()  # a gate trains on others too
    by_fold = split.method == "kfold"
    held = [
        item
        for item in manifest.with_split(Split.VALIDATION if by_fold else Split.TEST)
        if item.path not in look.sealed and (by_fold or item.source == split.source)
    ]
    session = Session(trained.bundle)
    predictions, unread = score_images(
        held, session, count_jobs(look.threads), look.on_progress, look=look.pictures.keep
    )
    fold = Fold(
        name=split.fold if by_fold else split.source,
        predictions=predictions,
        threshold=session.bundle.metadata.decision.of_slice.point.threshold,
        own_threshold=by_fold,
    )
    not_read = [f"{row['name']} cannot be read ({row['reason']}): it is in no fold." for row in unread]
    return fold, [*trained.warnings, *trained.notices, *not_read]


def _choose(table: Predictions, rule: PointRule) -> float:
    return choose_point(table.is_post, table.probability, table.subject_group, rule).threshold


def _write(done: CrossValidation, pictures: KeptPictures) -> None:
    write_predictions(done.predictions, done.folder / PREDICTIONS_NAME)
    document = {**done.spread.to_dict(), "out_of_fold": done.figures, "n_sealed": done.n_sealed}
    write_text(done.folder / SPREAD_NAME, json.dumps(document, indent=2, allow_nan=False) + "\n")
    write_text(done.folder / SUSPECTS_JSON_NAME, json.dumps(done.suspects, indent=1, allow_nan=False) + "\n")
    page = render_suspects(done.suspects, done.predictions, MAX_CASES, pictures.draw)
    write_text(done.folder / SUSPECTS_HTML_NAME, page)
