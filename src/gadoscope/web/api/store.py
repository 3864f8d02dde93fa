"""What the store holds: series in the order of what a look is worth, their answers, and studies."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field, StringConstraints

from gadoscope.errors import UsageError
from gadoscope.labels import Phase, Plane, SeriesResult, Status, Verdict
from gadoscope.results.store import cursors
from gadoscope.results.store import query as rows
from gadoscope.results.store.pages import PlacedRow
from gadoscope.results.store.queue import QueueQuery
from gadoscope.results.store.room import Room
from gadoscope.results.store.series_view import SeriesView
from gadoscope.web.api.answers import Answer, to_answer
from gadoscope.web.api.cursors import Paging, Unsaid, read_numbers, read_text, respond
from gadoscope.web.api.reviews import ReviewView, view_review
from gadoscope.web.api.schemas import Said, problems
from gadoscope.web.problems import Problem
from gadoscope.web.quotes import quotes_words
from gadoscope.web.security.access import Scope
from gadoscope.web.security.identity import Caller, need

router = APIRouter(tags=["store"])
Reading = Annotated[Caller, Depends(need(Scope.READ))]
Place = Annotated[int, Path(ge=1, le=2**53, description="Number of the series in the store.", examples=[1])]
Word = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Moment = Annotated[
    str,
    StringConstraints(
        pattern=r"^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?Z)?$"
    ),
]
"""A day, or a time: of the server's time zone, and with a Z in UTC."""
Probability = Annotated[float, Field(ge=0, le=1)]
Uid = Annotated[str, Path(pattern=r"^[0-9.]{1,64}$", examples=["2.25.113"])]
KNOWN = {
    304: {"description": "It is as it was: you have it already."},
    **problems(400, 401, 403, 422, 429, 503),
}


class AnswerFilters(Paging):
    """Which answers."""

    phase: Phase | Unsaid = None
    plane: Plane | Unsaid = None
    status: Status | Unsaid = None
    agreement: Literal["agree", "conflict", "silent"] | Unsaid = None
    reason: Word | Unsaid = Field(None, description="The word before the colon.")
    model: Word | Unsaid = Field(None, description="Its name, or how its SHA-256 begins.")
    since: Moment | Unsaid = Field(
        None, description="Answered then or after: the server's time zone, and UTC with a Z."
    )
    until: Moment | Unsaid = Field(None, description="Answered before.")


class SeriesFilters(AnswerFilters):
    """Which series."""

    probability_at_least: Probability | Unsaid = None
    probability_at_most: Probability | Unsaid = None
    look: Literal["conflict", "undecided", "uncertain", "audit", "refused", "unread"] | Unsaid = None
    reviewed: Literal["by", "not_by", "anybody", "nobody", "dispute"] | Unsaid = None
    reader: Word | Unsaid = Field(None, description="By whom, or not by whom; you, where nobody is named.")
    differs_from: Word | Unsaid = Field(None, description="Another model, which answers otherwise.")
    scanner: Word | Unsaid = None
    month: Word | Unsaid = None


class SeriesItem(Said):
    """One series of the list."""

    id: int
    look: str = Field(description="Why a look at it is worth it.", examples=["conflict"])
    answer: Answer
    verdicts: dict[str, Verdict] = Field(description="What holds of what readers decided, by reader.")


class SeriesPage(Said):
    """A part of the list; `next` is the cursor of the one after it."""

    items: list[SeriesItem]
    next: str | None
    total: int


class ModelAnswer(Said):
    """What one model and version of Gadoscope say of a series: of its volumes, then of the whole."""

    model: str
    version: str
    answered_at: str
    is_superseded: bool
    answers: list[Answer]


class SeriesDetail(Said):
    """All that the store has of a series."""

    id: int
    is_gone: bool = Field(description="Something else lies there now, or nothing.")
    digest: str = Field(description="Of its content.")
    scanner: str | None
    month: str | None
    models: list[ModelAnswer]
    reviews: list[ReviewView]
    siblings: list[int] = Field(description="Numbers of the study's other series.")


class AnswerItem(Said):
    """A row, and the series that it is of."""

    series: int
    answered_at: str
    answer: Answer


class AnswerPage(Said):
    """A part of the rows; `next` is the cursor of the one after it."""

    items: list[AnswerItem]
    next: str | None


class StudyItem(Said):
    """How many series of a study have which answer."""

    study_instance_uid: str
    n_series: int
    n_pre: int
    n_post: int
    n_conflicts: int


class StudyPage(Said):
    """A part of the studies; `next` is the cursor of the one after it."""

    items: list[StudyItem]
    next: str | None


