"""Paths become answers: read, resize, run the network, decide; every input gets exactly one result.

Worker threads each take a few inputs from the file to the answer: Pillow's decoders and ONNX Runtime
release Python's lock, so two threads keep two cores busy. Only a few inputs are under way at any
time, and results leave in the order of the inputs, so memory does not grow with their number.
"""

import math
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import InputError, ReadError, UsageError
from gadoscope.inference.decide import decide, sigmoid
from gadoscope.inference.session import Session
from gadoscope.labels import Phase, SeriesResult, Status
from gadoscope.preparation.pool import count_jobs
from gadoscope.reading.discover import iter_inputs
from gadoscope.reading.images import read_slice

DEFAULT_BUNDLE = Path(__file__).parent / "weights" / "default.onnx"
"""The bundle that is used when none is named, where the installation has one."""

INPUTS_PER_GROUP = 8
"""Inputs that a worker reads before it runs the network on them.

Decoding and the network want the processor's caches for themselves: by turns for each image costs
10 % more than by turns for each 8 (measured with the lesson's network); 64 gain 2 % more.
"""

GROUPS_PER_JOB = 3
"""Groups under way for each worker: enough that one slow file at the front keeps no worker waiting."""

Input = Path | tuple[Path, InputError]
From = TypeVar("From")
To = TypeVar("To")


def find_model(model: Path | None) -> Path:
    """Return ``model``, or the default bundle where none is named.

    Raises
    ------
    UsageError
        If none is named and this installation has no default bundle.
    """
    if model is not None:
        return model
    if not DEFAULT_BUNDLE.exists():
        raise UsageError(
            "this installation has no default model; name one with --model FILE. Make it with "
            "`gadoscope train` from images, or with `gadoscope import-keras` from the lesson's weights."
        )
    return DEFAULT_BUNDLE


def iter_results(paths: Sequence[Path], *, model: Path, jobs: int = 0) -> Generator[SeriesResult, None, None]:
    """Classify every input below ``paths``.

    Parameters
    ----------
    paths
        Image files and folders of them.
    model
        The bundle.
    jobs
        Worker threads; 0 takes one for each core.

    Yields
    ------
    SeriesResult
        One for each input, in the order of the inputs whatever ``jobs`` is. An input that cannot be
        read becomes a ``failed`` row; none is lost, and none ends the run.

    Raises
    ------
    BundleError
        If ``model`` is no bundle, or does not fit; raised here, before the first result.
    ValueError
        If ``jobs`` is negative.
    """
    if jobs < 0:
        raise ValueError(f"jobs must be 0 (one for each core) or more, but it is {jobs}.")
    return _iter_in_order(paths, Session(model), count_jobs(jobs))


def _iter_in_order(paths: Sequence[Path], session: Session, jobs: int) -> Generator[SeriesResult, None, None]:
    inputs = iter_inputs(paths)
    groups = iter(lambda: list(islice(inputs, INPUTS_PER_GROUP)), [])
    under_way: deque[Future[list[SeriesResult]]] = deque()
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="classify")
    try:
        for group in islice(groups, jobs * GROUPS_PER_JOB):
            under_way.append(pool.submit(classify_group, group, session))
        while under_way:
            results = under_way.popleft().result()
            for group in islice(groups, 1):
                under_way.append(pool.submit(classify_group, group, session))
            yield from results
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def classify_group(group: Sequence[Input], session: Session) -> list[SeriesResult]:
    """Return the answers for a few inputs, in their order: first all are read, then all are answered."""
    prepared = [_keep_going(_prepare, entry, _path_of(entry), session) for entry in group]
    return [
        entry if isinstance(entry, SeriesResult) else _keep_going(_answer, entry, entry.path, session)
        for entry in prepared
    ]


@dataclass(frozen=True)
class _Prepared:
    """A slice at the network's size: ``pixels`` has shape (size, size), uint8."""

    path: Path
    pixels: NDArray[np.uint8]
    warnings: tuple[str, ...]


def _path_of(entry: Input) -> Path:
    return entry if isinstance(entry, Path) else entry[0]


def _keep_going(
    step: Callable[[From, Session], To], subject: From, path: Path, session: Session
) -> To | SeriesResult:
    """Take one step for one input; whatever goes wrong becomes that input's row."""
    try:
        return step(subject, session)
    except InputError as error:
        return _without_answer(path, error.status, str(error), session)
    except Exception as error:
        # A fault of ours in one file must not lose the other 99,999. The type only: a message
        # could quote the file's content.
        sentence = (
            f"Gadoscope itself stumbled over this file ({type(error).__name__}); "
            "please report it, with the file if you may share it."
        )
        return _without_answer(path, Status.FAILED, f"internal_error: {sentence}", session)


def _prepare(entry: Input, session: Session) -> _Prepared:
    if not isinstance(entry, Path):
        raise entry[1]
    image = read_slice(entry)
    resized = session.bundle.metadata.image_path.resize_slice(image.pixels)
    return _Prepared(entry, resized, image.warnings)


def _answer(prepared: _Prepared, session: Session) -> SeriesResult:
    bundle = session.bundle
    point = bundle.metadata.operating_point
    logit = session.slice_logits(prepared.pixels[None])[0]
    if not math.isfinite(logit):
        raise ReadError(
            "no_number", "the network answered no number for this image; its weights may be damaged."
        )
    probability = float(sigmoid(logit))
    phase = decide(probability, point)
    status, reason = Status.ANSWERED, ""
    if phase is Phase.INDETERMINATE:
        status = Status.INDETERMINATE
        reason = (
            f"inside_abstention_band: the probability {probability:.3g} lies in "
            f"[{point.lower:.3g}, {point.upper:.3g}), where this model does not answer."
        )
    return SeriesResult(
        path=str(prepared.path),
        n_slices=1,
        n_slices_used=1,
        status=status,
        phase=phase,
        probability=probability,
        reason=reason,
        model=bundle.model_id,
        warnings=prepared.warnings,
    )


def _without_answer(path: Path, status: Status, reason: str, session: Session) -> SeriesResult:
    return SeriesResult(path=str(path), status=status, reason=reason, model=session.bundle.model_id)
