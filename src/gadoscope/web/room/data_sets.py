"""Labelled data sets: wrong answers of `evaluate`, and suspected labels, opened in the same room."""

import os
from itertools import chain

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from gadoscope.errors import UsageError
from gadoscope.results.store.room import Room
from gadoscope.web.cases import CaseTable, read_cases
from gadoscope.web.room.rendering import respond

router = APIRouter()
SEE_OTHER = 303


@router.get("/data-sets")
def show_data_sets(request: Request) -> HTMLResponse:
    """Show the cases of each folder that is served with the store."""
    tables, problem = _read(request)
    return respond(request, "data_sets", status=400 if problem else 200, tables=tables, problem=problem)


@router.get("/data-sets/{number:int}/{row:int}")
def open_case(request: Request, number: int, row: int) -> Response:
    """Lead to the series of a case, where the store knows the file."""
    tables, problem = _read(request)
    if number >= len(tables) or row >= len(tables[number].cases):
        return respond(
            request, "missing", page="data_sets", status=404, problem=problem or "there is no such case."
        )
    place = _find_place(request.app.state.room, tables[number].cases[row].path)
    if place is None:
        said = "This file is not in the store; `gadoscope classify` its folder with --store, and it is."
        return respond(request, "missing", page="data_sets", status=404, problem=said)
    return RedirectResponse(f"/series/{place}", SEE_OTHER)


def _read(request: Request) -> tuple[list[CaseTable], str]:
    try:
        return list(chain.from_iterable(map(read_cases, request.app.state.settings.cases))), ""
    except UsageError as error:
        return [], str(error)


def _find_place(room: Room, path: str) -> int | None:
    """Return where a file lies in a store: as it is named, or by its whole path."""
    for name in dict.fromkeys((path, os.path.abspath(path))):  # noqa: PTH100 — of text
        place = room.find_place(name)
        if place is not None:
            return place
    return None
