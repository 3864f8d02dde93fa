"""What a training run is told: frozen dataclasses from TOML, checked once, saved beside every result."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_origin, get_type_hints

from gadoscope.aggregation import METHODS as AGGREGATIONS
from gadoscope.aggregation import Aggregation
from gadoscope.errors import ConfigError, UsageError
from gadoscope.evaluation.operating_rules import TARGETS, Bound, PointRule
from gadoscope.imaging.intensity import ImagePath
from gadoscope.preparation.split import DEFAULT_FOLDS, DEFAULT_FRACTION, METHODS, MIN_FOLDS, Method
from gadoscope.scores import METHODS as CALIBRATIONS
from gadoscope.training.augment import Augmentation

PRECISIONS = ("fp32", "bf16")
AUTO = "auto"
"""The simplest method that is as good as the best on validation subjects left out."""

Section = TypeVar("Section")


@dataclass(frozen=True, kw_only=True)
class SplitConfig:
    """Who validates, and who is held out; `split_manifest` says what the words mean.

    ``folds`` and ``fold`` are read by ``kfold``, ``source`` by ``leave_source_out``.
    """

    method: Method = "subject"
    validation_fraction: float = DEFAULT_FRACTION
    folds: int = DEFAULT_FOLDS
    fold: int = 1
    source: str = ""

    def __post_init__(self) -> None:
        _check_choice("split.method", self.method, METHODS)
        _check_range("split.validation_fraction", self.validation_fraction, above=0, below=1)
        _check_range("split.folds", self.folds, least=MIN_FOLDS)
        _check_range("split.fold", self.fold, least=1)


@dataclass(frozen=True, kw_only=True)
class OptimiserConfig:
    """Adam as Keras computes it: ``epsilon`` is added to the root before the bias correction."""

    learning_rate: float = 5e-4
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        _check_range("optimiser.learning_rate", self.learning_rate, above=0)
        _check_range("optimiser.beta_1", self.beta_1, above=0, below=1)
        _check_range("optimiser.beta_2", self.beta_2, above=0, below=1)
        _check_range("optimiser.epsilon", self.epsilon, above=0)


@dataclass(frozen=True, kw_only=True)
class OperatingPointConfig:
    """How the threshold is chosen on the validation images; `PointRule` says what the numbers mean.

    ``target`` and ``bound`` are read by the two target rules, ``cost_of_missed_post`` and ``prevalence`` by
    ``cost``; ``prevalence`` 0 is that of the validation images. ``abstain_below_logit`` is a band of stated
    width: what lies closer to the threshold, in calibrated logits, is indeterminate.
    """

    rule: str = "balanced_accuracy"
    target: float = 0.95
    bound: Bound = "lower"
    cost_of_missed_post: float = 1.0
    prevalence: float = 0.0
    abstain_below_logit: float = 0.0

    def __post_init__(self) -> None:
        try:
            self.to_rule()
            PointRule(name=TARGETS[0], target=self.target, bound=self.bound)
            PointRule(name="cost", cost_of_missed_post=self.cost_of_missed_post)
        except UsageError as error:
            raise ConfigError(f"operating_point: {error}") from error
        _check_share("operating_point.prevalence", self.prevalence)
        _check_range("operating_point.abstain_below_logit", self.abstain_below_logit, least=0)

    def to_rule(self) -> PointRule:
        """Return the rule with the numbers that it needs."""
        if self.rule in TARGETS:
            return PointRule(name=self.rule, target=self.target, bound=self.bound)
        if self.rule == "cost":
            return PointRule(
                name=self.rule,
                cost_of_missed_post=self.cost_of_missed_post,
                prevalence=self.prevalence or None,
            )
        return PointRule(name=self.rule)


@dataclass(frozen=True, kw_only=True)
class CalibrationConfig:
    """How a logit becomes a probability; ``none`` is the plain sigmoid of the lesson."""

    method: str = "temperature"

    def __post_init__(self) -> None:
        _check_choice("calibration.method", self.method, (*CALIBRATIONS, AUTO))


@dataclass(frozen=True, kw_only=True)
class AggregationConfig:
    """How the logits of a series' slices become one; ``sharpness`` is read by ``log_mean_exp``."""

    method: str = AUTO
    sharpness: float = 1.0

    def __post_init__(self) -> None:
        _check_choice("aggregation.method", self.method, (*AGGREGATIONS, AUTO))
        _check_range("aggregation.sharpness", self.sharpness, above=0)

    def to_aggregation(self) -> Aggregation:
        """Return the method that is named; of ``auto`` the mean, for where no choice can be measured."""
        if self.method == "log_mean_exp":
            return Aggregation(self.method, {"sharpness": self.sharpness})
        return Aggregation() if self.method == AUTO else Aggregation(self.method)


