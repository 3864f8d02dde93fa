"""The models of an evaluation, and the images that may judge all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gadoscope.decision.decision import Decision
from gadoscope.decision.gate import Gate
from gadoscope.errors import ManifestError, UsageError
from gadoscope.evaluation.overlap import Division, divide_for_bundle, divide_foreign, divide_own, unite
from gadoscope.inference.session import Session
from gadoscope.preparation.items import find_rows
from gadoscope.preparation.manifest import Item, Manifest, read_manifest
from gadoscope.preparation.series import name_series
from gadoscope.preparation.slices import FileDigests
from gadoscope.preparation.split import check_split
from gadoscope.run_folder import TrainedRun, read_run
from gadoscope.statistics.table import Predictions
from gadoscope.wording import plural


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that was opened: ``run`` is None for a bundle alone."""

    path: Path
    run: TrainedRun | None
    session: Session

    @property
    def name(self) -> str:
        """Name of the bundle."""
        return self.session.bundle.model_id

    @property
    def gate(self) -> Gate | None:
        """The bundle's gate, if it has one."""
        return self.decision.gate

    @property
    def decision(self) -> Decision:
        """What the bundle froze."""
        return self.session.bundle.metadata.decision


@dataclass(frozen=True, kw_only=True)
class Judges:
    """The images of an evaluation.

    Attributes
    ----------
    division
        What may judge all models; its counts are those of the first.
    others
        Images labelled other that the first model was not trained on; none where it has no gate.
    n_sealed
        Of each model, how many of the images are of its own test split.
    digests
        Those of the manifest's files, each of which is read once for them.
    """

    manifest: Manifest
    division: Division
    others: tuple[Item, ...]
    n_sealed: tuple[int, ...]
    notices: tuple[str, ...]
    digests: FileDigests


@dataclass(frozen=True, eq=False, kw_only=True)
class Verdict:
    """The images that the figures rest on, as the first model answered them.

    Attributes
    ----------
    table
        Labels and scores.
    rows
        What each image of the table is from: itself, or a scan.
    judges
        All images of the evaluation; these are among them.
    """

    table: Predictions
    rows: Sequence[Item]
    judges: Judges

    def list_items(self) -> list[Item]:
        """Return the images and scans that ``rows`` are, each once, in the order of the evaluation."""
        wanted = {row.path for row in self.rows}
        return [item for item in self.judges.division.evaluated if item.path in wanted]

    def list_digests(self) -> list[str]:
        """Return the SHA-256 of the file that each image of the table is from."""
        return self.judges.digests.of(self.rows)


def find_verdict(table: Predictions, judges: Judges) -> Verdict:
    """Return the verdict's images with what they are from."""
    return Verdict(table=table, rows=find_rows(table.path.tolist(), judges.division.evaluated), judges=judges)


def open_model(path: Path) -> Model:
    """Open a folder made by `gadoscope train`, or a bundle."""
    run = read_run(path) if path.is_dir() else None
    return Model(path=path, run=run, session=Session(run.bundle if run else path))


def find_judges(
    models: Sequence[Model], data: Path | None, labels: Path | None = None, *, jobs: int = 1
) -> Judges:
    """Return the images that no model was trained on; ``labels`` as of `read_manifest`.

    Raises
    ------
    UsageError
        If a bundle comes first and no data are named.
    ManifestError
        If no image is left, or one series has images of two labels.
    """
    first = models[0]
    if labels is not None and data is None:
        raise UsageError("labels say nothing without scans; name the folder of these with --data FOLDER.")
    if first.run is None and data is None:
        raise UsageError(
            "a bundle does not say which images to evaluate it on; name them with --data MANIFEST or FOLDER, "
            "in Python with data."
        )
    own = _read_own(first)
    is_own = own is not None and labels is None and (data is None or _is_same_file(data, own.origin))
    manifest = own if own is not None and is_own else read_manifest(data or Path(), labels)
    owns = [own, *(_read_own(model, manifest) for model in models[1:])]
    digests = FileDigests(jobs)
    divisions = [_divide(one, manifest, Manifest.labelled, digests) for one in owns]
    division = unite(divisions) if len(divisions) > 1 else divisions[0]
    n_other = len(manifest.others().items)
    if not division.evaluated:
        raise ManifestError(
            f"{manifest.origin} holds no labelled image that may judge this model: "
            f"{len(division.trained_on)} belong to the training split, {n_other} are labelled 'other'. "
            "Name other images with --data."
        )
    name_series(division.evaluated)  # a series of two labels ends the evaluation here, not after the scores
    return Judges(
        manifest=manifest,
        division=division,
        others=() if first.gate is None else _divide(own, manifest, Manifest.others, digests).evaluated,
        n_sealed=tuple(part.n_sealed for part in divisions),
        notices=(*manifest.notices, *_tell_others(n_other, first)),
        digests=digests,
    )


def _tell_others(n_other: int, model: Model) -> list[str]:
    if n_other == 0:
        return []
    verb = "is" if n_other == 1 else "are"
    fate = "left out" if model.gate is None else "left out of all figures but those of the gate"
    return [f"{plural(n_other, 'image')} {verb} labelled 'other' (no T1 brain image): {fate}."]


def _read_own(model: Model, known: Manifest | None = None) -> Manifest | None:
    """Return the images that a run knows, ``known`` where these are the same; None of a bundle alone."""
    if model.run is None:
        return None
    is_known = known is not None and _is_same_file(model.run.manifest, known.origin)
    own = known if known is not None and is_known else read_manifest(model.run.manifest)
    recorded = model.run.record.get("split_sha256")
    if recorded is not None:  # runs of earlier versions have none
        check_split(own, str(recorded))  # all of it: a gate may have been trained on others too
    return own


def _divide(
    own: Manifest | None, manifest: Manifest, part: Callable[[Manifest], Manifest], digests: FileDigests
) -> Division:
    """Divide one part of the images, the labelled ones or the others, by what a model has seen of it."""
    if own is None:
        return divide_for_bundle(part(manifest))
    return divide_own(part(own)) if own is manifest else divide_foreign(part(manifest), part(own), digests)


def _is_same_file(data: Path, origin: Path) -> bool:
    return data.exists() and origin.exists() and data.samefile(origin)
