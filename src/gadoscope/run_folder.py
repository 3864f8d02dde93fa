"""The names in a run's folder, and what they say of the network and its training."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gadoscope.errors import UsageError

PREPARED_NAME = "prepared"

HTML_NAME = "report.html"
JSON_NAME = "report.json"
PREDICTIONS_NAME = "predictions.csv"

BUNDLE_NAME = "model.onnx"
CONFIG_NAME = "config.toml"
MANIFEST_NAME = "manifest.csv"
METRICS_NAME = "metrics.jsonl"
RECORD_NAME = "record.json"
SPLIT_NAME = "split.json"

OBJECTS = (("config",), ("config", "split"), ("software",), ("software", "libraries"), ("hardware",))
"""Parts of record.json that are read as objects."""
CURVES = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "seconds")
"""Of a row of metrics.jsonl; each a number, or null."""


@dataclass(frozen=True, kw_only=True)
class TrainedRun:
    """A finished run.

    ``record`` is record.json (settings, layers, software, hardware); ``history`` one row an epoch.
    """

    bundle: Path
    manifest: Path
    record: dict[str, Any]
    history: tuple[dict[str, Any], ...]


def read_run(folder: Path) -> TrainedRun:
    """Read a run's folder.

    Raises
    ------
    UsageError
        If it is no run, the run is not finished, or a file of it is damaged.
    """
    missing = [
        name
        for name in (BUNDLE_NAME, MANIFEST_NAME, METRICS_NAME, RECORD_NAME)
        if not (folder / name).is_file()
    ]
    if len(missing) == 4:  # noqa: PLR2004  # all of them
        raise UsageError(
            f"{folder} is not a folder made by `gadoscope train`; name such a folder, or an .onnx bundle."
        )
    if missing:
        raise UsageError(
            f"the run {folder} lacks {', '.join(missing)}: it is not finished. "
            "Finish it with `gadoscope train CONFIG --resume`, then evaluate."
        )
    try:
        record = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"), parse_constant=lambda _: None)
        lines = (folder / METRICS_NAME).read_text(encoding="utf-8").splitlines()
        # JSON knows no NaN; Python writes one all the same.
        history = tuple(json.loads(line, parse_constant=lambda _: None) for line in lines if line.strip())
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"the run {folder} is damaged: {error}. Restore the file, or train into another folder."
        ) from error
    why = _find_damage(record, history)
    if why:
        raise UsageError(
            f"the run {folder} is damaged: {why}. Restore the file, or train into another folder."
        )
    return TrainedRun(
        bundle=folder / BUNDLE_NAME, manifest=folder / MANIFEST_NAME, record=record, history=history
    )


def _find_damage(record: Any, history: Sequence[Any]) -> str:
    """Return what a record or a history lacks to be shown, with where; empty where nothing."""
    if not isinstance(record, dict) or not all(isinstance(row, dict) for row in history):
        return f"{RECORD_NAME} or {METRICS_NAME} holds no objects"
    for names in OBJECTS:
        table: Any = record
        for name in names:
            table = table.get(name, {})
            if not isinstance(table, dict):
                return f"{RECORD_NAME} has {'.'.join(names)} = {table!r:.40}; expected an object"
    layers = record.get("layers", [])
    if not isinstance(layers, list) or not all(_is_layer(layer) for layer in layers):
        return f"{RECORD_NAME} has a layer that is none; expected name, output_shape and parameters"
    for number, row in enumerate(history, start=1):
        numbers = {name: row.get(name) for name in ("epoch", *CURVES)}
        wrong = [name for name, value in numbers.items() if not _is_number(value, name == "epoch")]
        if wrong:
            return (
                f"{METRICS_NAME}, line {number}: {wrong[0]} is {row.get(wrong[0])!r:.40}; expected a number"
            )
    return ""


def _is_layer(layer: Any) -> bool:
    return (
        isinstance(layer, dict)
        and isinstance(layer.get("name"), str)
        and isinstance(layer.get("output_shape"), list)
        and type(layer.get("parameters")) is int
    )


def _is_number(value: Any, must_be: bool) -> bool:
    """Return whether a curve can have this point; a gap is one that it may have."""
    return (value is None and not must_be) or (isinstance(value, int | float) and not isinstance(value, bool))


def describe_training(run: TrainedRun) -> dict[str, Any]:
    """Return what the report shows of a training: layers, settings, machine, and one row an epoch."""
    software, hardware = run.record.get("software", {}), run.record.get("hardware", {})
    libraries = software.get("libraries", {})
    machine = {
        "Processor": hardware.get("processor"),
        "Instructions": hardware.get("instructions"),
        "GPUs": ", ".join(map(str, _as_list(hardware.get("gpus")))),
        "Threads": hardware.get("threads"),
        "System": software.get("system"),
        "Gadoscope": software.get("gadoscope"),
        "Python": software.get("python"),
        "torch": libraries.get("torch"),
        "Time of all epochs": _format_seconds(run.history),
        "SHA-256 of the data": run.record.get("data_sha256"),
        "SHA-256 of the weights": run.record.get("weights_sha256"),
        "ONNX differs from torch by": run.record.get("largest_onnx_difference"),
    }
    return {
        "layers": run.record.get("layers", []),
        "settings": flatten_settings(run.record.get("config", {})),
        "machine": [[name, str(value)] for name, value in machine.items() if value not in (None, "")],
        "history": list(run.history),
        "kept_epoch": _find_kept(run),
    }


def _find_kept(run: TrainedRun) -> int | None:
    """Return the epoch whose weights were kept; None where it is the last, or nothing says it."""
    kept = run.record.get("kept_epoch")
    return kept if type(kept) is int and 0 < kept < len(run.history) else None


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def flatten_settings(table: Mapping[str, Any], prefix: str = "") -> list[list[str]]:
    """Return nested settings as rows of name and value, named as `--set` names them."""
    rows = []
    for name, value in table.items():
        if isinstance(value, dict):
            rows += flatten_settings(value, f"{prefix}{name}.")
        else:
            rows.append([f"{prefix}{name}", str(value).lower() if isinstance(value, bool) else str(value)])
    return rows


def _format_seconds(history: tuple[dict[str, Any], ...]) -> str:
    seconds = [row["seconds"] for row in history if row.get("seconds")]
    return f"{sum(seconds):.0f} s" if seconds else ""
