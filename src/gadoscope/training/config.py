"""What a training run is told: frozen dataclasses from TOML, checked once, saved beside every result."""

import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, is_dataclass, replace
from pathlib import Path
from typing import Any, get_origin

from gadoscope.decision.aggregation import METHODS as AGGREGATIONS
from gadoscope.decision.aggregation import Aggregation
from gadoscope.decision.calibration import METHODS as CALIBRATIONS
from gadoscope.errors import ConfigError, UsageError
from gadoscope.freezing.plan import AUTO, Plan
from gadoscope.freezing.rules import BALANCED as BALANCED_ACCURACY
from gadoscope.freezing.rules import TARGETS, Bound, PointRule
from gadoscope.imaging.intensity import MAX_SIZE, MIN_SIZE, ImagePath
from gadoscope.misfits import MisfitError, UnknownKeysError, WrongValueError, find_near, quote
from gadoscope.preparation.split import DEFAULT_FOLDS, DEFAULT_FRACTION, METHODS, MIN_FOLDS, Method
from gadoscope.records import Data, from_plain, list_paths, to_plain
from gadoscope.training.augmentation.lesson import Augmentation
from gadoscope.training.augmentation.strong.settings import StrongAugmentation
from gadoscope.training.checks import check_choice, check_range, check_share
from gadoscope.training.gate import GateConfig
from gadoscope.training.loggers.config import LogConfig
from gadoscope.training.optimiser.averaging import AveragingConfig
from gadoscope.training.optimiser.build import OptimiserConfig
from gadoscope.training.sampling import BALANCED, SamplingConfig
from gadoscope.training.shipped import find_config
from gadoscope.training.stopping import StoppingConfig

PRECISIONS = ("fp32", "bf16")
BY_IMAGE, BY_HOSPITAL = "images", "hospitals"
"""How the images weigh on which threshold and calibration are chosen."""


@dataclass(frozen=True, kw_only=True)
class SplitConfig:
    """Who validates, who tests, and who is held out; `split_manifest` says what the words mean.

    ``folds`` and ``fold`` are read by ``kfold``, ``source`` by ``leave_source_out``. Data of fewer than
    ``least_subjects``, where they name them, are refused.
    """

    method: Method = "subject"
    validation_fraction: float = DEFAULT_FRACTION
    test_fraction: float = 0.0
    folds: int = DEFAULT_FOLDS
    fold: int = 1
    source: str = ""
    least_subjects: int = 0

    def __post_init__(self) -> None:
        check_range("split.least_subjects", self.least_subjects, least=0)
        check_choice("split.method", self.method, METHODS)
        check_range("split.validation_fraction", self.validation_fraction, above=0, below=1)
        check_share("split.test_fraction", self.test_fraction)
        if self.test_fraction and self.method == "leave_source_out":
            raise ConfigError(
                f'split.test_fraction is {self.test_fraction} and split.method is "{self.method}", which '
                "makes a whole source the test; leave test_fraction at 0."
            )
        check_range("split.folds", self.folds, least=MIN_FOLDS)
        check_range("split.fold", self.fold, least=1)


@dataclass(frozen=True, kw_only=True)
class DistortConfig(StrongAugmentation):
    """Strong augmentation of training images, which are kept ``canvas`` pixels wide for it.

    The canvas is larger than the network's input, so that zooming in and cropping find true pixels. It is
    not looked at where the augmentation is off.
    """

    canvas: int = 208

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("distort.canvas", self.canvas, least=MIN_SIZE, below=MAX_SIZE + 1)


@dataclass(frozen=True, kw_only=True)
class OperatingPointConfig:
    """How the threshold is chosen on the validation images; `PointRule` says what the numbers mean.

    ``target`` and ``bound`` are read by the two target rules, ``cost_of_missed_post`` and ``prevalence`` by
    ``cost``; ``prevalence`` 0 is that of the validation images. ``abstain_below_logit`` is a band of stated
    width: what lies closer to the threshold, in calibrated logits, is indeterminate. ``sources``: only their
    images are asked; none named asks all. A source with one label alone says nothing of a threshold.
    ``weigh``: by ``hospitals`` no source and plane decides alone, as `weigh_strata` says; for
    ``balanced_accuracy`` only. ``inherit``: nothing is chosen; threshold, calibration, aggregation, band
    and the gate's threshold stay those of the bundle that the run starts from.
    """

    inherit: bool = False
    rule: str = "balanced_accuracy"
    target: float = 0.95
    bound: Bound = "lower"
    cost_of_missed_post: float = 1.0
    prevalence: float = 0.0
    abstain_below_logit: float = 0.0
    sources: tuple[str, ...] = ()
    weigh: str = BY_IMAGE

    def __post_init__(self) -> None:
        check_choice("operating_point.weigh", self.weigh, (BY_IMAGE, BY_HOSPITAL))
        if self.weigh == BY_HOSPITAL and self.rule != BALANCED_ACCURACY:
            raise ConfigError(
                f'operating_point.weigh is "{BY_HOSPITAL}" and operating_point.rule is "{self.rule}", which '
                f'counts images; set the rule to "{BALANCED_ACCURACY}", or leave weigh out.'
            )
        try:
            self.to_rule()
            PointRule(name=TARGETS[0], target=self.target, bound=self.bound)
            PointRule(name="cost", cost_of_missed_post=self.cost_of_missed_post)
        except UsageError as error:
            raise ConfigError(f"operating_point: {error}") from error
        check_share("operating_point.prevalence", self.prevalence)
        check_range("operating_point.abstain_below_logit", self.abstain_below_logit, least=0)

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
        check_choice("calibration.method", self.method, (*CALIBRATIONS, AUTO))


