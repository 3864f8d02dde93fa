"""Which loggers a run has: none by default."""

from dataclasses import dataclass

from gadoscope.training.checks import check_choice

TENSORBOARD, MLFLOW = "tensorboard", "mlflow"
LOGGERS = (TENSORBOARD, MLFLOW)


@dataclass(frozen=True, kw_only=True)
class LogConfig:
    """Who is told of each epoch, beside the run's own metrics.jsonl.

    ``mlflow_store`` is the address of a tracking store, ``sqlite:///FILE`` or a server; empty: what MLflow's
    variable MLFLOW_TRACKING_URI names, or else the file mlflow.db beside the run's folder, so that runs of
    one folder are compared. ``mlflow_experiment`` groups them there.
    """

    to: tuple[str, ...] = ()
    mlflow_store: str = ""
    mlflow_experiment: str = "gadoscope"

    def __post_init__(self) -> None:
        for name in self.to:
            check_choice("log.to", name, LOGGERS)
