"""Optuna: which values a trial tries, and which ends early. The one file that knows the library.

Each trial's values depend on the search's seed, on the trial's number and on the trials that have ended, and
on nothing that lives in memory: a search that was killed tries on as if it had not been.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import optuna
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from gadoscope.errors import OutputError
from gadoscope.experiments.tuning.space import Choices, Range, Space
from gadoscope.experiments.tuning.trials import FINISHED, Trial
from gadoscope.misfits import MisfitError
from gadoscope.records import from_plain, to_plain

optuna.logging.set_verbosity(optuna.logging.WARNING)  # it tells of every trial

STUDY_NAME = "tuning"
AT_RANDOM = 10
"""Trials whose values are drawn at random before what was learnt from them guides the next."""
MEDIAN_OF = 5
"""Finished trials before one is ended early: the median of fewer says little."""
WARM_UP = 3
"""Epochs that every trial gets: at the start a small learning rate looks worse than it is."""

_TRIAL = "trial"


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A trial that has begun: its number from 1, and what it is to try."""

    number: int
    sampler_seed: int
    values: Mapping[str, Any]
    trial: optuna.Trial


class Study:
    """The trials of a search, in an SQLite file; to be closed.

    Parameters
    ----------
    path
        The file; made where there is none.
    seed
        Of the search.

    Raises
    ------
    OutputError
        Here and of each method, if the file cannot be read or written.
    """

    def __init__(self, path: Path, space: Space, seed: int) -> None:
        self._path, self._space, self._seed = path, space, seed
        with self._explained():
            # No address of the file: in one `?`, `%` and braces would be more than letters.
            connect = partial(sqlite3.connect, path)
            self._storage = optuna.storages.RDBStorage("sqlite://", engine_kwargs={"creator": connect})
            self._study = optuna.create_study(
                study_name=STUDY_NAME,
                storage=self._storage,
                pruner=optuna.pruners.MedianPruner(n_startup_trials=MEDIAN_OF, n_warmup_steps=WARM_UP),
                load_if_exists=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._storage.remove_session()
        self._storage.engine.dispose()

    def settle(self, asked: Mapping[str, Any]) -> list[str]:
        """Return in what the search that lies here differs from what is asked.

        Before a trial has ended, in nothing. Trials that a killed run left half-done are given up: the next
        one is begun in their place.
        """
        with self._explained():
            for trial in self._study.get_trials(states=(TrialState.RUNNING,)):
                self._study.tell(trial.number, state=TrialState.FAIL)
            begun = self._study.user_attrs
            if self.list_trials():
                return [name for name, value in asked.items() if begun.get(name) != value]
            for name, value in asked.items():
                self._study.set_user_attr(name, value)
            return []

    def list_trials(self) -> list[Trial]:
        """Return the trials that have ended, in their order."""
        with self._explained():
            ended = self._study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED))
            return [from_plain(Trial, trial.user_attrs[_TRIAL], partial=True) for trial in ended]

    def begin(self) -> Suggestion:
        """Begin the next trial."""
        with self._explained():
            number = len(self.list_trials()) + 1
            seed = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
            self._study.sampler = optuna.samplers.TPESampler(n_startup_trials=AT_RANDOM, seed=seed)
            trial = self._study.ask()
            values = {key: _suggest(trial, key, domain) for key, domain in self._space.items()}
            return Suggestion(number=number, sampler_seed=seed, values=values, trial=trial)

    def is_worse(self, suggestion: Suggestion, epoch: int, loss: float) -> bool:
        """Keep the validation loss of an epoch; return whether it is worse than the median of the others."""
        with self._explained():
            suggestion.trial.report(loss, epoch)
            return bool(suggestion.trial.should_prune())

    def end(self, suggestion: Suggestion, trial: Trial) -> None:
        """Keep how a trial ended."""
        with self._explained():
            suggestion.trial.set_user_attr(_TRIAL, to_plain(trial))
            if trial.state == FINISHED:
                self._study.tell(suggestion.trial, trial.validation_loss)
            else:  # also of one that failed: what it tried is to be avoided
                self._study.tell(suggestion.trial, state=TrialState.PRUNED)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (
            optuna.exceptions.OptunaError,
            SQLAlchemyError,
            sqlite3.Error,
            KeyError,
            MisfitError,
        ) as error:
            lines = str(error.__cause__ or error).strip().splitlines() or [type(error).__name__]
            raise OutputError(
                f"the search in {self._path} cannot be used: {lines[0][:200]}. Free some space if the disk "
                "is full; if the file is damaged, name another folder."
            ) from error


def _suggest(trial: optuna.Trial, key: str, domain: Range | Choices) -> Any:
    if isinstance(domain, Choices):
        return domain.values[domain.names.index(trial.suggest_categorical(key, domain.names))]
    low, high, step = domain.low, domain.high, domain.step
    if domain.is_whole:
        return trial.suggest_int(key, int(low), int(high), step=int(step or 1), log=domain.log)
    return trial.suggest_float(key, low, high, step=step, log=domain.log)