@router.get("/series", response_model=SeriesPage, responses=KNOWN)
def list_series(
    request: Request,
    caller: Reading,
    asked: Annotated[SeriesFilters, Query()],
) -> Response:
    """Return series in the order of what a look is worth: of the model that was asked last, or of another."""
    page = _room(request).queue(QueueQuery(**_filters(asked, caller)), asked.cursor, asked.limit)
    items = [
        SeriesItem(
            id=one.place,
            look=one.look.name.lower(),
            answer=show_stored(request, one.result, ""),
            verdicts=one.verdicts,
        )
        for one in page.items
    ]
    return respond(request, SeriesPage(items=items, next=page.next, total=page.total))


@router.get("/series/{series_id}", response_model=SeriesDetail, responses={**KNOWN, **problems(404)})
def show_series(request: Request, series_id: Place, _: Reading) -> Response:
    """Return all that the store has of a series: answers of all models, decisions, and its neighbours."""
    view = find_series(request, series_id)
    models = [
        ModelAnswer(
            model=one.model,
            version=one.version,
            answered_at=one.answered_at,
            is_superseded=one.is_superseded,
            answers=[show_stored(request, row, one.version) for row in one.rows],
        )
        for one in view.answers
    ]
    detail = SeriesDetail(
        id=view.place,
        is_gone=view.is_gone,
        digest=view.digest,
        scanner=view.scanner,
        month=view.month,
        models=models,
        reviews=[view_review(one) for one in view.history],
        siblings=[one.place for one in view.siblings],
    )
    return respond(request, detail)


@router.get("/answers", response_model=AnswerPage, responses=KNOWN)
def list_answers(
    request: Request,
    caller: Reading,
    asked: Annotated[AnswerFilters, Query()],
) -> Response:
    """Return rows, those of single volumes too, in the order in which they came."""
    found = _room(request).page_rows(
        rows.Query(**_filters(asked, caller)), read_numbers(asked.cursor, 2), asked.limit + 1
    )
    items = [_view_row(request, one) for one in found[: asked.limit]]
    more = cursors.write(found[asked.limit - 1].key) if len(found) > asked.limit else None
    return respond(request, AnswerPage(items=items, next=more))


@router.get("/studies", response_model=StudyPage, responses=KNOWN)
def list_studies(
    request: Request,
    caller: Reading,
    asked: Annotated[AnswerFilters, Query()],
) -> Response:
    """Return studies by their UIDs: how many of the series that fit have which answer."""
    found = _room(request).page_studies(
        rows.Query(**_filters(asked, caller)), read_text(asked.cursor), asked.limit + 1
    )
    items = [StudyItem(**one._asdict()) for one in found[: asked.limit]]
    more = cursors.write(found[asked.limit - 1].study_instance_uid) if len(found) > asked.limit else None
    return respond(request, StudyPage(items=items, next=more))


@router.get("/studies/{study_instance_uid}", response_model=AnswerPage, responses={**KNOWN, **problems(404)})
def show_study(request: Request, study_instance_uid: Uid, _: Reading) -> Response:
    """Return the rows of a study, in the order in which they came."""
    found = _room(request).rows_of_study(study_instance_uid)
    if not found:
        raise Problem(404, "no-such-study", "there is no study of this UID in the store.")
    return respond(request, AnswerPage(items=[_view_row(request, one) for one in found], next=None))


def _view_row(request: Request, row: PlacedRow) -> AnswerItem:
    return AnswerItem(
        series=row.place,
        answered_at=row.answered_at,
        answer=show_stored(request, row.result, row.version),
    )


def find_series(request: Request, number: int) -> SeriesView:
    """Return all that the store has of a series.

    Raises
    ------
    Problem
        404, if there is none of that number.
    """
    try:
        return _room(request).series(number)
    except UsageError as error:
        raise Problem(404, "no-such-series", str(error)) from None


def _room(request: Request) -> Room:
    room: Room = request.app.state.room
    return room


def show_stored(request: Request, row: SeriesResult, version: str) -> Answer:
    """Return a row without what may name a patient, unless the server was told to show that.

    Parameters
    ----------
    version
        Of the answer: of one that quotes headers whole, as people typed them, the quote is left out. Empty
        where it is not known, and then too.
    """
    answer = to_answer(row)
    if request.app.state.settings.show_identity:
        return answer
    quote = answer.header_quote if quotes_words(version) else ""
    return answer.model_copy(update={"path": None, "header_quote": quote})


def _filters(asked: AnswerFilters, caller: Caller) -> dict[str, Any]:
    said = asked.model_dump(exclude=set(Paging.model_fields), exclude_none=True)
    if said.get("reviewed") in ("by", "not_by"):
        said.setdefault("reader", caller.name)
    return said
