"""The front door for answers: whatever holds scans becomes rows, by a bundle that stays loaded."""

import os
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gadoscope.classification.options import RunOptions, take_options
from gadoscope.classification.rows import Answer, StudyPlace, storable_row
from gadoscope.classification.run import answer_inputs
from gadoscope.errors import UsageError
from gadoscope.inference.bundle import Bundle
from gadoscope.inference.default import find_model
from gadoscope.inference.session import Session
from gadoscope.labels import Plane, SeriesResult
from gadoscope.parallel import count_jobs
from gadoscope.reading.given import ArrayAxes, PathStream, is_dataset, list_inputs
from gadoscope.reading.remote.naming import locate
from gadoscope.reading.remote.path import RemotePath
from gadoscope.reading.series import Facts, ImageSeries

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from gadoscope.reading.given import What


class Classifier:
    """A bundle that stays loaded. Its methods may be called from several threads at once.

    Parameters
    ----------
    model
        A bundle (.onnx), or ``default``, which comes with the installation.
    jobs
        Workers of one `classify`; 0 takes one for each core.

    Raises
    ------
    BundleError
        If ``model`` is no bundle, or does not fit.
    UsageError
        If this installation lacks the default bundle.
    """

    def __init__(self, model: str | Path = "default", jobs: int = 0) -> None:
        count_jobs(jobs)
        self._jobs = jobs
        self._loaded: Session | None = Session(find_model(model))
        self.bundle: Bundle = self.session.bundle
        """What the bundle says of itself."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the bundle go; answers that are under way are finished."""
        self._loaded = None

    @property
    def session(self) -> Session:
        """The bundle's network, for whoever asks it of single slices.

        Raises
        ------
        UsageError
            If this Classifier is closed.
        """
        session = self._loaded
        if session is None:
            raise UsageError("this Classifier is closed; make another one.")
        return session

    def classify(
        self,
        what: "What",
        *,
        spacing_mm: Sequence[float] | None = None,
        orientation: str | None = None,
        plane: Plane | str | None = None,
        options: RunOptions | None = None,
    ) -> Generator[SeriesResult, None, None]:
        """Return the rows of what is handed over, as they come; parameters, rows and errors of `classify`."""
        axes = ArrayAxes(spacing_mm=spacing_mm, orientation=orientation, plane=plane)
        paths = _list_paths(what)
        rows = answer_inputs(
            list_inputs(what, axes), self.session, jobs=self._jobs, options=options, roots=paths
        )
        return _refuse_none(rows, [] if options is not None and options.since is not None else paths)

    def answer(self, series: ImageSeries, *, options: RunOptions | None = None) -> SeriesResult:
        """Return the row of one series; of several volumes `classify` gives the rows of each as well.

        Parameters
        ----------
        series
            As `read_series` opens it, or made by a program: no file system is between.
        options
            What the row quotes, and whether it has a picture.

        Raises
        ------
        UsageError
            If it is no series.
        """
        if not isinstance(series, ImageSeries):
            raise UsageError(
                f"answer takes an ImageSeries, and this is a {type(series).__name__}; open it with "
                "read_series, or hand it to classify."
            )
        return self._answer_alone(series, (), take_options(options))[-1]

    def answer_study(
        self, study: "Iterable[ImageSeries | Dataset]", *, options: RunOptions | None = None
    ) -> list[SeriesResult]:
        """Return the rows of one study, its series judged together.

        Parameters
        ----------
        study
            Its series, as `read_series` opens them; or its datasets, in any order.
        options
            What the rows quote, and whether they have pictures.

        Returns
        -------
        list of SeriesResult
            Series by series: in the order given, or where datasets were given in that of the first of each.

        Raises
        ------
        UsageError
            If they belong to several studies, or are neither series nor datasets.
        """
        parts = [] if isinstance(study, (str, os.PathLike)) else list(study)
        if isinstance(study, (str, os.PathLike)) or not all(map(_may_be_of_a_study, parts)):
            raise UsageError("a study is given as series or as datasets; hand a path to classify.")
        series = [one for one in parts if isinstance(one, ImageSeries)]
        if series and len(series) < len(parts):
            raise UsageError("a study is given as series or as datasets; give one of the two.")
        uids = {str(_study_of(one) or "") for one in parts} - {""}
        if len(uids) > 1:
            raise UsageError(
                f"these are of {len(uids)} studies, by StudyInstanceUID; give one study at a time."
            )
        if not series:
            return list(self.classify(parts, options=options))
        return self._judge(series, take_options(options))

    def _judge(self, study: Sequence[ImageSeries], options: RunOptions) -> list[SeriesResult]:
        from gadoscope.classification.study.reasoning import iter_judged  # noqa: PLC0415 — single series do without

        neighbours = [one.facts for one in study if one.facts and one.facts.get("Modality") == "MR"]
        answers = [
            Answer(
                self._answer_alone(one, neighbours, options),
                place=StudyPlace(0, one.facts or {}, number) if len(study) > 1 else None,
            )
            for number, one in enumerate(study)
        ]
        judged = iter_judged(answers, self.bundle.metadata, lambda place: study[place.series])
        return [row for answer in judged for row in answer.rows]

    def _answer_alone(
        self, series: ImageSeries, study: Sequence[Facts], options: RunOptions
    ) -> tuple[SeriesResult, ...]:
        from gadoscope.classification.series import answer_opened  # noqa: PLC0415 — slice images do without

        rows = answer_opened(series, self.session, study=study, quote=options.quote, kind=options.row_kind)
        return tuple(storable_row(row) for row in rows)


