"""Decisions over the API: the same as by key strokes, kept beside each other and never overwritten."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BeforeValidator, Field, StrictBool

from gadoscope.errors import UsageError
from gadoscope.labels import Verdict
from gadoscope.results.store.reviews import MAX_NOTE, Decision, Review
from gadoscope.web.api.schemas import Said, problems
from gadoscope.web.problems import Problem
from gadoscope.web.security.access import Scope
from gadoscope.web.security.identity import Caller, need

router = APIRouter(prefix="/reviews", tags=["reviews"])
TOKEN_PATTERN = r"^[A-Za-z0-9_-]{8,100}$"  # noqa: S105 — of no secret


def _refuse_text(value: object) -> object:
    """Return a number as it is: 1.0 is a whole one in JSON, and "1" is none."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise ValueError("a whole number is expected")
    return value


Whole = Annotated[int, BeforeValidator(_refuse_text)]


class NewReview(Said):
    """A decision."""

    series: Whole = Field(ge=1, le=2**53, description="Number of the series in the store.", examples=[1])
    verdict: Verdict
    token: str = Field(
        pattern=TOKEN_PATTERN,
        description="Made up by the sender for this decision alone: sent again with it, it counts once.",
        examples=["2f7c1f0e-0d1c-4f0e"],
    )
    note: str = Field("", max_length=MAX_NOTE, pattern=r"^[^\x00]*$")
    is_blind: StrictBool = Field(
        False, description="Whether probability and header were hidden until it was made."
    )
    model: str | None = Field(
        None, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="Whose answer was shown."
    )


class Withdrawal(Said):
    """That a decision is taken back: it stays in the store, and counts no more."""

    token: str = Field(pattern=TOKEN_PATTERN, examples=["9a0b63de-77aa-4c11"])


class ReviewView(Said):
    """A decision, or that one was taken back, as the store has it."""

    token: str
    verdict: Verdict
    reader: str
    reviewed_at: str
    note: str
    is_blind: bool
    model: str
    withdraws: str | None
    is_withdrawn: bool


@router.post("", status_code=201, responses=problems(400, 401, 403, 404, 409, 413, 422, 429, 503))
def review(
    request: Request, sent: NewReview, caller: Annotated[Caller, Depends(need(Scope.REVIEW))]
) -> ReviewView:
    """Decide: it is in the store before this answers, under the name of whoever sent it."""
    _check_series(request, sent.series)
    decision = Decision(
        verdict=sent.verdict,
        reader=caller.name,
        token=sent.token,
        note=sent.note,
        is_blind=sent.is_blind,
        model=sent.model,
    )
    try:
        return view_review(request.app.state.room.decide(sent.series, decision))
    except UsageError as error:
        raise Problem(409, "not-accepted", str(error)) from None


@router.post(
    "/{token}/withdrawal", status_code=201, responses=problems(400, 401, 403, 409, 413, 422, 429, 503)
)
def withdraw(
    request: Request, token: str, sent: Withdrawal, caller: Annotated[Caller, Depends(need(Scope.REVIEW))]
) -> ReviewView:
    """Take back a decision of yours."""
    try:
        return view_review(request.app.state.room.withdraw(sent.token, token, caller.name))
    except UsageError as error:
        raise Problem(409, "not-accepted", str(error)) from None


def view_review(review: Review) -> ReviewView:
    """Return a decision as the API says it."""
    return ReviewView(**review._asdict())


def _check_series(request: Request, number: int) -> None:
    try:
        request.app.state.room.history(number)
    except UsageError as error:
        raise Problem(404, "no-such-series", str(error)) from None
