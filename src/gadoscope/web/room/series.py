"""One series: its slices, what is said of it, and what readers decided."""

import secrets
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from gadoscope.errors import UsageError
from gadoscope.evidence.state import HeaderState
from gadoscope.labels import SeriesResult
from gadoscope.markup import draw_bar
from gadoscope.results.store.queue import QueueQuery
from gadoscope.results.store.reviews import Review
from gadoscope.results.store.room import Neighbours
from gadoscope.results.store.series_view import Answer, SeriesView
from gadoscope.web.quotes import quotes_words
from gadoscope.web.room.filters import read_filters, write_filters
from gadoscope.web.room.rendering import CONTRADICTS_ITSELF, HEADER_STATES, respond

router = APIRouter()
DIGEST_DIGITS = 16
"""Of a content's digest, in addresses and decisions: whether a page is still about what lies there."""
TOKEN_BYTES = 16


@router.get("/series/{place:int}")
def show_series(request: Request, place: int) -> HTMLResponse:
    """Show a series."""
    return render_series(request, place)


def render_series(request: Request, place: int, *, problem: str = "", status: int = 200) -> HTMLResponse:
    """Return the page of a series, perhaps with what was wrong with a decision."""
    room, params = request.app.state.room, request.query_params
    try:
        view: SeriesView = room.series(place)
    except UsageError as error:
        return respond(request, "missing", page="queue", status=404, problem=str(error))
    try:
        asked = read_filters(params, request.state.reader)
        around = room.neighbours(place, asked)
        position, total = room.position(place, asked), room.queue(asked, None, 1).total
    except UsageError as error:
        asked, around, position, total = QueueQuery(), Neighbours(previous=None, next=None), None, 0
        problem = problem or str(error)
    return respond(
        request,
        "series",
        status=status,
        view=view,
        neighbours=around,
        position=position,
        total=total,
        mine=find_current(view, request.state.reader),
        content=name_version(view),
        token=secrets.token_hex(TOKEN_BYTES),
        query_string=write_filters(params),
        problem=problem,
        path=view.path if request.app.state.settings.show_identity else "",
        **_describe(view, show_identity=request.app.state.settings.show_identity),
    )


def _describe(view: SeriesView, *, show_identity: bool) -> dict[str, Any]:
    answer = find_answer(view)
    if answer is None:
        return {"result": None, "band": "", "quote": "", "header_words": ""}
    result = answer.rows[-1]
    hides = not (show_identity or quotes_words(answer.version))
    return {
        "result": result,
        "band": _draw_band(result, answer),
        "quote": "" if hides else result.header_quote,
        "header_words": _tell_header(result),
    }


def _tell_header(result: SeriesResult) -> str:
    if result.header_state == HeaderState.SILENT and result.header_quote:
        return CONTRADICTS_ITSELF
    return HEADER_STATES[result.header_state]


def _draw_band(result: SeriesResult, answer: Answer) -> Markup:
    band = answer.point.lower, answer.point.upper
    drawn = "" if result.probability is None else draw_bar(result.probability, band)
    return Markup(drawn)  # noqa: S704 — made of numbers alone


def find_answer(view: SeriesView) -> Answer | None:
    """Return what was said last of a series; None if nobody was asked."""
    return view.answers[0] if view.answers else None


def find_current(view: SeriesView, reader: str) -> Review | None:
    """Return what a reader's decision is now; None without one."""
    own = [
        one for one in view.history if one.reader == reader and not one.is_withdrawn and one.withdraws is None
    ]
    return own[-1] if own else None


def name_version(view: SeriesView) -> str:
    """Return what stands for the content that lies at a place."""
    return view.digest.removeprefix("unread:")[:DIGEST_DIGITS]
