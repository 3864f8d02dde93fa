"""Decisions come in: one request each, in the store before it is answered, and twice the same counts once."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, Field, ValidationError

from gadoscope.errors import OutputError, UsageError
from gadoscope.labels import Verdict
from gadoscope.results.store.reviews import Decision, Review
from gadoscope.results.store.series_view import SeriesView
from gadoscope.web.problems import Problem
from gadoscope.web.room.rendering import BLIND_COOKIE
from gadoscope.web.room.series import find_current, name_version, render_series

router = APIRouter()
SEE_OTHER = 303
MAX_TEXT = 2000
Text = Annotated[str, Field(max_length=MAX_TEXT)]
Sent = TypeVar("Sent", bound=BaseModel)


class SentDecision(BaseModel):
    """A key stroke, as the browser sends it.

    ``reader`` and ``digest`` say under whose name and about which content it was made: kept in a browser
    for a while, it must not become somebody else's, or that of another series.
    """

    verdict: Verdict
    token: Text
    digest: Text = ""
    reader: Text = ""
    model: Text = ""
    note: Text = ""
    is_blind: bool = False


class SentWithdrawal(BaseModel):
    """That a decision, `of` its token, is taken back."""

    token: Text
    of: Text
    reader: Text = ""


async def _read_decision(request: Request) -> tuple[SentDecision, bool]:
    return await _read(request, SentDecision)


async def _read_withdrawal(request: Request) -> tuple[SentWithdrawal, bool]:
    return await _read(request, SentWithdrawal)


@router.post("/series/{place:int}/decisions")
def take_decision(
    request: Request, place: int, sent: Annotated[tuple[SentDecision, bool], Depends(_read_decision)]
) -> Response:
    """Take a decision: as JSON by script, or from the form of the page without one."""
    decision, is_form = sent
    reader = _check_reader(request, decision.reader)
    is_blind, view = decision.is_blind, _find_series(request, place, decision.digest)
    if is_form:  # without a script the veil is drawn by the cookie, and lifted by a decision
        is_blind = request.cookies.get(BLIND_COOKIE) == "1" and find_current(view, reader) is None
    return _answer(
        request,
        place,
        is_form,
        lambda: request.app.state.room.decide(
            place,
            Decision(
                verdict=decision.verdict,
                reader=reader,
                token=decision.token,
                note=decision.note,
                is_blind=is_blind,
                model=decision.model or None,
            ),
        ),
    )


@router.post("/series/{place:int}/withdrawals")
def take_withdrawal(
    request: Request, place: int, sent: Annotated[tuple[SentWithdrawal, bool], Depends(_read_withdrawal)]
) -> Response:
    """Take a decision back; errors and forms as of `take_decision`."""
    withdrawal, is_form = sent
    reader = _check_reader(request, withdrawal.reader)
    return _answer(
        request,
        place,
        is_form,
        lambda: request.app.state.room.withdraw(withdrawal.token, withdrawal.of, reader),
    )


async def _read(request: Request, kind: type[Sent]) -> tuple[Sent, bool]:
    is_json = request.headers.get("content-type", "").startswith("application/json")
    try:
        if is_json:
            return kind.model_validate_json(await request.body()), False
        return kind.model_validate({**await request.form()}), True
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise Problem(422, "invalid-request", said) from None


def _check_reader(request: Request, said: str) -> str:
    """Return who is signed in; what was decided under another name stays in the browser."""
    reader: str = request.state.reader
    if said and said != reader:
        raise Problem(
            409, "other-reader", "this was decided under another name than the one that is signed in now."
        )
    return reader


def _find_series(request: Request, place: int, digest: str) -> SeriesView:
    """Return the series that is decided about, if the content is still the one that was shown."""
    try:
        view: SeriesView = request.app.state.room.series(place)
    except UsageError as error:
        raise Problem(404, "no-such-series", str(error)) from None
    if digest and digest != name_version(view):
        raise Problem(
            409,
            "other-content",
            "this was decided about a series of another store, or of another content than lies here now.",
        )
    return view


def _answer(request: Request, place: int, is_form: bool, act: Callable[[], Review]) -> Response:
    try:
        review = act()
    except UsageError as error:
        if is_form:
            return render_series(request, place, problem=str(error), status=409)
        raise Problem(409, "not-accepted", str(error)) from None
    except OutputError as error:
        if is_form:
            return render_series(request, place, problem=str(error), status=503)
        raise
    if is_form:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/series/{place}{query}", SEE_OTHER)
    return JSONResponse(_to_plain(review))


def _to_plain(review: Review) -> dict[str, Any]:
    return {name: value for name, value in review._asdict().items() if name != "model"}
