"""The style of the room: that of every report, and the room's own rules after it."""

import hashlib
from functools import cache

from fastapi import APIRouter, Response

from gadoscope.report.page import render_page

router = APIRouter()
_FOR_A_YEAR = "private, max-age=31536000, immutable"
_DIGITS = 12


@cache
def render_look() -> str:
    """Return the style as CSS."""
    return render_page("gadoscope.web", "room/room.css", {})


def look_url() -> str:
    """Return its address: with its digest, so that it may be kept for ever."""
    return f"/look.css?v={hashlib.sha256(render_look().encode()).hexdigest()[:_DIGITS]}"


@router.get("/look.css")
def give_look() -> Response:
    """Give the style."""
    return Response(render_look(), media_type="text/css", headers={"Cache-Control": _FOR_A_YEAR})
