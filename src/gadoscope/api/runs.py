"""Training, evaluation, audit and explanation, for programs and for the command line alike.

What these need beside the base installation is imported when they are called; where it is missing, they say
which command brings it, in the class of error and the words of the command line.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from gadoscope.api.arguments import check_options, may_be_path, need_path, need_paths, need_whole
from gadoscope.errors import UsageError
from gadoscope.evaluation import DEFAULT_CASES as EVALUATION_CASES
from gadoscope.extras import name_what_is_missing
from gadoscope.inference.default import find_model
from gadoscope.inspection import DEFAULT_CASES as AUDIT_CASES
from gadoscope.progress import OnProgress, say_nothing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gadoscope.evaluation.run import Evaluation
    from gadoscope.experiments.crossvalidate import CrossValidation
    from gadoscope.experiments.spread import Spread
    from gadoscope.experiments.tuning.tune import OnTrial, Tuning
    from gadoscope.explanation.explain import Explanation
    from gadoscope.inspection.run import Audit
    from gadoscope.training.config import TrainingConfig
    from gadoscope.training.devices import Accelerator
    from gadoscope.training.job import Job, TrainedRun
    from gadoscope.training.loop import Moment

SLICE_AXES = 2


class TrainingOptions(TypedDict, total=False):
    """What a training may be asked for besides its config, data and output.

    Attributes
    ----------
    labels
        A CSV with the label of what lies in ``data``, by ``path`` or ``series_instance_uid``.
    settings
        ``KEY=VALUE`` in place of what the config says, as ``epochs=1``.
    resume
        Go on where a killed run stopped.
    init, teacher
        A bundle to start from, or ``default``; a bundle whose answers are learnt beside the labels.
    held_out
        predictions.csv of a cross-validation: threshold and calibration are chosen on it.
    accelerator
        Where to train: ``auto``, ``cpu`` or ``cuda``.
    devices
        On how many.
    watch
        Called with each moment of the training.
    on_progress
        Called with what else is done, how much of it, and of how much.
    warn
        Called with each sentence on what gives the label of the data away.
    """

    labels: str | Path | None
    settings: Sequence[str]
    resume: bool
    init: str | Path | None
    teacher: str | Path | None
    held_out: str | Path | None
    accelerator: "Accelerator"
    devices: int
    watch: "Callable[[Moment], None]"
    on_progress: OnProgress
    warn: Callable[[str], None]


def train(
    config: "str | Path | Mapping[str, Any] | TrainingConfig",
    *,
    data: str | Path,
    output: str | Path,
    **options: Unpack[TrainingOptions],
) -> "TrainedRun | None":
    """Train a classifier and write it as a bundle.

    Parameters
    ----------
    config
        A TOML file, the name of a config that ships (``lesson``), what `read_config` read, or a nested
        dictionary of what would stand in one.
    data
        A manifest, a BIDS data set, or a folder with ``no_gad`` and ``with_gad``; with ``labels`` any folder.
    output
        The run's folder; the bundle is its ``model.onnx``.
    **options
        See `TrainingOptions`.

    Returns
    -------
    TrainedRun or None
        None in every process but the first of a training on several devices.

    Raises
    ------
    GadoscopeError
        With one sentence on what does not fit; a checkpoint that was written stays.
    """
    with name_what_is_missing("this command"):
        from gadoscope.training.run import train as train_job
    return train_job(_make_job(config, data, output, options), **_listeners(options))


def cross_validate(
    config: "str | Path | Mapping[str, Any] | TrainingConfig",
    *,
    data: str | Path,
    output: str | Path,
    folds: int | None,
    on_part: Callable[[str], None] = lambda _part: None,
    **options: Unpack[TrainingOptions],
) -> "CrossValidation | None":
    """Train once for each part of the subjects held out, and judge what was; else as `train`.

    Parameters
    ----------
    folds
        How many parts; None holds out each source of the manifest in turn.
    on_part
        Called before each run with which it is.
    """
    with name_what_is_missing("this command"):
        from gadoscope.experiments.crossvalidate import cross_validate as cross_validate_job
    job = _make_job(config, data, output, options)
    return cross_validate_job(job, folds, on_part=on_part, **_listeners(options))


def repeat(
    config: "str | Path | Mapping[str, Any] | TrainingConfig",
    *,
    data: str | Path,
    output: str | Path,
    seeds: int,
    on_part: Callable[[str], None] = lambda _part: None,
    **options: Unpack[TrainingOptions],
) -> "Spread | None":
    """Train several seeds, evaluate each, and write the spread; else as `train`.

    Parameters
    ----------
    seeds
        How many, from that of the config on.
    on_part
        Called before each run with which it is.
    """
    with name_what_is_missing("this command"):
        from gadoscope.experiments.repeat import repeat as repeat_job
    return repeat_job(_make_job(config, data, output, options), seeds, on_part=on_part, **_listeners(options))


def tune(
    config: "str | Path | Mapping[str, Any] | TrainingConfig",
    *,
    space: str | Path | Mapping[str, Any],
    data: str | Path,
    output: str | Path,
    trials: int,
    on_trial: "OnTrial" = lambda _name, _config: None,
    **options: Unpack[TrainingOptions],
) -> "Tuning":
    """Search for better settings by trials, and judge the best once on the test part; else as `train`.

    It needs the extra ``tune`` as well. A search that lies in ``output`` is gone on with, whatever
    ``resume`` says.

    Parameters
    ----------
    space
        A TOML file, or a dictionary of what would stand in one: for each setting that is tried
        ``{"low": 1e-4, "high": 1e-2}``, with ``step`` or ``log`` if need be, or ``{"choices": [16, 32]}``.
    trials
        How many, with those that lie in ``output``.
    on_trial
        Called before each with which it is, and with its config.

    Raises
    ------
    GadoscopeError
        ConfigError of a space that does not fit the config, before anything is trained; else as `train`.
    """
    with name_what_is_missing("this command"):
        from gadoscope.experiments.tuning.space import read_space
        from gadoscope.experiments.tuning.tune import tune as tune_job
    n_trials = need_whole("trials", trials, 1)
    job = _make_job(config, data, output, options)
    return tune_job(job, read_space(space, job.config), n_trials, on_trial=on_trial, **_listeners(options))


def evaluate(  # noqa: PLR0913 - one parameter for each option
    model: "str | Path | TrainedRun",
    *,
    data: str | Path | None = None,
    output: str | Path,
    labels: str | Path | None = None,
    rivals: Sequence[str | Path] = (),
    audit: str | Path | None = None,
    elsewhere: str | Path | None = None,
    jobs: int = 0,
    n_cases: int = EVALUATION_CASES,
    on_progress: OnProgress | None = None,
) -> "Evaluation":
    """Measure how good a model is, and write report.html, report.json and predictions.csv into a folder.

    Parameters
    ----------
    model
        What `train` returned, its folder, a bundle (.onnx), or ``default``.
    data
        A manifest or a folder of labelled images and scans; for a run None is its own.
    output
        The folder.
    labels
        A CSV with the label of what lies in ``data``, by ``path`` or ``series_instance_uid``.
    rivals
        Further models, or ways to answer without one: ``header``, ``majority``, ``plane``, ``source``.
    audit
        audit.json of `audit`; None looks for it near the run and the data.
    elsewhere
        Labelled images of other hospitals: what a fine-tuned run lost there, beside what it began from.
    jobs
        Threads; 0 takes one for each core.
    n_cases
        Wrong answers to show with pictures, at most.

    Raises
    ------
    GadoscopeError
        UsageError, ManifestError, BundleError or OutputError, with one sentence on what does not fit.
    """
    with name_what_is_missing("this command"):
        from gadoscope.evaluation.run import evaluate as evaluate_model
        from gadoscope.parallel import count_jobs
    return evaluate_model(
        find_model(_name_model(model)),
        data=may_be_path(data),
        output=need_path(output),
        labels=may_be_path(labels),
        rivals=need_paths("rivals", rivals),
        audit=may_be_path(audit),
        elsewhere=may_be_path(elsewhere),
        jobs=count_jobs(jobs),
        n_cases=n_cases,
        on_progress=on_progress,
        defaults=_tell_defaults,
    )


def _tell_defaults() -> dict[str, Any]:
    """Return the settings of a training that was told nothing; torch comes with them, so only where asked."""
    from gadoscope.training.config import tell_defaults

    return tell_defaults()


def audit(
    data: str | Path,
    *,
    output: str | Path | None = None,
    labels: str | Path | None = None,
    jobs: int = 0,
    n_cases: int = AUDIT_CASES,
    on_progress: OnProgress | None = None,
) -> "Audit":
    """Look for leaks, copies and giveaways among labelled images, before anything is trained on them.

    Parameters
    ----------
    data
        A manifest or a folder of labelled images and scans.
    output
        A folder for report.html and audit.json; None writes nothing.
    labels
        As of `evaluate`.
    jobs
        Threads; 0 takes one for each core.
    n_cases
        Groups of copies, and images with text, to show at most.

    Raises
    ------
    GadoscopeError
        ManifestError or OutputError, with one sentence on what does not fit.
    """
    with name_what_is_missing("this command"):
        from gadoscope.inspection.run import audit as audit_data
    return audit_data(
        need_path(data),
        output=may_be_path(output),
        labels=may_be_path(labels),
        jobs=jobs,
        n_cases=n_cases,
        on_progress=on_progress,
    )


def explain(model: "str | Path | TrainedRun", image: "str | Path | NDArray[Any]") -> "Explanation":
    """Return what argued for which phase on one slice.

    Parameters
    ----------
    model
        As of `evaluate`.
    image
        A slice image; a scan, whose middle one of the slices that are read is explained; or an array
        (row, column).

    Raises
    ------
    BundleError
        If the bundle does not fit.
    InputError
        If the image cannot be read, or is refused.
    UsageError
        If an array is no slice.
    """
    with name_what_is_missing("this command"):
        from gadoscope.explanation.explain import explain_case, load_network
        from gadoscope.inference.session import Session
        from gadoscope.labels import Label
        from gadoscope.preparation.items import Item
        from gadoscope.preparation.slices import read_item
        from gadoscope.reading.images import take_slice
    session = Session(_find_bundle(model))
    if isinstance(image, (str, Path)):
        item = Item(path=Path(image), label=Label.OTHER)  # nobody asks for the label
        slices = read_item(item, session.bundle.metadata.slice_policy).pixels
        pixels = slices[len(slices) // 2]
    elif getattr(image, "ndim", None) == SLICE_AXES:
        pixels = take_slice(image).pixels
    else:
        raise UsageError("one slice is explained: give the path of an image, or an array (row, column).")
    return explain_case(session, load_network(session), pixels)


def _find_bundle(model: "str | Path | TrainedRun") -> Path:
    from gadoscope.run_folder import read_run

    path = find_model(_name_model(model))
    return read_run(path).bundle if path.is_dir() else path


def _name_model(model: "str | Path | TrainedRun") -> str | Path:
    """Return the folder of what `train` returned; any other value as it is."""
    return getattr(model, "run", model)  # type: ignore[arg-type]


def _make_job(
    config: "str | Path | Mapping[str, Any] | TrainingConfig",
    data: str | Path,
    output: str | Path,
    options: TrainingOptions,
) -> "Job":
    from gadoscope.training.config import TrainingConfig, parse_config, read_config
    from gadoscope.training.job import Job

    check_options("a training", options, TrainingOptions)
    settings = options.get("settings", ())
    if isinstance(config, (str, Path)):
        config = read_config(config, settings)
    elif isinstance(config, Mapping):
        config = parse_config(config, settings)
    elif not isinstance(config, TrainingConfig):
        raise UsageError(
            f"config is a value of the type {type(config).__name__}; give a TOML file, the name of a "
            "config that ships, a dictionary, or what read_config returns."
        )
    elif settings:
        raise UsageError("settings change a config that is read from a file; name the file, or leave them.")
    init, teacher = options.get("init"), options.get("teacher")
    return Job(
        config=config,
        data=need_path(data),
        run=need_path(output),
        labels=may_be_path(options.get("labels")),
        resume=options.get("resume", False),
        init=None if init is None else find_model(init),
        teacher=None if teacher is None else find_model(teacher),
        held_out=may_be_path(options.get("held_out")),
        accelerator=options.get("accelerator", "auto"),
        devices=options.get("devices", 1),
    )


def _listeners(options: TrainingOptions) -> dict[str, Any]:
    return {
        "watch": options.get("watch", lambda _moment: None),
        "on_progress": options.get("on_progress", say_nothing),
        "warn": options.get("warn", lambda _sentence: None),
    }
