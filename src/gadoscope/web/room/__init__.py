"""The review room: pages to look at what the machine left, and to decide by keys."""

from fastapi import APIRouter

from gadoscope.web.room import agreement, archive, compare, decisions, look, queue, series, slices

router = APIRouter()
for _part in (look, archive, queue, series, slices, decisions, compare, agreement):
    router.include_router(_part.router)
