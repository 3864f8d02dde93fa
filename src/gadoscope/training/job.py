"""What one training run is asked for, and what it has to say when it is done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gadoscope.errors import UsageError
from gadoscope.freezing.freeze import Frozen
from gadoscope.inference.bundle import Bundle
from gadoscope.inference.session import Session
from gadoscope.models.network import Layer
from gadoscope.run_folder import CONFIG_NAME, MANIFEST_NAME, PREPARED_NAME, SPLIT_NAME
from gadoscope.training.config import TrainingConfig
from gadoscope.training.devices import Accelerator, suit_processor
from gadoscope.training.init import take_own_name
from gadoscope.training.loop import Moment

CURVES_NAME = "learning_curves.svg"
START_NAMES = {PREPARED_NAME, CONFIG_NAME, MANIFEST_NAME, SPLIT_NAME}
"""What a start that failed may leave: nothing of it is lost when the next one begins."""

Watch = Callable[[Moment], None]
Warn = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What one run is asked for.

    ``labels`` is a CSV with the label of what lies in ``data``, as of `read_manifest`; ``init`` a bundle to
    start from, ``teacher`` one whose answers are learnt beside the labels; ``prepared`` a folder for the
    decoded images that several runs may share, by default inside ``run``; ``held_out`` a table of what
    networks of this recipe said of images that they had not seen, on which calibration, threshold and band
    are chosen in place of validation; ``part`` says which of several runs this is, for its record.
    """

    config: TrainingConfig
    data: Path
    run: Path
    labels: Path | None = None
    resume: bool = False
    init: Path | None = None
    teacher: Path | None = None
    accelerator: Accelerator = "auto"
    devices: int = 1
    prepared: Path | None = None
    held_out: Path | None = None
    part: str = ""

    @property
    def prepared_folder(self) -> Path:
        """Return where the decoded images lie."""
        return self.prepared or self.run / PREPARED_NAME


@dataclass(frozen=True, kw_only=True)
class TrainedRun:
    """What a finished run has to say.

    ``history`` holds one row an epoch; the weights are those of ``kept_epoch``, from 1.
    """

    run: Path
    bundle: Path
    weights_sha256: str
    onnx_difference: float
    layers: tuple[Layer, ...]
    frozen: Frozen
    history: tuple[Mapping[str, float], ...]
    kept_epoch: int
    notices: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def figures(self) -> dict[str, float]:
        """The figures that runs are chosen by: those of validation, at the weights that were kept."""
        row, frozen = self.history[self.kept_epoch - 1], self.frozen.performance["validation"]
        return {
            "validation_loss": row["validation_loss"],
            "validation_accuracy": frozen["accuracy"],
            "validation_auc": frozen["auc"],
        }


def settle(job: Job) -> tuple[Job, Bundle | None, tuple[str, ...]]:
    """Return the job as this machine and the bundle that it starts from allow it, that bundle, and notices.

    Nobody else opens the bundle: whatever a run takes of it, it takes of this one.

    Raises
    ------
    UsageError
        If its folder holds another run that nobody asked to resume.
    BundleError
        If what it starts from is no bundle.
    """
    start = Session(job.init).bundle if job.init else None
    config, notices = take_own_name(suit_processor(job.config, job.accelerator), start)
    check_folder(job.run, resume=job.resume)
    return replace(job, config=config), start, notices


def check_folder(run: Path, *, resume: bool) -> None:
    """Raise UsageError if ``run`` holds another run that nobody asked to resume."""
    if run.exists() and not run.is_dir():
        raise UsageError(f"{run} is a file; name a folder for the run.")
    if not resume and run.exists() and _holds_work(run):
        raise UsageError(f"{run} is not empty; resume that run with --resume, or name another folder.")


def _holds_work(run: Path) -> bool:
    """Return whether there is more in a folder than what a start that failed leaves: decoded images."""
    names = {path.name for path in run.iterdir()}
    return bool(names) and not (PREPARED_NAME in names and names <= START_NAMES)
