"""The queue: what to look at, in the order in which a look is worth most."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gadoscope.errors import UsageError
from gadoscope.results.store.queue import Page, QueueQuery
from gadoscope.web.room.filters import read_filters, write_filters
from gadoscope.web.room.rendering import respond

router = APIRouter()
PAGE_SERIES = 50
NOTHING = Page(items=(), next=None, total=0)


@router.get("/queue")
def show_queue(request: Request) -> HTMLResponse:
    """Show a page of the queue."""
    params = request.query_params
    problem = ""
    asked, listed = QueueQuery(), NOTHING
    try:
        asked = read_filters(params, request.state.reader)
        listed = request.app.state.room.queue(asked, params.get("after") or None, PAGE_SERIES)
    except UsageError as error:
        problem = str(error)
    return respond(
        request,
        "queue",
        status=400 if problem else 200,
        asked=asked,
        listed=listed,
        query_string=write_filters(params),
        problem=problem,
    )