@dataclass(frozen=True, kw_only=True)
class AbstentionConfig:
    """Which promise the band around the threshold keeps; at ``max_risk`` 0 there is none."""

    max_risk: float = 0.0
    confidence: float = 0.95

    def __post_init__(self) -> None:
        _check_share("abstention.max_risk", self.max_risk)
        _check_range("abstention.confidence", self.confidence, above=0, below=1)


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """A whole run."""

    name: str = "lesson"
    network: str = "siim"
    licence: str = "unknown"
    seed: int = 1020
    epochs: int = 15
    batch_size: int = 64
    precision: str = "fp32"
    threads: int = 0
    """CPU threads a process; 0 takes every core. The result to the last bit depends on it."""
    image: ImagePath = field(default_factory=ImagePath)
    split: SplitConfig = field(default_factory=SplitConfig)
    augment: Augmentation = field(default_factory=Augmentation)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    operating_point: OperatingPointConfig = field(default_factory=OperatingPointConfig)
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)
    aggregation: AggregationConfig = field(default_factory=AggregationConfig)
    abstention: AbstentionConfig = field(default_factory=AbstentionConfig)

    def __post_init__(self) -> None:
        if self.abstention.max_risk and self.operating_point.abstain_below_logit:
            raise ConfigError(
                f"abstention.max_risk is {self.abstention.max_risk} and operating_point.abstain_below_logit "
                f"is {self.operating_point.abstain_below_logit}: two bands. Leave one of them at 0."
            )
        _check_choice("precision", self.precision, PRECISIONS)
        _check_range("epochs", self.epochs, above=0)
        _check_range("batch_size", self.batch_size, above=0)
        _check_range("threads", self.threads, above=-1)
        _check_range("seed", self.seed, above=-1)

    def with_values(self, **values: Any) -> "TrainingConfig":
        """Return a copy with top-level ``values`` in the place of the present ones, checked again."""
        return replace(self, **values)


def read_config(path: Path, settings: Sequence[str] = ()) -> TrainingConfig:
    """Read a TOML file and apply ``KEY=VALUE`` settings, such as ``augment.zoom_range=0.1``.

    Raises
    ------
    ConfigError
        If the file cannot be read, or a key or a value does not fit; the message names both.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {error.strerror}. Name a TOML file, such as configs/lesson.toml."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error
    for setting in settings:
        _apply_setting(table, setting)
    return parse_config(table)


def parse_config(table: Mapping[str, Any]) -> TrainingConfig:
    """Turn a nested table into a checked configuration."""
    return _parse_section(TrainingConfig, table, prefix="")


def format_config(config: TrainingConfig) -> str:
    """Return ``config`` as TOML that `read_config` reads back to the same configuration."""
    top, sections = [], []
    for key, value in asdict(config).items():
        if isinstance(value, dict):
            sections += ["", f"[{key}]", *(f"{name} = {_format_value(v)}" for name, v in value.items())]
        else:
            top.append(f"{key} = {_format_value(value)}")
    return "\n".join([*top, *sections, ""])


def _parse_section(kind: type[Section], table: Mapping[str, Any], prefix: str) -> Section:
    hints = get_type_hints(kind)
    known = {entry.name: hints[entry.name] for entry in fields(kind)}  # type: ignore[arg-type]  # a dataclass by construction
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = prefix + key
        if key not in known:
            raise ConfigError(f"{name} is not a setting; known here: {', '.join(known)}.")
        values[key] = _parse_value(known[key], value, name)
    try:
        return kind(**values)
    except ValueError as error:
        raise ConfigError(f"{prefix.rstrip('.') or 'the configuration'}: {error}") from error


def _parse_value(kind: type[Any], value: Any, name: str) -> Any:
    if is_dataclass(kind):
        if not isinstance(value, Mapping):
            raise ConfigError(f"{name} is {value!r}; expected a section [{name}].")
        return _parse_section(kind, value, prefix=f"{name}.")
    if get_origin(kind) is Literal:
        kind = str  # which word it is the section checks
    # TOML writes 1 where 1.0 is meant; but a bool is an int to Python, and never meant as one.
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ConfigError(f"{name} is {value!r}; expected {_describe(kind)}.")
    return value


def _apply_setting(table: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {setting!r} has no value; write it as KEY=VALUE, such as epochs=5.")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a bare word is a string: --set precision=bf16
    *sections, name = key.split(".")
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise ConfigError(f"--set {setting!r}: {section} is not a section.")
    table[name] = value


def _format_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)


def _describe(kind: type[Any]) -> str:
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[kind]


def _check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ConfigError(f"{name} is {value!r}; expected one of {', '.join(choices)}.")


def _check_range(
    name: str,
    value: float,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    below: float = math.inf,
) -> None:
    if not (above < value < below and value >= least):
        lower = f"of {least:g} or more" if least > -math.inf else f"above {above:g}"
        upper = "" if below == math.inf else f" and below {below:g}"
        raise ConfigError(f"{name} is {value}; expected a number {lower}{upper}.")


def _check_share(name: str, value: float) -> None:
    """Check a share that 0 turns off."""
    _check_range(name, value, least=0, below=1)
