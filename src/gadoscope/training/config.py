"""What a training run is told: frozen dataclasses from TOML, checked once, saved beside every result."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_origin, get_type_hints

from gadoscope.errors import ConfigError
from gadoscope.evaluation.operating_point import RULES
from gadoscope.imaging.intensity import ImagePath
from gadoscope.preparation.split import METHODS, Method
from gadoscope.training.augment import Augmentation

PRECISIONS = ("fp32", "bf16")

Section = TypeVar("Section")


@dataclass(frozen=True, kw_only=True)
class SplitConfig:
    """How the training part is divided where the data does not say it.

    ``keras`` is the lesson's own rule (the first names of each class); ``subject`` keeps subjects whole.
    """

    method: Method = "subject"
    validation_fraction: float = 0.2

    def __post_init__(self) -> None:
        _check_choice("split.method", self.method, METHODS)
        _check_range("split.validation_fraction", self.validation_fraction, above=0, below=1)


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
    """How the threshold is chosen on the validation images, and how wide the abstention band is.

    ``abstain_below_logit`` is a distance: an image whose logit is closer to the threshold's is
    indeterminate. The lesson always answers, so it is 0 there.
    """

    rule: str = "balanced_accuracy"
    abstain_below_logit: float = 0.0

    def __post_init__(self) -> None:
        _check_choice("operating_point.rule", self.rule, RULES)
        if self.abstain_below_logit < 0:
            raise ConfigError(
                f"operating_point.abstain_below_logit is {self.abstain_below_logit}; expected 0 or more."
            )


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

    def __post_init__(self) -> None:
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


def _check_range(name: str, value: float, *, above: float, below: float = float("inf")) -> None:
    if not above < value < below:
        upper = "" if below == float("inf") else f" and below {below:g}"
        raise ConfigError(f"{name} is {value}; expected a number above {above:g}{upper}.")