def _list_paths(what: "What") -> list[str]:
    """Return the paths that were named; none where something else was handed over too."""
    several = list(what) if isinstance(what, (list, tuple)) else [what]
    named = (_name(one) for one in several)
    return [one for one in named if one]


def _name(one: object) -> str:
    if isinstance(one, PathStream):
        return one.by
    if isinstance(one, (str, RemotePath)):
        return str(locate(one) if isinstance(one, str) else one)
    return os.fsdecode(one) if isinstance(one, os.PathLike) else ""


def _refuse_none(
    rows: Generator[SeriesResult, None, None], named: Sequence[str]
) -> Generator[SeriesResult, None, None]:
    """Pass rows on; raise UsageError if there is none, though paths were named."""
    n_rows = 0
    with closing(rows):
        for row in rows:
            n_rows += 1
            yield row
    if named and not n_rows:
        raise UsageError(
            f"there is no input in {', '.join(named)}; name image files or a folder that holds some."
        )


def _may_be_of_a_study(part: object) -> bool:
    return isinstance(part, ImageSeries) or is_dataset(part)


def _study_of(part: object) -> object:
    uid = getattr(part, "study_instance_uid", None)
    return uid if isinstance(part, ImageSeries) else getattr(part, "StudyInstanceUID", None)


def classify(
    what: "What",
    model: str | Path = "default",
    jobs: int = 0,
    *,
    spacing_mm: Sequence[float] | None = None,
    orientation: str | None = None,
    plane: Plane | str | None = None,
    options: RunOptions | None = None,
) -> Generator[SeriesResult, None, None]:
    """Tell the contrast phase of scans: the rows come one by one, and memory does not grow with their number.

    Parameters
    ----------
    what
        A path, as `str` or `Path`: of a slice image, a NIfTI volume, a DICOM file, a zip or tar, or a folder
        of all these. Or a NumPy array, an image of nibabel, a dataset of pydicom, a file opened with
        ``'rb'``, an `ImageSeries`; or several of these. Datasets are grouped by their UIDs.
    model
        A bundle (.onnx), or ``default``.
    jobs
        Workers; 0 takes one for each core.
    spacing_mm
        Of arrays (slice, row, column): between neighbours along each axis.
    orientation
        Of the same: where the index of each axis grows to, in letters: L or R, P or A, S or I. Axial slices
        from feet to head, upright, are ``"SPL"``.
    plane
        Of arrays (row, column): slices that are upright and have square pixels.
    options
        A journal, what rows quote, whether series are judged alone, and who watches.

    Yields
    ------
    SeriesResult
        One for each input, for several volumes also one for each of them; in the order of the inputs,
        DICOM series last, whatever ``jobs`` is. What cannot be read becomes a ``failed`` row; none is
        lost, and none ends the run.

    Raises
    ------
    BundleError
        If ``model`` is no bundle, or does not fit; all of these are raised here, before the first result.
    UsageError
        If this installation lacks the default bundle, something in ``what`` cannot be classified, or ``jobs``
        is negative. Where paths are named and nothing lies there, it is raised in the place of a first row.

    Notes
    -----
    Of large archives, processes read the headers. A script of yours that calls this needs
    ``if __name__ == "__main__":``, as for everything that uses `multiprocessing`, or ``jobs=1``.
    """
    return Classifier(model, jobs).classify(
        what, spacing_mm=spacing_mm, orientation=orientation, plane=plane, options=options
    )
