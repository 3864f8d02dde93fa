"""Pictures over the API: slices of a series, and what in them argued for which phase."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field

from gadoscope.classification.explained import ExplainedSlice
from gadoscope.errors import GadoscopeError, InputError
from gadoscope.labels import Plane
from gadoscope.web.api.cursors import respond
from gadoscope.web.api.schemas import Said, problems
from gadoscope.web.api.store import KNOWN, Place, Reading, find_series
from gadoscope.web.pictures import MAX_THUMBNAIL, PictureFormat, draw_slice, encode
from gadoscope.web.problems import Problem
from gadoscope.web.room.slices import (
    KEPT,
    draw_evidence,
    explain,
    find_evidence,
    find_stack,
    open_scan,
)

router = APIRouter(tags=["pictures"])
Number = Annotated[int, Path(ge=0, le=100_000, description="From 0.", examples=[0])]
PICTURES = {
    200: {
        "content": {
            form.media_type: {"schema": {"type": "string", "format": "binary"}} for form in PictureFormat
        }
    },
    **problems(400, 401, 403, 404, 422, 429, 503),
}


class SliceEvidence(Said):
    """One slice that the model read."""

    probability: float = Field(description="P(post-contrast) of this slice alone.")
    strongest: float = Field(
        description="The strongest evidence in it, in logits; above 0 for post-contrast."
    )
    picture: str = Field(
        description="Address of the slice, tinted.", examples=["/api/v1/series/1/explanation/0.png"]
    )


class Explanation(Said):
    """What in which slice argued for which phase: how far the logit drops when a place is hidden."""

    model: str
    slices: list[SliceEvidence]


@router.get("/series/{series_id}/slice/{index}.{form}", response_class=Response, responses=PICTURES)
def give_slice(
    request: Request,
    series_id: Place,
    index: Number,
    form: PictureFormat,
    _: Reading,
    plane: Annotated[
        Plane | None, Query(description="Of the slices; by default one that the model reads.")
    ] = None,
    size: Annotated[
        int | None, Query(ge=16, le=MAX_THUMBNAIL, description="Pixels of the longest side.")
    ] = None,
) -> Response:
    """Give one slice, upright with square pixels, in the window of the scan."""
    view = find_series(request, series_id)
    try:
        scan = open_scan(request, view)
        stack = find_stack(scan, plane)
        if index >= stack.n_slices:
            raise ValueError(
                f"there are {stack.n_slices} {stack.plane.value} slices, and none of number {index}."
            )
        content = encode(draw_slice(scan, stack.plane, index), form, longest=size)
    except (GadoscopeError, ValueError) as error:
        raise _no_picture(error) from None
    return Response(content, media_type=form.media_type, headers={"Cache-Control": KEPT})


@router.get(
    "/series/{series_id}/explanation", response_model=Explanation, responses={**KNOWN, **problems(404)}
)
def explain_series(request: Request, series_id: Place, _: Reading) -> Response:
    """Say what in which slice argued for which phase, by the model that is served, in a second or two."""
    slices = [
        SliceEvidence(
            probability=one.probability,
            strongest=float(one.evidence.flat[np.abs(one.evidence).argmax()]),
            picture=f"{request.url.path}/{number}.png",
        )
        for number, one in enumerate(_find_evidence(request, series_id))
    ]
    return respond(request, Explanation(model=request.app.state.classifier.bundle.model_id, slices=slices))


@router.get("/series/{series_id}/explanation/{index}.png", response_class=Response, responses=PICTURES)
def give_explanation(request: Request, series_id: Place, index: Number, _: Reading) -> Response:
    """Give one slice that the model read as it saw it, tinted by what argued for which phase."""
    found = _find_evidence(request, series_id)
    if index >= len(found):
        raise _no_picture(ValueError(f"the model reads {len(found)} slices, and none of number {index}."))
    content = draw_evidence(found, index)
    return Response(content, media_type=PictureFormat.PNG.media_type, headers={"Cache-Control": KEPT})


def _find_evidence(request: Request, number: int) -> tuple[ExplainedSlice, ...]:
    view = find_series(request, number)
    try:
        scan = open_scan(request, view)
        return find_evidence(request, view, scan)
    except (GadoscopeError, ValueError) as error:
        raise _no_picture(error) from None


def _no_picture(error: Exception) -> Problem:
    """Return why there is none: files that have moved since leave the row, and no picture."""
    kind = error.reason.replace("_", "-") if isinstance(error, InputError) else "no-picture"
    return Problem(404, kind, explain(error))
