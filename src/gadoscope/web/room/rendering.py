"""Pages of the room: one frame, the look of every report, and no script or style inside."""

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from gadoscope import wording
from gadoscope.evidence.state import HeaderState
from gadoscope.report.page import render_page
from gadoscope.version import __version__
from gadoscope.web.assets import asset_url
from gadoscope.web.room.look import look_url

BLIND_COOKIE = "gadoscope-blind"
LOOKS = {
    "conflict": "contradiction",
    "undecided": "no answer",
    "uncertain": "least certain",
    "audit": "sure: a sample",
    "refused": "refused",
    "unread": "cannot be read",
}
"""Of `gadoscope.results.store.looks.Look`, why a series is worth a look."""
HEADER_STATES = {
    HeaderState.SILENT.value: "nothing of contrast",
    HeaderState.ADMINISTERED.value: "contrast was given",
    HeaderState.NOT_ADMINISTERED.value: "no contrast was given",
}
"""As an end of "the header says"."""
CONTRADICTS_ITSELF = "nothing clear: it contradicts itself"
"""In their place where a header that is silent is quoted."""


_HELPERS = {
    "asset_url": asset_url,
    "plural": wording.plural,
    "whole": wording.whole,
    "percent": wording.percent,
    "looks": LOOKS,
    "header_of": HEADER_STATES,
}


def respond(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page of `templates/room`."""
    page = render_page(
        "gadoscope.web",
        f"room/{template}.html",
        _HELPERS,
        page=values.pop("page", template),
        reader=request.state.reader,
        is_blind=request.cookies.get(BLIND_COOKIE) == "1",
        look_url=look_url(),
        version=__version__,
        show_identity=request.app.state.settings.show_identity,
        **values,
    )
    return HTMLResponse(page, status)
