"""Which rows of a store are asked for, as SQL."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from gadoscope.errors import UsageError
from gadoscope.labels import Phase, Plane, Status
from gadoscope.misfits import find_near
from gadoscope.moments import parse_moment
from gadoscope.results.ledger import AGREEMENTS
from gadoscope.results.store.codec import ROW_COLUMNS, format_time
from gadoscope.results.store.schema import WHOLE
from gadoscope.results.store.tables import ANSWERS, SERIES

_WORDS: dict[str, Sequence[str]] = {
    "phase": [phase.value for phase in Phase],
    "plane": [plane.value for plane in Plane],
    "status": [status.value for status in Status],
    "agreement": AGREEMENTS,
}


@dataclass(frozen=True, kw_only=True)
class Query:
    """Which rows; all of them where nothing is said.

    Parameters
    ----------
    phase, plane, status, agreement
        A word of that column.
    reason
        The word before the colon.
    model
        As the column `model` has it, its name alone, or the beginning of its SHA-256.
    since, until
        When the answer was given, as `gadoscope.moments.parse_moment` reads it (``2026-11-30``,
        ``2026-11-30T22:00Z``, ``36h``): without a zone in this machine's; ``until`` is not among them.
    run
        Number of the run that gave the answer.
    all_versions
        Also what older versions of Gadoscope, or another way to quote, answered to the same.
    gone
        Also what lay somewhere where something else lies now, or nothing.
    series_only
        Leave out the volumes of a series that has several.
    """

    phase: str | None = None
    plane: str | None = None
    status: str | None = None
    agreement: str | None = None
    reason: str | None = None
    model: str | None = None
    since: str | None = None
    until: str | None = None
    run: int | None = None
    all_versions: bool = False
    gone: bool = False
    series_only: bool = False

    def __post_init__(self) -> None:
        for name, words in _WORDS.items():
            self._check_word(name, words)
        for name in ("since", "until"):
            said = getattr(self, name)
            if said is not None:
                object.__setattr__(self, name, format_time(parse_moment(said, name)))

    def _check_word(self, name: str, words: Sequence[str]) -> None:
        said = getattr(self, name)
        if said is None or said in words:
            return
        near = find_near(said, words)
        meant = f" Did you mean {near}?" if near else ""
        raise UsageError(f"{name} = {said!r}; expected one of {', '.join(words)}.{meant}")


def select_rows(query: Query, models: Sequence[int]) -> sa.Select:
    """Return the statement that gives path, number of the model and `ROW_COLUMNS` of each row.

    They come in the order in which their places were first seen; of a series the volumes first.

    Parameters
    ----------
    query
        Which.
    models
        Numbers of the models that are asked for; empty for all.
    """
    columns = [SERIES.c.path, ANSWERS.c.model_id, *(ANSWERS.c[name] for name in ROW_COLUMNS)]
    order = (SERIES.c.id, ANSWERS.c.model_id, ANSWERS.c.volume_index == WHOLE, ANSWERS.c.volume_index)
    return narrow(sa.select(*columns), query, models).order_by(*order)


def narrow(statement: sa.Select, query: Query, models: Sequence[int]) -> sa.Select:
    """Return a statement about rows with the conditions of a query; parameters of `select_rows`."""
    is_of_place = (SERIES.c.digest == ANSWERS.c.digest) & (SERIES.c.study == ANSWERS.c.study)
    statement = statement.select_from(sa.join(ANSWERS, SERIES, is_of_place))
    for name in _WORDS:
        if (word := getattr(query, name)) is not None:
            statement = statement.where(ANSWERS.c[name] == word)
    asked = {ANSWERS.c.reason_code: query.reason, ANSWERS.c.run_id: query.run}
    statement = statement.where(*(column == value for column, value in asked.items() if value is not None))
    if query.since is not None:
        statement = statement.where(ANSWERS.c.answered_at >= query.since)
    if query.until is not None:
        statement = statement.where(ANSWERS.c.answered_at < query.until)
    if models:
        statement = statement.where(ANSWERS.c.model_id.in_(models))
    if not query.all_versions:
        statement = statement.where(ANSWERS.c.superseded_at.is_(None))
    if not query.gone:
        statement = statement.where(SERIES.c.gone_at.is_(None))
    return statement.where(ANSWERS.c.volume_index == WHOLE) if query.series_only else statement


def select_counts(query: Query, models: Sequence[int]) -> sa.Select:
    """Return the statement that counts rows for a ledger; parameters of `select_rows`.

    Status, word of the reason, phase, agreement where header and pixels of a series were heard (see
    `gadoscope.results.ledger`), and how many.
    """
    has_header = (ANSWERS.c.header_quote != "") | (ANSWERS.c.n_slices > 1)
    has_header |= ANSWERS.c.series_instance_uid.is_not(None)
    is_series = ANSWERS.c.phase.is_not(None) & (ANSWERS.c.volume_index == WHOLE)
    agreement = sa.case((is_series & has_header, ANSWERS.c.agreement), else_="")
    groups = (ANSWERS.c.status, ANSWERS.c.reason_code, ANSWERS.c.phase, agreement)
    return narrow(sa.select(*groups, sa.func.count()), query, models).group_by(*groups)


def select_studies(query: Query, models: Sequence[int], warning: str) -> sa.Select:
    """Return the statement that gives the studies that have a warning; parameters of `select_rows`."""
    warned = sa.select(ANSWERS.c.study_instance_uid).where(ANSWERS.c.warnings.contains(warning)).distinct()
    return narrow(warned, query, models)


def select_pairs(query: Query, one: int, other: int) -> sa.Select:
    """Return the statement that gives the rows of two models side by side.

    Path, UID of the series, number of the volume, then status, phase and probability of each.
    """
    second = ANSWERS.alias("second")
    is_same = sa.and_(*(ANSWERS.c[name] == second.c[name] for name in ("digest", "study", "volume_index")))
    said = [table.c[name] for table in (ANSWERS, second) for name in ("status", "phase", "probability")]
    columns = [SERIES.c.path, ANSWERS.c.series_instance_uid, ANSWERS.c.volume_index, *said]
    narrowed = narrow(sa.select(*columns), query, [one])
    narrowed = narrowed.join(second, is_same).where(second.c.model_id == other)
    if not query.all_versions:
        narrowed = narrowed.where(second.c.superseded_at.is_(None))
    return narrowed.order_by(SERIES.c.id, ANSWERS.c.volume_index)
