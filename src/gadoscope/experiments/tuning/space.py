"""What a search may try: for any setting of a config a range or a list of choices, from TOML.

::

    "optimiser.learning_rate" = { low = 1e-4, high = 1e-2, log = true }
    batch_size = { choices = [16, 32] }
    epochs = { low = 5, high = 20, step = 5 }

Everything is checked against the config before anything trains.
"""

import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from gadoscope.errors import ConfigError
from gadoscope.misfits import name_choices, quote
from gadoscope.records import to_plain
from gadoscope.training.config import TrainingConfig, parse_config
from gadoscope.training.record import FREE_SETTINGS

LOW, HIGH, STEP, LOG, CHOICES = WORDS = ("low", "high", "step", "log", "choices")
FORMS = "{ low = 1e-4, high = 1e-2 } or { choices = [16, 32] }"
DECIDE_WHO_VALIDATES = ("seed", "split")
UNCOMPARED = tuple(name for name in FREE_SETTINGS if name not in {"epochs", *DECIDE_WHO_VALIDATES})
"""Settings and sections that change no weight, and so no validation loss."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers from ``low`` to ``high``, both among them.

    ``step`` apart, or any; where ``log``, each decade is as likely as another; where ``is_whole``, whole.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False
    is_whole: bool = False

    @property
    def outermost(self) -> tuple[Any, ...]:
        """Return the values to check: between them nothing is of another kind."""
        return self.low, self.high


@dataclass(frozen=True, kw_only=True)
class Choices:
    """One of several values, of whichever kind the setting has."""

    values: tuple[Any, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return each as JSON: what a list or a table is stored by."""
        return tuple(map(_to_json, self.values))

    @property
    def outermost(self) -> tuple[Any, ...]:
        """Return the values to check: all of them."""
        return self.values


Space = Mapping[str, Range | Choices]


def read_space(space: str | Path | Mapping[str, Any], config: TrainingConfig) -> Space:
    """Read what may be tried in place of what ``config`` says.

    Parameters
    ----------
    space
        A TOML file, or a dictionary of what would stand in one; settings by the names that ``--set`` takes,
        or in their sections.

    Raises
    ------
    ConfigError
        If it cannot be read, or a setting does not exist, does not take a value, or cannot be searched.
    """
    if isinstance(space, Mapping):
        table, where = space, "the search space"
    else:
        table, where = _read_table(Path(space)), str(space)
    try:
        domains = {key: _read_domain(key, value) for key, value in _flatten(table)}
        if not domains:
            raise ConfigError(f"no setting is named; write such as batch_size = {FORMS}.")
        fitting = _check_values(config, domains)
        for key in domains:
            _check_comparable(key)
        return {key: _suit(key, domain, fitting[key]) for key, domain in domains.items()}
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def put(config: TrainingConfig, values: Mapping[str, Any]) -> TrainingConfig:
    """Return ``config`` with values in the place of its own, by the names that ``--set`` takes.

    Raises
    ------
    ConfigError
        If a setting does not exist, or they do not fit each other.
    """
    table = to_plain(config)
    for key, value in values.items():
        *sections, name = key.split(".")
        place = table
        for section in sections:
            place = place.setdefault(section, {})
            if not isinstance(place, dict):
                raise ConfigError(f"{key} is not a setting; {section} is not a section.")
        place[name] = value
    return parse_config(table)


def describe(values: Mapping[str, Any]) -> str:
    """Return the values of a trial for a line: numbers with four digits."""
    return ", ".join(f"{key} = {_shorten(value)}" for key, value in values.items())


