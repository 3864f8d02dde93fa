"""Tell whether a T1 brain MRI was acquired before or after gadolinium contrast.

::

    import gadoscope as gs

    for answer in gs.classify("my_scan"):
        print(answer.path, answer.phase, answer.probability, answer.reason)

Every name below is loaded when it is asked for. docs/reference/python.md has an example of each.
"""

import os
from importlib import import_module

from gadoscope.version import __version__

TYPE_CHECKING = False  # but for who reads types; `typing` itself would be half of what this import costs
if TYPE_CHECKING:
    from gadoscope.api.doctor import Checkup, doctor
    from gadoscope.api.folders import list_runs, prepare
    from gadoscope.api.header import read_evidence
    from gadoscope.api.installation import check_extra
    from gadoscope.api.keras import ImportedBundle, import_keras
    from gadoscope.api.live_curves import LiveCurves
    from gadoscope.api.phantom import Phantom, make_phantom
    from gadoscope.api.runs import audit, cross_validate, evaluate, explain, repeat, train, tune
    from gadoscope.api.store import open_store
    from gadoscope.classification.classifier import Classifier, classify
    from gadoscope.classification.options import Progress, RunOptions
    from gadoscope.cluster.engine import DaskEngine
    from gadoscope.errors import (
        BundleError,
        CheckpointError,
        ClusterError,
        ConfigError,
        GadoscopeError,
        InputError,
        LeakError,
        ManifestError,
        OutputError,
        ReadError,
        RefusedError,
        TrainingError,
        UsageError,
        WeightsError,
    )
    from gadoscope.evidence.reconcile import Agreement, HeaderEvidence, HeaderState
    from gadoscope.imaging.array_volume import ArrayVolume
    from gadoscope.imaging.volume import Geometry
    from gadoscope.inference.bundle import Bundle, BundleMetadata
    from gadoscope.inference.session import open_bundle
    from gadoscope.labels import (
        Label,
        Level,
        Phase,
        PicturedResult,
        Plane,
        QuoteMode,
        SeriesResult,
        Split,
        Status,
    )
    from gadoscope.reading.series import ImageSeries, SeriesVolume
    from gadoscope.report.finding import Finding
    from gadoscope.results.frames import to_dataframe
    from gadoscope.results.tables import write_table
    from gadoscope.scans.opening import read_series
    from gadoscope.statistics.intervals import Estimate, Measured
    from gadoscope.training.config import TrainingConfig, read_config

# From 1.29 on, ONNX Runtime's wheels report models and machines to Microsoft unless this is set before they
# load (pull request 27379 there). Gadoscope tells nobody anything; whoever wants it sets the variable to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "Agreement",
    "ArrayVolume",
    "Bundle",
    "BundleError",
    "BundleMetadata",
    "CheckpointError",
    "Checkup",
    "Classifier",
    "ClusterError",
    "ConfigError",
    "DaskEngine",
    "Estimate",
    "Finding",
    "GadoscopeError",
    "Geometry",
    "HeaderEvidence",
    "HeaderState",
    "ImageSeries",
    "ImportedBundle",
    "InputError",
    "Label",
    "LeakError",
    "Level",
    "LiveCurves",
    "ManifestError",
    "Measured",
    "OutputError",
    "Phantom",
    "Phase",
    "PicturedResult",
    "Plane",
    "Progress",
    "QuoteMode",
    "ReadError",
    "RefusedError",
    "RunOptions",
    "SeriesResult",
    "SeriesVolume",
    "Split",
    "Status",
    "TrainingConfig",
    "TrainingError",
    "UsageError",
    "WeightsError",
    "__version__",
    "audit",
    "check_extra",
    "classify",
    "cross_validate",
    "doctor",
    "evaluate",
    "explain",
    "import_keras",
    "list_runs",
    "make_phantom",
    "open_bundle",
    "open_store",
    "prepare",
    "read_config",
    "read_evidence",
    "read_series",
    "repeat",
    "to_dataframe",
    "train",
    "tune",
    "write_table",
]

_ROOM_OF = {
    "gadoscope.api.doctor": ("Checkup", "doctor"),
    "gadoscope.api.folders": ("list_runs", "prepare"),
    "gadoscope.api.header": ("read_evidence",),
    "gadoscope.api.installation": ("check_extra",),
    "gadoscope.api.keras": ("ImportedBundle", "import_keras"),
    "gadoscope.api.live_curves": ("LiveCurves",),
    "gadoscope.api.phantom": ("Phantom", "make_phantom"),
    "gadoscope.api.runs": ("audit", "cross_validate", "evaluate", "explain", "repeat", "train", "tune"),
    "gadoscope.api.store": ("open_store",),
    "gadoscope.classification.classifier": ("Classifier", "classify"),
    "gadoscope.cluster.engine": ("DaskEngine",),
    "gadoscope.scans.opening": ("read_series",),
    "gadoscope.classification.options": ("Progress", "RunOptions"),
    "gadoscope.errors": tuple(name for name in __all__ if name.endswith("Error")),
    "gadoscope.evidence.reconcile": ("Agreement", "HeaderEvidence", "HeaderState"),
    "gadoscope.imaging.array_volume": ("ArrayVolume",),
    "gadoscope.imaging.volume": ("Geometry",),
    "gadoscope.inference.bundle": ("Bundle", "BundleMetadata"),
    "gadoscope.inference.session": ("open_bundle",),
    "gadoscope.labels": (
        "Label",
        "Level",
        "Phase",
        "PicturedResult",
        "Plane",
        "QuoteMode",
        "SeriesResult",
        "Split",
        "Status",
    ),
    "gadoscope.reading.series": ("ImageSeries", "SeriesVolume"),
    "gadoscope.report.finding": ("Finding",),
    "gadoscope.results.frames": ("to_dataframe",),
    "gadoscope.results.tables": ("write_table",),
    "gadoscope.statistics.intervals": ("Estimate", "Measured"),
    "gadoscope.training.config": ("TrainingConfig", "read_config"),
}
_MODULE_OF = {name: room for room, names in _ROOM_OF.items() for name in names}


def __getattr__(name: str) -> object:
    """Load a name of the front door when it is first asked for."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
