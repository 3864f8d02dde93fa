"""Pictures of a series: slices in three planes, what argued for which phase, and the volume for a viewer."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from gadoscope.classification.explained import ExplainedSlice
from gadoscope.errors import GadoscopeError, InputError, UsageError
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.labels import Plane
from gadoscope.results.store.series_view import SeriesView
from gadoscope.web.evidence import Evidence
from gadoscope.web.opened import Scan, Scans, Stack, Where
from gadoscope.web.pictures import MAX_THUMBNAIL, draw_sentence, draw_slice, encode, encode_tint, to_nifti
from gadoscope.web.room.rendering import respond
from gadoscope.web.room.series import find_answer, name_version

router = APIRouter()
KEPT = "private, max-age=3600"
"""The address of a picture names the content: for an hour the browser need not ask again."""
ASKED_AGAIN = "no-store"
SVG = "image/svg+xml"
Index = Annotated[int | None, Query(ge=0)]
Size = Annotated[int | None, Query(ge=16, le=MAX_THUMBNAIL)]


@router.get("/series/{place:int}/stacks")
def give_stacks(request: Request, place: int) -> JSONResponse:
    """Give what a viewer needs to know: planes, numbers of slices, which were read, black and white."""
    view = _find(request, place)
    try:
        scan = open_scan(request, view)
    except GadoscopeError as error:
        return JSONResponse({"error": explain(error)}, headers={"Cache-Control": ASKED_AGAIN})
    content = {
        "version": name_version(view),
        "stacks": {plane.value: _to_plain(stack) for plane, stack in scan.stacks.items()},
        "limits": scan.limits,
        "notes": scan.notes,
        "n_volumes": scan.n_volumes,
        "is_volume": scan.volume is not None and scan.own.n_slices > 1,
    }
    return JSONResponse(content, headers={"Cache-Control": ASKED_AGAIN})


@router.get("/series/{place:int}/slice")
def give_slice(
    request: Request,
    place: int,
    plane: Plane | None = None,
    index: Index = None,
    low: float | None = None,
    high: float | None = None,
    size: Size = None,
) -> Response:
    """Give one slice as PNG; the middle of those that were read where none is named."""
    try:
        scan = open_scan(request, _find(request, place))
        stack = find_stack(scan, plane)
        window = None if low is None or high is None else (low, high)
        chosen = _middle(stack) if index is None else index
        content = encode(draw_slice(scan, stack.plane, chosen, window), longest=size)
    except (GadoscopeError, ValueError) as error:
        return _show_sentence(error)
    return _give(content)


@router.get("/series/{place:int}/evidence")
def give_evidence(request: Request, place: int, plane: Plane | None = None, index: Index = None) -> Response:
    """Give a slice that was read as the network saw it, tinted by occlusion."""
    try:
        view = _find(request, place)
        scan = open_scan(request, view)
        found = find_evidence(request, view, scan)
        content = draw_evidence(found, min(_number(scan, plane, index), len(found) - 1))
    except (GadoscopeError, ValueError) as error:
        return _show_sentence(error)
    return _give(content)


@router.get("/series/{place:int}/volume.nii.gz")
def give_volume(request: Request, place: int) -> Response:
    """Give the volume as NIfTI."""
    try:
        scan = open_scan(request, _find(request, place))
        if scan.volume is None:
            raise ValueError("a lone picture is no volume.")
        content = to_nifti(scan.hold())
    except (GadoscopeError, ValueError) as error:
        return _show_sentence(error)
    return Response(content, media_type="application/gzip", headers={"Cache-Control": KEPT})


@router.get("/series/{place:int}/volume")
def show_volume(request: Request, place: int) -> HTMLResponse:
    """Show the volume in three planes and rendered, by NiiVue."""
    return respond(request, "volume", page="series", view=_find(request, place))


def _find(request: Request, place: int) -> SeriesView:
    view: SeriesView = request.app.state.room.series(place)
    return view


def open_scan(request: Request, view: SeriesView) -> Scan:
    """Return the scan of a series, opened, or as it was opened before.

    Raises
    ------
    InputError
        If its files have moved, or cannot be read.
    """
    answer = find_answer(view)
    rows = answer.rows if answer else ()
    where = Where(
        place=view.place,
        path=view.path,
        series_instance_uid=next((row.series_instance_uid for row in rows), None),
        answered_at=answer.answered_at if answer else "",
    )
    scans: Scans = request.app.state.scans
    return scans.open(where, _find_policy(request, answer.model if answer else ""))


def _find_policy(request: Request, model: str) -> SlicePolicy | None:
    """Return which slices a model reads; ``None`` where it is not the one that is served."""
    bundle = request.app.state.classifier.session.bundle
    return bundle.metadata.slice_policy if bundle.model_id == model else None


def find_evidence(request: Request, view: SeriesView, scan: Scan) -> tuple[ExplainedSlice, ...]:
    """Return the slices of a series that the served model reads, with what in them argued for which phase.

    Raises
    ------
    ValueError
        If it is a lone picture.
    InputError
        If the model reads none.
    """
    if scan.volume is None:
        raise ValueError("of a lone picture the evidence is shown by `gadoscope explain`.")
    evidence: Evidence = request.app.state.evidence
    return evidence.find(f"{view.digest} {scan.n_volumes}", scan.volume)


def draw_evidence(found: Sequence[ExplainedSlice], index: int) -> bytes:
    """Return one of some slices as PNG, tinted; the strongest evidence in any of them has the full colour."""
    strongest = max(float(np.abs(one.evidence).max()) for one in found)
    return encode_tint(found[index].pixels, found[index].evidence, strongest)


def find_stack(scan: Scan, plane: Plane | None) -> Stack:
    """Return the stack of a plane; where none is named, one that was read."""
    if plane is not None:
        if plane not in scan.stacks:
            raise ValueError(f"this scan has no {plane.value} slices.")
        return scan.stacks[plane]
    return next((one for one in scan.stacks.values() if one.read), scan.own)


def _middle(stack: Stack) -> int:
    return stack.read[len(stack.read) // 2] if stack.read else stack.n_slices // 2


def _number(scan: Scan, plane: Plane | None, index: int | None) -> int:
    """Return which of the slices that were read, over all planes, a slice is, or the nearest one."""
    stack, before = find_stack(scan, plane), 0
    for one in scan.stacks.values():
        if one.plane is stack.plane:
            break
        before += len(one.read)
    if not stack.read:
        raise ValueError("the model that is served reads no slice of this plane.")
    at = _middle(stack) if index is None else index
    return before + min(range(len(stack.read)), key=lambda number: abs(stack.read[number] - at))


def _to_plain(stack: Stack) -> dict[str, object]:
    return {
        "plane": stack.plane.value,
        "n": stack.n_slices,
        "read": stack.read,
        "first_mm": stack.first_mm,
        "step_mm": stack.step_mm,
        "is_own": stack.is_own,
    }


def _give(content: bytes) -> Response:
    return Response(content, media_type="image/png", headers={"Cache-Control": KEPT})


def _show_sentence(error: Exception) -> Response:
    """Return a picture of why there is none; browsers show it although its status is that of an error."""
    status = 404 if isinstance(error, (InputError, UsageError)) else 400
    return Response(
        draw_sentence(explain(error)), status, media_type=SVG, headers={"Cache-Control": ASKED_AGAIN}
    )


def explain(error: Exception) -> str:
    """Return why there is no picture, in one sentence."""
    return error.sentence if isinstance(error, InputError) else str(error)
