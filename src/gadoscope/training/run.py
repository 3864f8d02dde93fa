"""One training run: data in, a folder out that holds the bundle and everything needed to repeat it."""

import json
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from gadoscope.errors import UsageError
from gadoscope.files import hash_file, write_text
from gadoscope.freezing.freeze import Frozen, freeze_held_out
from gadoscope.inspection.shortcuts import warn as tell_warnings
from gadoscope.labels import Level, Split
from gadoscope.models.bundle_weights import load_bundle_weights
from gadoscope.models.network import Layer, Network
from gadoscope.models.registry import build_network
from gadoscope.preparation.items import Manifest
from gadoscope.preparation.manifest import read_manifest, write_manifest
from gadoscope.preparation.prepare import prepare_store
from gadoscope.preparation.series import name_series
from gadoscope.preparation.slices import digest_item
from gadoscope.preparation.split import check_leaks, digest_split, split_manifest
from gadoscope.preparation.training_images import TrainingImages
from gadoscope.report.curves import learning_curves_svg
from gadoscope.run_folder import (
    BUNDLE_NAME,
    MANIFEST_NAME,
    METRICS_NAME,
    PREPARED_NAME,
    RECORD_NAME,
    SPLIT_NAME,
)
from gadoscope.statistics.table import read_predictions
from gadoscope.training.checkpoint import digest_weights
from gadoscope.training.config import TrainingConfig, format_config
from gadoscope.training.devices import Accelerator, start_fabric, suit_processor
from gadoscope.training.export import export_bundle
from gadoscope.training.freeze import freeze
from gadoscope.training.init import check_size, take_own_name
from gadoscope.training.loop import Moment, TrainingData, fit
from gadoscope.training.metadata import describe_bundle
from gadoscope.training.record import describe_hardware, describe_software, describe_split, digest_data
from gadoscope.training.shortcuts import find_shortcuts_of
from gadoscope.training.teacher import Teacher

CONFIG_NAME = "config.toml"
CURVES_NAME = "learning_curves.svg"
START_NAMES = {PREPARED_NAME, CONFIG_NAME, MANIFEST_NAME, SPLIT_NAME}
"""What a start that failed may leave: nothing of it is lost when the next one begins."""

# What may change between the start of a run and its resumption without changing its weights.
FREE_SETTINGS = (
    "name",
    "licence",
    "epochs",
    "threads",
    "split",
    "operating_point",
    "calibration",
    "aggregation",
    "abstention",
)

Watch = Callable[[Moment], None]
Prepare = Callable[[int, int], None]
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


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """What was frozen on a table of held-out answers, and the SHA-256 of that table."""

    frozen: Frozen
    sha256: str


