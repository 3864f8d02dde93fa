"""Two models on the same archive: the series on which they differ."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gadoscope.errors import UsageError
from gadoscope.results.store.queue import QueueQuery
from gadoscope.web.room.filters import read_filters, write_filters
from gadoscope.web.room.queue import NOTHING, PAGE_SERIES
from gadoscope.web.room.rendering import respond

router = APIRouter()


@router.get("/compare")
def compare(request: Request) -> HTMLResponse:
    """Show where two models differ; the last two that were run where none is named."""
    room = request.app.state.room
    models = list(dict.fromkeys(run.model for run in reversed(room.runs())))
    params = dict(request.query_params)
    for name, number in (("model", 0), ("differs_from", 1)):
        if not params.get(name) and len(models) > number:
            params[name] = models[number]
    listed, problem = NOTHING, ""
    try:
        asked = read_filters(params, request.state.reader)
        if asked.differs_from is not None:
            listed = room.queue(asked, params.get("after") or None, PAGE_SERIES)
    except UsageError as error:
        asked, problem = QueueQuery(), str(error)
    return respond(
        request,
        "compare",
        status=400 if problem else 200,
        models=models,
        model=params.get("model", ""),
        other=params.get("differs_from", ""),
        listed=listed,
        query_string=write_filters(params),
        problem=problem,
    )
