"""Trials are compared on validation, the winner is judged once on what none has seen, a kill costs one."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import gadoscope as gs
from gadoscope.cli.main import cli
from gadoscope.errors import TrainingError, UsageError
from gadoscope.experiments.tuning import study as optuna_study
from gadoscope.experiments.tuning.tune import NO_TEST, Tuning
from gadoscope.training.config import TrainingConfig, read_config
from gadoscope.training.job import Job
from gadoscope.training.loop import Moment
from tests.support.curves import no_curves
from tests.support.lessons import QUICK_SETTINGS, quick_config, write_slices
from tests.support.paths import LESSON

N_TRIALS = 2
SPACE = {"optimiser.learning_rate": {"low": 1e-5, "high": 1e-3, "log": True}}


class KilledError(Exception):
    """Stands for what ends a process in mid-training."""


def search(job: Job, n_trials: int, space: Any = SPACE, **listeners: Any) -> Tuning:
    where: dict[str, Any] = {"data": job.data, "output": job.run, "devices": job.devices}
    return gs.tune(job.config, space=space, trials=n_trials, **where, **listeners)


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_slices(tmp_path_factory.mktemp("slices") / "data")


@pytest.fixture(scope="module")
def job(slices: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    return Job(config=quick_config(seed=3), data=slices, run=tmp_path_factory.mktemp("runs") / "tuning")


@pytest.fixture(scope="module")
def done(job: Job) -> Tuning:
    """Return a search that was killed in its second trial, and then gone on with: that one is worse.

    Two trials are enough: the median of one ends another, from the first epoch on.
    """
    began: list[str] = []

    def note(name: str, _config: TrainingConfig) -> None:
        began.append(name)

    def kill(moment: Moment) -> None:
        if len(began) == N_TRIALS and moment.row is not None:
            raise KilledError

    losses = iter((0.6, 0.5, 0.9, 0.9))
    with pytest.MonkeyPatch.context() as patch, no_curves():
        patch.setattr(optuna_study, "MEDIAN_OF", 1)
        patch.setattr(optuna_study, "WARM_UP", 0)
        patch.setattr("gadoscope.training.loop._validate", lambda *_: (next(losses), 0.5))
        with pytest.raises(KilledError):
            search(job, N_TRIALS, watch=kill, on_trial=note)
        done = search(job, N_TRIALS, on_trial=note)
    assert [name.partition(" (")[0] for name in began] == ["trial 1 of 2", "trial 2 of 2", "trial 2 of 2"]
    assert began[1] == began[2], "the trial that was half done is begun anew, with the same values"
    return done


def test_one_that_is_worse_ends_early_and_leaves_a_row_and_no_run(done: Tuning) -> None:
    ended = [(trial.state, trial.n_epochs, trial.validation_loss) for trial in done.trials]
    assert ended == [("finished", 2, 0.5), ("pruned", 1, 0.9)]
    assert done.config.optimiser.learning_rate == done.best.values["optimiser.learning_rate"]
    assert (done.run / "model.onnx").is_file()
    assert {path.name for path in done.folder.iterdir()} == {
        *("trial-001", "report", "study.db", "trials.csv", "best.toml")
    }


def test_the_table_and_the_config_hold_what_repeats_it(done: Tuning, job: Job) -> None:
    with (done.folder / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows] == ["1", "2"]
    assert {row["seed"] for row in rows} == {"3"}
    assert len({row["sampler_seed"] for row in rows}) == N_TRIALS
    assert read_config(done.folder / "best.toml") == done.config
    record = json.loads((done.run / "record.json").read_text())
    assert record["part"].startswith(f"trial {done.best.number} of 2 (optimiser.learning_rate = ")
    assert done.config == replace(job.config, optimiser=done.config.optimiser)


def test_only_the_winner_is_judged_and_only_once(done: Tuning, job: Job) -> None:
    assert done.test
    assert done.test["accuracy"]["n"] == 6
    again = search(job, N_TRIALS)
    assert again == done
    (openings,) = done.folder.rglob("openings.jsonl")
    assert openings.parent == done.run
    assert len(openings.read_text().splitlines()) == 1
    assert "6 images that no trial has seen" in done.to_text()


def test_a_search_that_was_judged_takes_no_further_trial(done: Tuning, job: Job) -> None:
    with pytest.raises(UsageError, match=r"was judged on the test after 2 trials: .* for a longer search"):
        search(job, N_TRIALS + 1)


def test_another_search_or_anything_else_in_the_folder_is_one_sentence(
    done: Tuning, job: Job, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="holds a search with another space; go on with what it began"):
        search(job, N_TRIALS, {"batch_size": {"choices": [4, 8]}})
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        search(replace(job, run=tmp_path), N_TRIALS)
    with pytest.raises(UsageError, match="a search trains on one device"):
        search(replace(job, devices=2), N_TRIALS)


def test_a_search_of_which_nothing_finishes_says_why_and_what_is_not_judged_is_said_before(
    slices: Path, tmp_path: Path, done: Tuning
) -> None:
    job = Job(config=quick_config(epochs=1), data=slices / "Train", run=tmp_path / "tuning")
    said: list[str] = []
    with pytest.raises(
        TrainingError, match=r"none of 1 trial finished; the first: the validation loss became"
    ):
        search(job, 1, {"optimiser.learning_rate": {"choices": [1e30]}}, warn=said.append)
    assert not list(job.run.glob("trial-*/"))
    assert (job.run / "trials.csv").read_text().splitlines()[1].startswith("1,failed,1e+30,")
    assert said[0] == f"{NO_TEST}."
    assert f"test:       none; {NO_TEST}\n" in replace(done, test=None).to_text()


@pytest.mark.slow
def test_the_winner_is_the_trial_of_the_smallest_validation_loss_and_its_config_trains_it_again(
    slices: Path, tmp_path: Path
) -> None:
    """Its quicker twins: `find_best` in test_study.py, and the search above, of which one trial finishes."""
    done = search(Job(config=quick_config(), data=slices, run=tmp_path / "tuning"), 3)
    finished = [trial for trial in done.trials if trial.state == "finished"]
    assert len(finished) == 3
    assert done.best.validation_loss == min(trial.validation_loss or 9 for trial in finished)
    again = gs.train(done.folder / "best.toml", data=slices, output=tmp_path / "again")
    assert again
    record = json.loads((done.run / "record.json").read_text())
    assert again.weights_sha256 == record["weights_sha256"]


def test_the_command_refuses_a_setting_that_does_not_exist_before_anything_is_trained(
    slices: Path, tmp_path: Path
) -> None:
    (tmp_path / "space.toml").write_text("batch_sice = { choices = [16, 32] }")
    result = tune_by_command(slices, tmp_path)
    assert str(result.exception) == (
        f"{tmp_path / 'space.toml'}: batch_sice is not a setting; did you mean batch_size?"
    )
    assert not (tmp_path / "tuning").exists()


def test_the_command_shows_each_trial_with_its_own_epochs(
    done: Tuning, slices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin_and_end(*_: Any, on_trial: Any, **__: Any) -> Tuning:
        config: TrainingConfig = quick_config(epochs=7)
        on_trial("trial 1 of 1 (epochs = 7)", config)
        return done

    monkeypatch.setattr("gadoscope.experiments.tuning.tune.tune", begin_and_end)
    (tmp_path / "space.toml").write_text("epochs = { choices = [7] }")
    result = tune_by_command(slices, tmp_path)
    assert result.exit_code == 0, result.output
    assert "trial 1 of 1 (epochs = 7):" in result.stderr
    assert result.stdout == done.to_text()


def tune_by_command(slices: Path, folder: Path) -> Any:
    settings = [part for setting in QUICK_SETTINGS for part in ("--set", setting)]
    words = ["tune", LESSON, "--space", folder / "space.toml", "--trials", "1", "--data", slices]
    return CliRunner().invoke(cli, [*map(str, words), "--output", str(folder / "tuning"), *settings])
