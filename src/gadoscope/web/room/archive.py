"""The archive at a glance: what was answered, where the machine is silent, and where headers object."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gadoscope.results.store.overview import Share, Tally
from gadoscope.results.store.queue import QueueQuery
from gadoscope.results.store.room import Room
from gadoscope.statistics.intervals import Interval, wilson_of_share
from gadoscope.web.room.rendering import respond

router = APIRouter()
COMMANDS = """gadoscope results {store} --reviews --manifest labels.csv
gadoscope train --data labels.csv --output next
gadoscope evaluate next --data labels.csv --output report"""


@dataclass(frozen=True)
class Group:
    """Series that have a word in common."""

    word: str
    shown: str
    tally: Tally


@router.get("/")
def show_archive(request: Request) -> HTMLResponse:
    """Show what a store holds of the model that was run last."""
    room: Room = request.app.state.room
    shows_paths = request.app.state.settings.show_identity
    runs = room.runs()
    overview = room.overview()
    tables = [
        ("plane", "plane", _list_groups(overview.by_plane)),
        ("source", "source", _list_groups(overview.by_source, hides=not shows_paths)),
        ("scanner", "scanner", _list_groups(overview.by_scanner)),
        ("month", "month", _list_groups(overview.by_month)),
    ]
    return respond(
        request,
        "archive",
        tally=overview.all,
        n_reviewed=room.queue(QueueQuery(reviewed="anybody"), None, 1).total,
        model=runs[-1].model if runs else None,
        interval_of=_find_interval,
        tables=[one for one in tables if any(group.word for group in one[2])],
        commands=COMMANDS.format(store=room.address.shown),
    )


def _list_groups(tallies: Mapping[str, Tally], *, hides: bool = False) -> list[Group]:
    """Return groups as a table shows them; where words may name a patient, they have a number."""
    numbered = enumerate(tallies.items(), start=1)
    return [
        Group(word, f"source {number}" if hides and word else word, tally)
        for number, (word, tally) in numbered
    ]


def _find_interval(share: Share) -> Interval:
    """Return the 95 % interval of a share; each series counts as one by itself."""
    return wilson_of_share(share.n / share.of, share.of)