@dataclass(frozen=True, kw_only=True)
class AggregationConfig:
    """How the logits of a series' slices become one; ``sharpness`` is read by ``log_mean_exp``."""

    method: str = AUTO
    sharpness: float = 1.0

    def __post_init__(self) -> None:
        check_choice("aggregation.method", self.method, (*AGGREGATIONS, AUTO))
        check_range("aggregation.sharpness", self.sharpness, above=0)

    def to_aggregation(self) -> Aggregation | None:
        """Return the method that is named; None where it is to be chosen."""
        if self.method == "log_mean_exp":
            return Aggregation(self.method, {"sharpness": self.sharpness})
        return None if self.method == AUTO else Aggregation(self.method)


@dataclass(frozen=True, kw_only=True)
class AbstentionConfig:
    """Which promise the band around the threshold keeps; at ``max_risk`` 0 there is none.

    ``least_silent``: the nearest to the threshold, up to this share of the validation images (and of their
    series), are silent also where the promise needs no band.
    """

    max_risk: float = 0.0
    confidence: float = 0.95
    least_silent: float = 0.0

    def __post_init__(self) -> None:
        check_share("abstention.max_risk", self.max_risk)
        check_range("abstention.confidence", self.confidence, above=0, below=1)
        check_share("abstention.least_silent", self.least_silent)
        if self.least_silent and not self.max_risk:
            raise ConfigError(
                f"abstention.least_silent is {self.least_silent} and abstention.max_risk is 0, so there is "
                "no band to widen; set abstention.max_risk, or leave least_silent out."
            )


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """A whole run."""

    name: str = "lesson"
    network: str = "siim"
    members: int = 1
    """Networks of the seeds from ``seed`` on, trained side by side and averaged in the bundle."""
    mirrored: bool = False
    """Whether the bundle averages the answers on a slice and on its mirror image."""
    licence: str = "unknown"
    seed: int = 1020
    epochs: int = 15
    batch_size: int = 64
    label_smoothing: float = 0.0
    """Share of the target that goes to the other class half and half: 0.05 makes 1 into 0.975."""
    precision: str = "fp32"
    threads: int = 0
    """CPU threads a process; 0 takes every core. The result to the last bit depends on it."""
    image: ImagePath = field(default_factory=ImagePath)
    split: SplitConfig = field(default_factory=SplitConfig)
    augment: Augmentation = field(default_factory=Augmentation)
    distort: DistortConfig = field(default_factory=DistortConfig)
    gate: GateConfig = field(default_factory=GateConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    averaging: AveragingConfig = field(default_factory=AveragingConfig)
    stopping: StoppingConfig = field(default_factory=StoppingConfig)
    operating_point: OperatingPointConfig = field(default_factory=OperatingPointConfig)
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)
    aggregation: AggregationConfig = field(default_factory=AggregationConfig)
    abstention: AbstentionConfig = field(default_factory=AbstentionConfig)
    log: LogConfig = field(default_factory=LogConfig)

    def __post_init__(self) -> None:
        if self.abstention.max_risk and self.operating_point.abstain_below_logit:
            raise ConfigError(
                f"abstention.max_risk is {self.abstention.max_risk} and operating_point.abstain_below_logit "
                f"is {self.operating_point.abstain_below_logit}: two bands. Leave one of them at 0."
            )
        if not self.augment.is_off and not self.distort.is_off:
            raise ConfigError(
                f"augment is on and distort.strength is {self.distort.strength}: two augmentations. "
                "Leave one of them off."
            )
        check_choice("precision", self.precision, PRECISIONS)
        check_share("label_smoothing", self.label_smoothing)
        check_range("members", self.members, above=0)
        check_range("epochs", self.epochs, above=0)
        check_range("batch_size", self.batch_size, above=0)
        check_range("threads", self.threads, above=-1)
        check_range("seed", self.seed, above=-1)
        if self.sampling.method == BALANCED and self.batch_size % 2:
            raise ConfigError(
                f'batch_size is {self.batch_size} and sampling.method is "{BALANCED}", which draws images '
                "two by two; make it even."
            )

    @property
    def training_image(self) -> ImagePath:
        """The image path of training images: the network's own, or the larger canvas that is distorted."""
        return self.image if self.distort.is_off else replace(self.image, size=self.distort.canvas)

    def to_plan(self) -> Plan:
        """Return how the bundle's decision is to be chosen."""
        return Plan(
            rule=self.operating_point.to_rule(),
            calibration=self.calibration.method,
            aggregation=self.aggregation.to_aggregation(),
            abstain_below_logit=self.operating_point.abstain_below_logit,
            max_risk=self.abstention.max_risk,
            least_silent=self.abstention.least_silent,
            confidence=self.abstention.confidence,
            sources=self.operating_point.sources,
            weighs_hospitals=self.operating_point.weigh == BY_HOSPITAL,
        )

    def with_values(self, **values: Any) -> "TrainingConfig":
        """Return a copy with top-level ``values`` in the place of the present ones, checked again."""
        return replace(self, **values)


