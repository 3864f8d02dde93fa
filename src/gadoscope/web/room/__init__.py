"""Pages where a person looks at what the machine left, and decides by single keys."""

from fastapi import APIRouter

from gadoscope.web.room import agreement, archive, compare, data_sets, decisions, look, queue, series, slices

router = APIRouter()
for _part in (look, archive, queue, series, slices, decisions, compare, agreement, data_sets):
    router.include_router(_part.router)
