"""One training run, from top to bottom: data in, a folder out with the bundle and all that repeats it."""

import shutil
from typing import Any

from gadoscope.inspection.shortcuts import warn as tell_warnings
from gadoscope.models.bundle_weights import load_bundle_weights
from gadoscope.models.registry import build_network
from gadoscope.preparation.split import digest_split
from gadoscope.progress import OnProgress, say_nothing
from gadoscope.run_folder import BUNDLE_NAME
from gadoscope.training.checkpoint import digest_weights
from gadoscope.training.data import add_digests, decode_images, find_images, find_shortcuts_of
from gadoscope.training.devices import start_fabric
from gadoscope.training.export import export_bundle
from gadoscope.training.freeze import find_inherited, freeze, freeze_table
from gadoscope.training.init import check_size
from gadoscope.training.job import Job, TrainedRun, Warn, Watch, settle
from gadoscope.training.known import find_known, tell_known
from gadoscope.training.loggers.logs import Logs, check_logs, open_logs
from gadoscope.training.loop import build_learner, fit
from gadoscope.training.metadata import describe_bundle
from gadoscope.training.record import (
    draw_curves,
    identify,
    list_claims,
    list_settings,
    read_history,
    write_record,
    write_start,
)
from gadoscope.training.teacher import Teacher
from gadoscope.training.together import check_one_run, tell_uneven


def train(
    job: Job,
    *,
    watch: Watch = lambda _: None,
    on_progress: OnProgress = say_nothing,
    warn: Warn = lambda _sentence: None,
) -> TrainedRun | None:
    """Train, freeze the operating point, export the bundle, and write the record.

    Parameters
    ----------
    watch
        Called with each step, and with the row of each epoch.
    on_progress
        Told how many images are decoded.
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
    # ------------------------------------------------------------------------------------ what is asked for
    job, start, notices = settle(job)
    config, run = job.config, job.run
    # Whatever does not fit ends the run here, not after the last epoch.
    inherited = find_inherited(config, start)
    held_out = freeze_table(job.held_out, config.to_plan())
    teacher = Teacher(job.teacher, config.image) if job.teacher else None
    check_logs(config.log)
    fabric = start_fabric(config, accelerator=job.accelerator, devices=job.devices)

    # ------------------------------------------------------------------------------------------------- data
    manifest = find_images(
        job.data, job.labels, config, (*notices, *tell_uneven(config.batch_size, fabric.world_size))
    )
    check_one_run(fabric, run, list_claims(job, manifest, start, teacher, held_out))
    data = decode_images(manifest, config, job.prepared_folder, fabric, on_progress)

    # ---------------------------------------------------------------------------------------------- network
    network = build_network(
        config.network,
        config.seed,
        members=config.members,
        mirrored=config.mirrored,
        with_gate=not config.gate.is_off,
    )
    check_size(network, config)
    if start is not None:
        load_bundle_weights(start, network, config.network)

    # -------------------------------------------------------------------------------- before the first step
    identity = identify(
        config, data, init=start.sha256 if start else None, teacher=teacher.sha256 if teacher else None
    )
    shortcuts: dict[str, Any] = {}
    logs = Logs((), warn)
    known = find_known(start)
    warnings = list(tell_known(known, data.validation, start))
    if fabric.is_global_zero:
        manifest = add_digests(manifest, data)
        shortcuts = find_shortcuts_of(manifest, run=run, prepared=job.prepared_folder)
        warnings += tell_warnings(shortcuts)
        for sentence in warnings:
            warn(sentence)
        write_start(run, config, manifest)
        logs = open_logs(config.log, run, list_settings(config), warn)
    fabric.barrier()

    # ---------------------------------------------------------------------------------- optimiser, and loop
    learner = build_learner(network, config, fabric, n_images=int(data.train.is_t1.sum()), teacher=teacher)
    with logs.told_of_the_end():
        for moment in fit(learner, data, run=run, identity=identity):
            if moment.row is not None and fabric.is_global_zero:
                logs.log(read_history(run))
            watch(moment)
    if not fabric.is_global_zero:
        return None
    history = read_history(run)
    kept_epoch = config.stopping.find_kept(history)

    # ---------------------------------------------------------------- freeze what turns logits into answers
    frozen = freeze(network, data, config, held_out.frozen, inherited)

    # ----------------------------------------------------------------------------------------------- bundle
    layers, weights_sha256 = tuple(network.layers()), digest_weights(network)
    digests = {name: identity[name] for name in ("data_sha256", "init_sha256", "teacher_sha256")}
    images = data.list_images().with_those_of(known)
    metadata = describe_bundle(
        config,
        layers,
        frozen,
        data.train.items,
        {**digests, "weights_sha256": weights_sha256, "kept_epoch": kept_epoch},
        images,
    )
    onnx_difference = export_bundle(network, run / BUNDLE_NAME, metadata)

    # ----------------------------------------------------------------------------------------------- record
    trained = TrainedRun(
        run=run,
        bundle=run / BUNDLE_NAME,
        weights_sha256=weights_sha256,
        onnx_difference=onnx_difference,
        layers=layers,
        frozen=frozen,
        history=history,
        kept_epoch=kept_epoch,
        notices=(
            *config.stopping.describe(history, config.epochs),
            *manifest.notices,
            *data.warnings,
            *frozen.notices,
        ),
        warnings=tuple(warnings),
    )
    digests |= {"split_sha256": digest_split(manifest), "held_out_sha256": held_out.sha256}
    write_record(job, trained, digests, shortcuts)
    draw_curves(run, history, kept_epoch)
    logs.log(history)  # of a run that had nothing left to train
    logs.end(trained.figures)
    if job.prepared is None:
        shutil.rmtree(job.prepared_folder, ignore_errors=True)
    return trained