@dataclass(frozen=True, kw_only=True)
class TrainedRun:
    """What a finished run has to say."""

    run: Path
    bundle: Path
    weights_sha256: str
    onnx_difference: float
    layers: tuple[Layer, ...]
    frozen: Frozen
    notices: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def train(
    job: Job,
    *,
    watch: Watch = lambda _: None,
    on_prepared: Prepare = lambda _done, _all: None,
    warn: Warn = lambda _sentence: None,
) -> TrainedRun | None:
    """Train, freeze the operating point, export the bundle, and write the record.

    Parameters
    ----------
    warn
        Called before the first step with each sentence on what gives the label of the data away.

    Returns
    -------
    TrainedRun or None
        None in every process but the first.

    Raises
    ------
    GadoscopeError
        With one sentence on what does not fit; a checkpoint that was written stays.
    """
    job = replace(job, config=suit_processor(job.config, job.accelerator))
    config, own_name = take_own_name(job.config, job.init)
    job = replace(job, config=config)
    check_folder(job.run, resume=job.resume)
    held_out = _read_held_out(job)  # a table that does not fit ends the run here, not after the last epoch
    teacher = Teacher(job.teacher, job.config.image) if job.teacher else None
    fabric = start_fabric(job.config, accelerator=job.accelerator, devices=job.devices)
    manifest = divide(read_manifest(job.data, job.labels), job.config)
    manifest = replace(manifest, notices=(*own_name, *manifest.notices))
    job.config.sampling.check_sources(item.source for item in manifest.items)
    name_series(manifest.items)  # a series of two labels ends the run here, not after the last epoch
    prepared = job.prepared or job.run / PREPARED_NAME
    data = _prepare(manifest, job.config, prepared, fabric, on_prepared)
    network = _build(job.config)
    check_size(network, job.config)
    identity = {**_identify(job, network, data), "teacher_sha256": teacher.sha256 if teacher else None}
    shortcuts: dict[str, Any] = {}
    if fabric.is_global_zero:
        manifest = _with_digests(manifest, data)
        shortcuts = find_shortcuts_of(manifest, run=job.run, prepared=prepared)
        for sentence in tell_warnings(shortcuts):
            warn(sentence)
        check_leaks(manifest)  # once more: now the same file under two names is known as well
        write_text(job.run / CONFIG_NAME, format_config(job.config))
        write_manifest(manifest, job.run / MANIFEST_NAME)
        split = describe_split(manifest, job.config)
        write_text(job.run / SPLIT_NAME, json.dumps(split, indent=2) + "\n")
    fabric.barrier()
    moments = fit(
        network, data, config=job.config, fabric=fabric, run=job.run, identity=identity, teacher=teacher
    )
    for moment in moments:
        watch(moment)
    if not fabric.is_global_zero:
        return None
    finished = _finish(job, network, data, manifest, identity, held_out, shortcuts)
    if job.prepared is None:
        shutil.rmtree(prepared, ignore_errors=True)
    return finished


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


def divide(manifest: Manifest, config: TrainingConfig) -> Manifest:
    """Return the images that take part with a split each, or raise LeakError."""
    told = replace(manifest, notices=(*manifest.notices, *manifest.tell_others()))
    taking_part = told if config.gate.use_other else told.labelled()
    divided = split_manifest(taking_part, seed=config.seed, **asdict(config.split))
    check_leaks(divided)
    return divided


def _read_held_out(job: Job) -> HeldOut | None:
    """Freeze on the held-out table, if there is one: that takes nothing of what is yet to be trained."""
    if job.held_out is None:
        return None
    frozen = freeze_held_out(read_predictions(job.held_out), job.config.to_plan())
    return HeldOut(frozen=frozen, sha256=hash_file(job.held_out))


def _build(config: TrainingConfig) -> Network:
    return build_network(
        config.network,
        config.seed,
        members=config.members,
        mirrored=config.mirrored,
        with_gate=not config.gate.is_off,
    )


def _prepare(
    manifest: Manifest, config: TrainingConfig, folder: Path, fabric: Fabric, on_prepared: Prepare
) -> TrainingData:
    """Decode on the first process; the others then find the decoded images."""
    parts = {
        Split.TRAIN: (manifest.with_split(Split.TRAIN), config.training_image),
        Split.VALIDATION: (manifest.with_split(Split.VALIDATION), config.image),
    }
    n_images = sum(len(items) for items, _ in parts.values())
    stores, n_before = [], 0
    with fabric.rank_zero_first():
        for split, (items, image_path) in parts.items():
            count = partial(_count_on, on_prepared, n_before, n_images)
            stores.append(
                prepare_store(
                    items,
                    image_path,
                    folder / split.value,
                    allow_other=config.gate.use_other,
                    on_progress=count,
                )
            )
            n_before += len(items)
    train, validation = stores
    return TrainingData(train=train, validation=validation)


def _count_on(on_prepared: Prepare, n_before: int, n_images: int, done: int, _: int) -> None:
    on_prepared(n_before + done, n_images)


