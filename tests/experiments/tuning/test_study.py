"""What Optuna chooses: the same for the same seed, killed or not; and what is worse than most ends early."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gadoscope.errors import OutputError
from gadoscope.experiments.tuning import study as optuna_study
from gadoscope.experiments.tuning.space import Choices, Range, Space
from gadoscope.experiments.tuning.study import WARM_UP, Study
from gadoscope.experiments.tuning.trials import FAILED, FINISHED, PRUNED, Trial, find_best, write_trials

N_TRIALS = 6
SPACE: Space = {
    "optimiser.learning_rate": Range(low=1e-4, high=1e-2, log=True),
    "batch_size": Choices(values=(16, 32)),
    "epochs": Range(low=5, high=15, step=5, is_whole=True),
}


def try_next(study: Study, state: str = FINISHED, epochs: int = 1) -> dict[str, Any]:
    """End a trial whose loss is the better the smaller its learning rate is; return what it tried."""
    suggestion = study.begin()
    loss = suggestion.values["optimiser.learning_rate"]
    for epoch in range(1, epochs + 1):
        if study.is_worse(suggestion, epoch, loss):
            state = PRUNED
            break
    ended: dict[str, Any] = {"number": suggestion.number, "state": state, "values": suggestion.values}
    trial = Trial(**ended, seed=1, sampler_seed=suggestion.sampler_seed, n_epochs=epoch, validation_loss=loss)
    study.end(suggestion, trial)
    return dict(suggestion.values)


@pytest.fixture(autouse=True, scope="module")
def _soon() -> Iterator[None]:
    """Let few trials be enough for what comes after many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optuna_study, "AT_RANDOM", 3)
        patch.setattr(optuna_study, "MEDIAN_OF", 2)
        yield


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trial, ...]:
    """Return the trials of a search that nobody stopped; the second failed."""
    path = tmp_path_factory.mktemp("straight") / "study.db"
    with Study(path, SPACE, seed=7) as study:
        for number in range(1, N_TRIALS + 1):
            try_next(study, FAILED if number == 2 else FINISHED)
        return tuple(study.list_trials())


def test_every_value_is_of_the_space_and_of_its_kind(straight: tuple[Trial, ...]) -> None:
    for trial in straight:
        rate, size, epochs = trial.values.values()
        assert 1e-4 <= rate <= 1e-2
        assert size in (16, 32)
        assert type(epochs) is int
        assert epochs in (5, 10, 15)
    assert len({trial.values["optimiser.learning_rate"] for trial in straight}) == N_TRIALS
    assert [trial.number for trial in straight] == list(range(1, N_TRIALS + 1))


def test_a_search_that_was_killed_tries_on_as_if_it_had_not_been(
    straight: tuple[Trial, ...], tmp_path: Path
) -> None:
    """Also where Optuna has ended choosing at random; and in a folder of odd letters."""
    (tmp_path / "50% {new}?").mkdir()
    path = tmp_path / "50% {new}?" / "study.db"
    asked = {"space": "this"}
    for stop in (2, N_TRIALS):
        with Study(path, SPACE, seed=7) as study:
            assert study.settle(asked) == []
            for number in range(len(study.list_trials()) + 1, stop + 1):
                try_next(study, FAILED if number == 2 else FINISHED)
            study.begin()  # and then it is killed
    with Study(path, SPACE, seed=7) as study:
        assert tuple(study.list_trials()) == straight
        assert study.settle({"space": "another"}) == ["space"]


def test_what_is_worse_than_the_median_ends_early_but_never_before_it_is_warm(tmp_path: Path) -> None:
    with Study(tmp_path / "study.db", SPACE, seed=3) as study:
        for _ in range(N_TRIALS):
            try_next(study, epochs=5)
        trials = study.list_trials()
    pruned = [trial for trial in trials if trial.state == PRUNED]
    assert pruned
    assert {trial.n_epochs for trial in pruned} == {WARM_UP}
    assert all(trial.number > 2 for trial in pruned)
    best = find_best(trials)
    assert best
    assert best.validation_loss == min(trial.validation_loss or 9 for trial in trials)


def test_a_file_that_is_no_search_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_text("no database at all, but long enough to be looked at as one" * 9)
    with pytest.raises(OutputError, match=r"study\.db cannot be used: .*; if the file is damaged, name an"):
        Study(tmp_path / "study.db", SPACE, seed=1)


def test_the_table_has_a_row_a_trial_and_a_column_a_setting(
    straight: tuple[Trial, ...], tmp_path: Path
) -> None:
    write_trials(straight, tmp_path / "trials.csv")
    lines = (tmp_path / "trials.csv").read_text().splitlines()
    figures = "n_epochs,validation_loss,validation_accuracy,validation_auc"
    assert lines[0] == f"trial,state,{','.join(SPACE)},{figures},seed,sampler_seed,note"
    assert len(lines) == N_TRIALS + 1
    assert lines[2].startswith("2,failed,0.00")