def _shorten(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else _to_json(value)


def _to_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _read_table(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; check the path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each setting by its whole name: a table of tables is a section, unless it has a word of ours."""
    for key, value in table.items():
        inner = isinstance(value, Mapping) and value and not value.keys() & set(WORDS)
        if inner and all(isinstance(one, Mapping) for one in value.values()):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _read_domain(key: str, table: Any) -> Range | Choices:
    if not isinstance(table, Mapping):
        raise ConfigError(f"{key} is {quote(table)}; expected {FORMS}.")
    unknown = [word for word in table if word not in WORDS]
    if unknown:
        raise ConfigError(f"{key} has {quote(unknown[0])}; expected {name_choices(unknown[0], WORDS)}.")
    if CHOICES in table:
        if len(table) > 1:
            other = next(word for word in table if word != CHOICES)
            raise ConfigError(f"{key} has choices and {other}; leave one of them out.")
        return _read_choices(key, table[CHOICES])
    missing = [word for word in (LOW, HIGH) if word not in table]
    if missing:
        raise ConfigError(f"{key} lacks {' and '.join(missing)}; expected {FORMS}.")
    return _read_range(key, table)


def _read_choices(key: str, values: Any) -> Choices:
    if not isinstance(values, list | tuple) or not values:
        raise ConfigError(f"{key} has the choices {quote(values)}; expected a list of one value or more.")
    choices = Choices(values=tuple(values))
    twice = [name for name in choices.names if choices.names.count(name) > 1]
    if twice:
        raise ConfigError(f"{key} has the choice {twice[0]} twice; leave one of them out.")
    return choices


def _read_range(key: str, table: Mapping[str, Any]) -> Range:
    for word in (LOW, HIGH, STEP):
        value = table.get(word, 1)
        if type(value) not in {int, float} or not math.isfinite(value):
            raise ConfigError(f"{key} has {word} = {quote(value)}; expected a number.")
    low, high, step, log = table[LOW], table[HIGH], table.get(STEP), table.get(LOG, False)
    if type(log) is not bool:
        raise ConfigError(f"{key} has log = {quote(log)}; expected true or false.")
    if low > high:
        raise ConfigError(
            f"{key} has low = {low} and high = {high}, and nothing lies between; exchange them."
        )
    if log and (low <= 0 or step is not None):
        other = f"low = {low}" if low <= 0 else f"step = {step}"
        raise ConfigError(f"{key} has log = true and {other}; decades need a low above 0, and no step.")
    if step is not None:
        if step <= 0:
            raise ConfigError(f"{key} has step = {step}; expected a number above 0.")
        high = _last_step(low, high, step)
    return Range(low=low, high=high, step=step, log=log)


def _last_step(low: float, high: float, step: float) -> float:
    """Return the last value that whole steps reach: as decimals, since ten times 0.1 is not quite 1."""
    first, apart = Decimal(str(low)), Decimal(str(step))
    last = first + (Decimal(str(high)) - first) // apart * apart
    if last == Decimal(str(high)):
        return high
    return int(last) if isinstance(low, int) and isinstance(step, int) else float(last)


def _check_values(config: TrainingConfig, space: Space) -> dict[str, TrainingConfig]:
    """Return for each setting a config that has one of its values; raise ConfigError of a value without one.

    Each is tried alone, or with the first ones of the others: two settings may go together only.
    """
    first = {key: domain.outermost[0] for key, domain in space.items()}
    fitting = {}
    for key, domain in space.items():
        for value in domain.outermost:
            try:
                fitting[key] = put(config, {key: value})
            except ConfigError as error:
                try:
                    fitting[key] = put(config, {**first, key: value})
                except ConfigError:
                    raise error from None
    return fitting


def _check_comparable(key: str) -> None:
    top = key.partition(".")[0]
    if top in DECIDE_WHO_VALIDATES:
        raise ConfigError(
            f"{key} decides which images validate, and trials are compared on the same ones; leave it out."
        )
    if top in UNCOMPARED:
        raise ConfigError(
            f"{key} changes nothing of the validation loss, by which trials are compared; leave it out."
        )


def _suit(key: str, domain: Range | Choices, config: TrainingConfig) -> Range | Choices:
    """Return a range of whole numbers where the setting is one, as it is in a config that has it."""
    if isinstance(domain, Choices):
        return domain
    value: Any = to_plain(config)
    for name in key.split("."):
        value = value[name]
    if type(value) is not int:
        return domain
    if domain.step is not None and type(domain.step) is not int:
        raise ConfigError(f"{key} has step = {domain.step}; expected a whole number.")
    return replace(domain, is_whole=True)
