"""A search over settings: each trial is a training, compared on validation; the winner alone sees the test.

The loss on the validation images decides, at the weights that a run keeps. So the winner's validation figures
flatter, the more the more trials there were. What is to be believed of it is measured once, at the end, on
images that no trial has seen; a search that was judged so takes no further trial.
"""

import json
import math
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from gadoscope.errors import ConfigError, TrainingError, UsageError
from gadoscope.evaluation.run import evaluate
from gadoscope.experiments.parts import name_part, naming
from gadoscope.experiments.tuning.space import Space, describe, put
from gadoscope.experiments.tuning.study import Study, Suggestion
from gadoscope.experiments.tuning.trials import (
    FAILED,
    FINISHED,
    PRUNED,
    Trial,
    find_best,
    name_folder,
    write_trials,
)
from gadoscope.files import hash_file, write_text
from gadoscope.labels import Split
from gadoscope.preparation.split import digest_split
from gadoscope.progress import OnProgress, say_nothing
from gadoscope.records import to_plain
from gadoscope.run_folder import BUNDLE_NAME, JSON_NAME, PREPARED_NAME
from gadoscope.training.config import TrainingConfig, format_config
from gadoscope.training.data import find_images
from gadoscope.training.job import Job, Warn, Watch, check_folder
from gadoscope.training.loop import Moment
from gadoscope.training.run import train
from gadoscope.wording import area, percent, plural

STORE_NAME = "study.db"
TRIALS_NAME = "trials.csv"
BEST_NAME = "best.toml"
REPORT_NAME = "report"

NO_TEST = (
    "these data have no test part, so the winner is not judged on images that no trial has seen; keep some "
    "away with split.test_fraction=0.2, or with the split test in a manifest"
)

OnTrial = Callable[[str, TrainingConfig], None]


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """What a search has found.

    Attributes
    ----------
    folder
        With trials.csv, best.toml, and a run for each trial that finished.
    trials
        All that have ended, in their order.
    best
        The winner among them.
    config
        With its values; best.toml holds it.
    run
        Its folder; the bundle in it is ``model.onnx``.
    test
        Its ``accuracy`` and ``auc`` on the test images, each with ``value``, ``lower``, ``upper`` and ``n``;
        None where the data have no test part.
    """

    folder: Path
    trials: tuple[Trial, ...]
    best: Trial
    config: TrainingConfig
    run: Path
    test: Mapping[str, Mapping[str, Any]] | None

    def to_text(self) -> str:
        """Return what a person needs to see on a terminal."""
        states = [trial.state for trial in self.trials]
        counts = ", ".join(
            f"{states.count(one)} {one}" for one in (FINISHED, PRUNED, FAILED) if one in states
        )
        failed = [f"note: trial {trial.number} failed: {trial.note}" for trial in self.trials if trial.note]
        lines = [
            *failed,
            f"trials:     {len(self.trials)} ({counts})",
            f"best:       {self.best.describe()}",
            f"validation: AUC {area(self.best.validation_auc)}, accuracy "
            f"{percent(self.best.validation_accuracy)}: flattering, since it chose among "
            f"{plural(len(self.trials), 'trial')}",
            self._describe_test(),
            f"config:     {self.folder / BEST_NAME}",
            f"bundle:     {self.run / BUNDLE_NAME}",
        ]
        return "\n".join(lines) + "\n"

    def _describe_test(self) -> str:
        if self.test is None:
            return f"test:       none; {NO_TEST}"
        auc, accuracy = self.test["auc"], self.test["accuracy"]
        return (
            f"test:       AUC {area(auc['value'])} ({area(auc['lower'])} to {area(auc['upper'])}), accuracy "
            f"{percent(accuracy['value'])} ({percent(accuracy['lower'])} to {percent(accuracy['upper'])}), "
            f"{plural(accuracy['n'], 'image')} that no trial has seen; see {self.folder / REPORT_NAME}"
        )


class _EndedEarlyError(Exception):
    """A trial is worse than the median of the others."""


def tune(
    job: Job,
    space: Space,
    n_trials: int,
    *,
    watch: Watch = lambda _: None,
    on_progress: OnProgress = say_nothing,
    warn: Warn = lambda _sentence: None,
    on_trial: OnTrial = lambda _name, _config: None,
) -> Tuning:
    """Train until ``n_trials`` trials have ended, and judge the best once.

    Each run lies in ``job.run/trial-NNN``; they share the decoded images. What lies there of the same search
    is gone on with; a trial that was half done is begun anew.

    Parameters
    ----------
    space
        What is tried in place of what the job's config says; as of `read_space`.
    on_trial
        Called before each with which it is, and with its config.

    Raises
    ------
    UsageError
        If the folder holds something else, another search, or one that was judged with fewer trials.
    TrainingError
        If no trial finished.
    """
    _check_alone(job)
    manifest = find_images(job.data, job.labels, job.config)
    has_test = bool(manifest.labelled().with_split(Split.TEST))
    if not has_test:
        warn(f"{NO_TEST}.")
    check_folder(job.run, resume=(job.run / STORE_NAME).exists())
    job.run.mkdir(parents=True, exist_ok=True)
    with Study(job.run / STORE_NAME, space, job.config.seed) as study:
        _check_search(job, study.settle(_identify(job, space, digest_split(manifest))))
        trials = study.list_trials()
        _check_judged(job.run, len(trials), n_trials)
        while len(trials) < n_trials:
            _try_next(job, study, n_trials, watch, on_progress, warn, on_trial)
            trials = study.list_trials()
            write_trials(trials, job.run / TRIALS_NAME)
    return _conclude(job, tuple(trials), has_test, on_progress)


