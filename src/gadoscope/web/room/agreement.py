"""Two readers on the same series: how far they agree, and where they do not."""

from collections import Counter
from urllib.parse import urlencode

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gadoscope.labels import Verdict
from gadoscope.results.store.room import Room
from gadoscope.statistics.kappa import estimate_kappa
from gadoscope.web.room.rendering import respond

router = APIRouter()


@router.get("/agreement")
def show_agreement(request: Request) -> HTMLResponse:
    """Show how far two readers agree; the first two where none is named."""
    room: Room = request.app.state.room
    readers = [reader.name for reader in room.readers()]
    asked = request.query_params
    one, other = (
        asked.get(name) or (readers[number] if len(readers) > number else "")
        for number, name in enumerate(("one", "other"))
    )
    is_blind = asked.get("blind") == "1"
    counts: Counter[tuple[str, str]] = Counter()
    if len(readers) > 1 and one != other:
        counts.update(room.agreement(one, other, is_blind=is_blind))
    table = np.array([[counts[first, second] for second in Verdict] for first in Verdict])
    return respond(
        request,
        "agreement",
        readers=readers,
        one=one,
        other=other,
        is_only_blind=is_blind,
        counts=counts,
        n=int(table.sum()),
        n_same=int(np.trace(table)),
        kappa=estimate_kappa(table) if table.any() else None,
        disputes=urlencode({"reviewed": "dispute", "reader": one, "other_reader": other}),
    )