def read_config(config: str | Path, settings: Sequence[str] = ()) -> TrainingConfig:
    """Read a TOML file, or a config that ships by its name, as `find_config` finds it.

    Parameters
    ----------
    settings
        ``KEY=VALUE`` to apply, such as ``augment.zoom_range=0.1``.

    Raises
    ------
    ConfigError
        If there is none, it cannot be read, or a key or a value does not fit; the message names both.
    """
    path = find_config(config)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; check its permissions.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error
    return parse_config(table, settings)


def parse_config(table: Mapping[str, Any], settings: Sequence[str] = ()) -> TrainingConfig:
    """Turn a nested table into a checked configuration, with ``settings`` as of `read_config`.

    Raises
    ------
    ConfigError
        If a key or a value does not fit; the message names both, and the key that is nearly that one.
    """
    changed = deepcopy(dict(table))
    for setting in settings:
        _apply_setting(changed, setting)
    try:
        return from_plain(TrainingConfig, changed, partial=True)
    except MisfitError as error:
        raise ConfigError(_explain(error)) from error


def format_config(config: TrainingConfig) -> str:
    """Return ``config`` as TOML that `read_config` reads back to the same configuration."""
    top, sections = [], []
    for key, value in to_plain(config).items():
        if isinstance(value, dict):
            sections += ["", f"[{key}]", *(f"{name} = {_format_value(v)}" for name, v in value.items())]
        else:
            top.append(f"{key} = {_format_value(value)}")
    return "\n".join([*top, *sections, ""])


def tell_defaults() -> Data:
    """Return, as plain values, the settings of a run that was told nothing."""
    defaults: Data = to_plain(TrainingConfig())
    return defaults


def _explain(error: MisfitError) -> str:
    """Return the sentence for a table that is no configuration."""
    match error:
        case UnknownKeysError():
            prefix, key = f"{error.where}." if error.where else "", error.keys[0]
            near = find_near(key, error.known)
            meant = prefix + near if near else _find_elsewhere(key)
            known = f"did you mean {meant}?" if meant else f"known here: {', '.join(error.known)}."
            return f"{prefix}{key} is not a setting; {known}"
        case WrongValueError():
            return f"{error.where or 'the configuration'} is {quote(error.found)}; expected {_expect(error)}."
    return f"{error.where or 'the configuration'}: {error}"


def _find_elsewhere(key: str) -> str:
    """Return the setting of another section that has this very name; empty if there is none."""
    names = list_paths(TrainingConfig)
    return next((name for name in names if name.rpartition(".")[2] == key), "")


def _expect(error: WrongValueError) -> str:
    """Return what stands there, as TOML writes it."""
    if is_dataclass(error.hint):
        return f"a section [{error.where}]" if error.where else "a table"
    if get_origin(error.hint) is Mapping:
        return "a table of numbers, such as { ixi = 0.2 }"
    return 'a list of texts, such as ["ixi"]' if get_origin(error.hint) is tuple else error.expected


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
    if isinstance(value, Mapping):
        # Keys in quotes: the name of a source may hold a space or a dot.
        pairs = (f"{_format_value(str(key))} = {_format_value(one)}" for key, one in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_format_value, value))}]"
    return repr(value)