def _identify(job: Job, network: Network, data: TrainingData) -> Mapping[str, Any]:
    """Say what must be the same for a killed run to go on; load the first weights on the way."""
    config = job.config
    free = set(FREE_SETTINGS) - ({"epochs"} if config.optimiser.depends_on_length else set())
    settings = {name: value for name, value in asdict(config).items() if name not in free}
    stores = (data.train, data.validation)
    splits = [Split.TRAIN] * len(data.train.items) + [Split.VALIDATION] * len(data.validation.items)
    init = load_bundle_weights(job.init, network, config.network) if job.init else None
    return {
        **settings,
        "data_sha256": digest_data(
            [digest for store in stores for digest in store.digests],
            [label for store in stores for label in store.labels.tolist()],
            splits,
        ),
        "init_sha256": init,
    }


def _with_digests(manifest: Manifest, data: TrainingData) -> Manifest:
    """Return ``manifest`` with the SHA-256 of each file, so that `evaluate` knows what was seen."""
    known = {
        item.path: digest
        for store in (data.train, data.validation)
        for item, digest in zip(store.items, store.digests, strict=True)
    }
    return replace(
        manifest,
        items=tuple(
            replace(item, extra={**item.extra, "sha256": known.get(item.path) or digest_item(item)})
            for item in manifest.items
        ),
    )


def _finish(
    job: Job,
    network: Network,
    data: TrainingData,
    manifest: Manifest,
    identity: Mapping[str, Any],
    held_out: HeldOut | None,
    shortcuts: dict[str, Any],
) -> TrainedRun:
    """Freeze what turns logits into answers, export the bundle, and write what is read by people."""
    frozen = freeze(network, data, job.config, held_out.frozen if held_out else None)
    weights_sha256 = digest_weights(network)
    layers = tuple(network.layers())
    digests = {name: identity[name] for name in ("data_sha256", "init_sha256", "teacher_sha256")}
    metadata = describe_bundle(
        job.config,
        layers,
        frozen,
        data.train.items,
        {**digests, "weights_sha256": weights_sha256},
        _list_images(data),
    )
    trained = TrainedRun(
        run=job.run,
        bundle=job.run / BUNDLE_NAME,
        weights_sha256=weights_sha256,
        onnx_difference=export_bundle(network, job.run / BUNDLE_NAME, metadata),
        layers=layers,
        frozen=frozen,
        notices=(*manifest.notices, *data.train.warnings, *data.validation.warnings, *frozen.notices),
        warnings=tuple(tell_warnings(shortcuts)),
    )
    digests["split_sha256"] = digest_split(manifest)
    digests["held_out_sha256"] = held_out.sha256 if held_out else None
    _write_record(job, trained, digests, shortcuts)
    history = [json.loads(line) for line in (job.run / METRICS_NAME).read_text().splitlines()]
    write_text(job.run / CURVES_NAME, learning_curves_svg(history))
    return trained


def _list_images(data: TrainingData) -> TrainingImages:
    stores = (data.train, data.validation)
    return TrainingImages.from_pairs(
        pair for store in stores for pair in zip(store.digests, store.prints, strict=True)
    )


def _write_record(
    job: Job, trained: TrainedRun, digests: Mapping[str, str | None], shortcuts: dict[str, Any]
) -> None:
    """Write everything that is needed to repeat the run."""
    decision = trained.frozen.decision
    record = {
        "command": shlex.join(sys.argv),
        "part": job.part,
        "config": asdict(job.config),
        **digests,
        "weights_sha256": trained.weights_sha256,
        "largest_onnx_difference": trained.onnx_difference,
        "operating_point": asdict(decision.of_slice.point),
        "gate": asdict(decision.gate) if decision.gate else None,
        "series_operating_point": asdict(decision.at(Level.SERIES).point),
        "performance": trained.frozen.performance,
        "layers": [layer._asdict() for layer in trained.layers],
        "notices": trained.notices,
        "shortcuts": shortcuts,
        "software": describe_software(),
        "hardware": describe_hardware(),
    }
    write_text(job.run / RECORD_NAME, json.dumps(record, indent=2) + "\n")