def _conclude(job: Job, trials: tuple[Trial, ...], has_test: bool, on_progress: OnProgress) -> Tuning:
    shutil.rmtree(job.run / PREPARED_NAME, ignore_errors=True)
    best = find_best(trials)
    if best is None:
        raise TrainingError(
            f"none of {plural(len(trials), 'trial')} finished; the first: {trials[0].note} Search smaller "
            "steps, into another folder."
        )
    config = put(job.config, best.values)
    about = f"# The best of {plural(len(trials), 'trial')}: number {best.number}, {describe(best.values)}\n"
    write_text(job.run / BEST_NAME, about + format_config(config))
    test = _judge(job, best, on_progress) if has_test else None
    return Tuning(
        folder=job.run, trials=trials, best=best, config=config, run=job.run / best.folder, test=test
    )


def _check_alone(job: Job) -> None:
    """Raise UsageError where several processes would try to lead one search."""
    if job.devices > 1 or int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError("a search trains on one device, in one process; leave out devices, and torchrun.")


def _identify(job: Job, space: Space, images: str) -> dict[str, Any]:
    """Return what must be the same for a search to go on."""
    settings = {name: value for name, value in to_plain(job.config).items() if name != "log"}
    bundles = {"init": job.init, "teacher": job.teacher, "held_out": job.held_out}
    return {
        "config": settings,
        "space": {key: to_plain(domain) for key, domain in space.items()},
        "data": images,
        **{name: hash_file(path) if path else "" for name, path in bundles.items()},
    }


def _check_search(job: Job, different: list[str]) -> None:
    if different:
        raise UsageError(
            f"{job.run} holds a search with another {', '.join(different)}; go on with what it began with, "
            "or name another folder."
        )


def _check_judged(folder: Path, n_done: int, n_trials: int) -> None:
    if n_trials > n_done and (folder / REPORT_NAME / JSON_NAME).exists():
        raise UsageError(
            f"the winner of {folder} was judged on the test after {plural(n_done, 'trial')}: more of them "
            "would be chosen with the test known; name another folder for a longer search."
        )


def _try_next(
    job: Job, study: Study, n: int, watch: Watch, on_progress: OnProgress, warn: Warn, on_trial: OnTrial
) -> None:
    """Train the next trial, and keep how it ended; only of one that finished the run stays."""
    suggestion = study.begin()
    values, run = suggestion.values, job.run / name_folder(suggestion.number)
    shutil.rmtree(run, ignore_errors=True)  # half a trial of a run that was killed
    name = name_part("trial", suggestion.number, n, describe(values))
    rows: list[Mapping[str, float]] = []
    how: dict[str, Any] = {"state": FINISHED}
    with naming(name):
        try:
            config = put(job.config, values)
            on_trial(name, config)
            trained = train(
                replace(
                    job, config=config, run=run, prepared=job.run / PREPARED_NAME, resume=False, part=name
                ),
                watch=partial(_look, watch, study, suggestion, config.epochs, rows),
                on_progress=on_progress,
                warn=warn,
            )
            how |= trained.figures if trained else {}
        except _EndedEarlyError:
            how["state"] = PRUNED
        except (ConfigError, TrainingError) as error:
            how |= {"state": FAILED, "note": str(error)}
    if how["state"] != FINISHED:
        shutil.rmtree(run, ignore_errors=True)
    trial = Trial(
        number=suggestion.number,
        values=values,
        seed=job.config.seed,
        sampler_seed=suggestion.sampler_seed,
        n_epochs=len(rows),
        **({"validation_loss": rows[-1]["validation_loss"] if rows else None} | how),
    )
    study.end(suggestion, trial)


def _look(
    watch: Watch,
    study: Study,
    suggestion: Suggestion,
    n_epochs: int,
    rows: list[Mapping[str, float]],
    moment: Moment,
) -> None:
    """Show a moment of a trial, and end it early where it is worse than most; not after its last epoch."""
    watch(moment)
    if moment.row is None:
        return
    loss = moment.row["validation_loss"]
    if not math.isfinite(loss):
        raise TrainingError(f"the validation loss became {loss} in epoch {moment.epoch}.")
    rows.append(moment.row)
    is_worse = study.is_worse(suggestion, moment.epoch, loss)
    if is_worse and moment.epoch < n_epochs:
        raise _EndedEarlyError


def _judge(job: Job, best: Trial, on_progress: OnProgress) -> dict[str, Any] | None:
    """Return the winner's figures on the test images, which are looked at once: the report keeps them."""
    folder = job.run / REPORT_NAME
    if not (folder / JSON_NAME).exists():
        evaluate(job.run / best.folder, data=None, output=folder, on_progress=on_progress)
    report = json.loads((folder / JSON_NAME).read_text(encoding="utf-8"))
    summary = report["splits"]["test"]
    if summary is None:  # none of its images could be read
        return None
    return {"accuracy": summary["at_operating_point"]["accuracy"], "auc": summary["auc"]}
