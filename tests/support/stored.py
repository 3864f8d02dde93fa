"""Answers to keep in a store, made up."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from gadoscope.labels import KeptResult, Phase, Plane, SeriesResult, Status
from gadoscope.results.keeping import Keeper
from gadoscope.results.store.store import Store

NAME = "tiny@01234567"
MODEL = "01234567" * 8
VERSION = "0.1.0/3/words"

ANSWERED = KeptResult(
    path="a/1.dcm",
    study_instance_uid="1.2",
    series_instance_uid="1.3",
    plane=Plane.AXIAL,
    n_slices=9,
    n_slices_used=2,
    status=Status.ANSWERED,
    phase=Phase.POST_CONTRAST,
    probability=0.1 + 0.2,
    header_state="not_administered",
    header_quote='SeriesDescription="t1 \x1b[2J +c"',
    agreement="conflict",
    model=NAME,
    warnings=("one\0", "two \udc80"),
    logits=(1.5, -0.100000001),
)
REFUSED = SeriesResult(
    path="a/2.png", status=Status.REFUSED, reason="blank: every pixel has the same value.", model=NAME
)
FAILED = SeriesResult(path="a/3.png", status=Status.FAILED, reason="truncated: it ends.", model=NAME)


@contextmanager
def begin(
    url: str, *, model: str = MODEL, version: str = VERSION, name: str = NAME, is_finished: bool = True
) -> Iterator[Store]:
    """Yield a store for the block, which is a run."""
    with Store(url, say=lambda _: None) as store:
        store.begin(model=model, version=version, name=name, roots=["a"])
        yield store
        if is_finished:
            store.finish()


def keep(store: Keeper, digest: str, rows: Sequence[SeriesResult], study: str = "") -> None:
    """Keep the rows of one content as a run does."""
    store.add(digest, rows)
    store.settle(digest, rows, study)


def elsewhere(rows: Sequence[SeriesResult], path: str) -> tuple[SeriesResult, ...]:
    """Return rows as they are of another path."""
    return tuple(replace(row, path=path) for row in rows)
