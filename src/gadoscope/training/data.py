"""The images of a run: who takes part, in which split, decoded once, and what gives their label away."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gadoscope.errors import ManifestError
from gadoscope.files import write_text
from gadoscope.inspection.shortcuts import find_shortcuts
from gadoscope.labels import Split
from gadoscope.preparation.items import Manifest
from gadoscope.preparation.manifest import read_manifest
from gadoscope.preparation.prepare import prepare_store
from gadoscope.preparation.series import name_series
from gadoscope.preparation.slices import digest_item
from gadoscope.preparation.split import check_leaks, split_manifest
from gadoscope.preparation.store import Store
from gadoscope.preparation.subjects import count_subjects
from gadoscope.preparation.training_images import TrainingImages
from gadoscope.progress import OnProgress
from gadoscope.records import to_plain
from gadoscope.training.alone import Alone
from gadoscope.training.checks import check_sources
from gadoscope.training.config import TrainingConfig
from gadoscope.wording import plural, show_path

if TYPE_CHECKING:
    from lightning_fabric import Fabric

DECODING = "decoding"
SHORTCUTS_NAME = "shortcuts.json"


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """The prepared images: those that train, as large as they are augmented, and those that validate."""

    train: Store
    validation: Store

    @property
    def stores(self) -> tuple[Store, Store]:
        """Return both, the images that train first."""
        return self.train, self.validation

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what decoding found."""
        return (*self.train.warnings, *self.validation.warnings)

    def list_images(self) -> TrainingImages:
        """Return what whoever judges the network must not judge it by."""
        return TrainingImages.from_pairs(
            pair for store in self.stores for pair in zip(store.digests, store.prints, strict=True)
        )


def find_images(
    data: Path, labels: Path | None, config: TrainingConfig, notices: Sequence[str] = ()
) -> Manifest:
    """Return the images that take part, each with its split; ``notices`` go before what they have to say.

    Whatever would end the run after the last epoch, a series of two labels, ends it here.

    Raises
    ------
    ManifestError
        If the manifest does not fit.
    LeakError
        If an image or a subject stands in two splits.
    """
    manifest = divide(read_manifest(data, labels), config)
    for table, shares in (("sampling.shares", config.sampling.shares), ("gate.shares", config.gate.shares)):
        check_sources(table, shares, [item.source for item in manifest.items])
    name_series(manifest.items)
    return replace(manifest, notices=(*notices, *manifest.notices))


def divide(manifest: Manifest, config: TrainingConfig) -> Manifest:
    """Return the images that take part with a split each, or raise LeakError."""
    told = replace(manifest, notices=(*manifest.notices, *manifest.tell_others()))
    taking_part = told if config.gate.use_other else told.labelled()
    settings = to_plain(config.split)
    _check_subjects(manifest, settings.pop("least_subjects"))
    divided = split_manifest(taking_part, seed=config.seed, **settings)
    check_leaks(divided)
    return divided


def _check_subjects(manifest: Manifest, least: int) -> None:
    n_subjects = count_subjects([item.subject_id for item in manifest.labelled().items])
    if n_subjects is not None and n_subjects < least:
        raise ManifestError(
            f"{show_path(manifest.origin)} holds {plural(n_subjects, 'subject')}, and split.least_subjects "
            f"is {least}: so few can neither teach a network nor judge it; add subjects, or measure a model "
            f"that is there: gadoscope evaluate default --data {show_path(manifest.origin)} --output REPORT."
        )


def decode_images(
    manifest: Manifest,
    config: TrainingConfig,
    folder: Path,
    fabric: "Fabric | Alone",
    on_progress: OnProgress,
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
            store = prepare_store(
                items,
                image_path,
                folder / split.value,
                allow_other=config.gate.use_other,
                on_progress=partial(_count_on, on_progress, n_before, n_images),
            )
            stores.append(store)
            n_before += len(items)
    train, validation = stores
    return TrainingData(train=train, validation=validation)


def _count_on(on_progress: OnProgress, n_before: int, n_images: int, done: int, _: int) -> None:
    on_progress(DECODING, n_before + done, n_images)


def add_digests(manifest: Manifest, data: TrainingData) -> Manifest:
    """Return ``manifest`` with the SHA-256 of each file, so that `evaluate` knows what was seen.

    Raises
    ------
    LeakError
        If one file stands in two splits under two names, which only now is known.
    """
    known = {
        item.path: digest
        for store in data.stores
        for item, digest in zip(store.items, store.digests, strict=True)
    }
    named = replace(
        manifest,
        items=tuple(
            replace(item, extra={**item.extra, "sha256": known.get(item.path) or digest_item(item)})
            for item in manifest.items
        ),
    )
    check_leaks(named)
    return named


def find_shortcuts_of(manifest: Manifest, *, run: Path, prepared: Path) -> dict[str, Any]:
    """Return the trivial predictors of the pre- and post-contrast images, all splits together.

    Measured once for all runs that share a folder of decoded images.

    Parameters
    ----------
    manifest
        With the SHA-256 of each file.
    """
    items = manifest.labelled().items
    kept = prepared / SHORTCUTS_NAME
    origin = manifest.origin if manifest.origin.is_dir() else manifest.origin.parent
    found = find_shortcuts(
        items,
        [item.extra.get("sha256", "") for item in items],
        near=[run, origin, Path.cwd()],
        kept=[_read(kept)],
    )
    write_text(kept, json.dumps(found))
    return found


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # not there, or damaged: measured anew
        return None
