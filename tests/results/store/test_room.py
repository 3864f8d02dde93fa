"""The review room's side of a store: the order of the queue, its pages, and decisions that are never lost."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gadoscope.errors import GadoscopeError, UsageError
from gadoscope.labels import NO_PRE_CONTRAST, Phase, SeriesResult, Status, Verdict, without_picture
from gadoscope.results.store.looks import Look
from gadoscope.results.store.queue import QueueQuery
from gadoscope.results.store.reviews import Decision
from gadoscope.results.store.room import Room
from tests.support.stored import ANSWERED, FAILED, NAME, REFUSED, begin, keep

SILENT = replace(without_picture(ANSWERED), agreement="silent", warnings=())


def answered(name: str, probability: float, **changes: Any) -> SeriesResult:
    """Return a row that is no conflict."""
    phase = Phase.POST_CONTRAST if probability >= 0.5 else Phase.PRE_CONTRAST
    said: dict[str, Any] = {
        "path": f"a/{name}",
        "probability": probability,
        "phase": phase,
        "series_instance_uid": name,
    }
    return replace(SILENT, **{**said, **changes})


ROWS = {
    "sure1": answered("sure1", 0.999),
    "sure2": answered("sure2", 0.001),
    "near": answered("near", 0.6),
    "nearer": answered("nearer", 0.45),
    "refused": replace(REFUSED, path="a/refused"),
    "silent": answered(
        "silent", 0.5, status=Status.INDETERMINATE, phase=Phase.INDETERMINATE, reason="band: x."
    ),
    "weak conflict": answered("weak conflict", 0.6, agreement="conflict"),
    "strong conflict": answered("strong conflict", 0.99, agreement="conflict"),
    "study": answered("study", 0.8, warnings=(NO_PRE_CONTRAST,)),
}


@pytest.fixture
def room(url: str) -> Iterator[Room]:
    """Return a room with one series of each kind."""
    with begin(url) as store:
        for digest, row in ROWS.items():
            keep(store, digest, [row])
        store.settle(None, [FAILED], "")
    with Room(url) as room:
        yield room


def names(room: Room, query: QueueQuery | None = None, n: int = 50) -> list[str]:
    """Return the names of all that a queue shows, page by page."""
    seen, cursor = [], None
    while True:
        page = room.queue(query, cursor, n)
        seen += [item.result.path.removeprefix("a/") for item in page.items]
        cursor = page.next
        if cursor is None:
            return seen


def place_of(room: Room, name: str) -> int:
    """Return the number of a place."""
    return next(one.place for one in room.queue().items if one.result.path == f"a/{name}")


def say(verdict: str, reader: str, token: str, **more: Any) -> Decision:
    """Return a decision."""
    return Decision(verdict=Verdict(verdict), reader=reader, token=token, **more)


def decide(room: Room, name: str, verdict: str, reader: str = "ann", as_: str = "") -> str:
    """Return the token of a decision that is made."""
    token = as_ or f"{reader}-{name}-{verdict}-{len(room.history(place_of(room, name)))}"
    return room.decide(place_of(room, name), say(verdict, reader, token)).token


def test_what_a_look_is_worth_most_for_comes_first(room: Room) -> None:
    seen = names(room)
    assert seen[:6] == ["strong conflict", "study", "weak conflict", "silent", "nearer", "near"]
    assert set(seen[6:8]) == {"sure1", "sure2"}
    assert seen[8:] == ["refused", "3.png"]
    looks = [item.look for item in room.queue().items]
    assert looks == sorted(looks)
    assert names(room, QueueQuery(look="audit")) == seen[6:8]


@pytest.mark.parametrize("n", [1, 3, 10])
def test_pages_are_the_whole_queue_in_its_order(room: Room, n: int) -> None:
    assert names(room, n=n) == names(room)
    assert room.queue(n=n).total == len(ROWS) + 1


def test_neighbours_and_positions_are_those_of_the_queue(room: Room) -> None:
    places = [item.place for item in room.queue().items]
    for index, place in enumerate(places):
        found = room.neighbours(place)
        assert found.previous == (places[index - 1] if index else None)
        assert found.next == (places[index + 1] if index + 1 < len(places) else None)
        assert room.position(place) == index
    for index in (7, 2, 2, 9, 0):  # from wherever the last one was
        assert room.position(places[index]) == index


def test_the_next_is_found_from_what_is_no_longer_in_the_queue(room: Room) -> None:
    query = QueueQuery(reviewed="not_by", reader="ann")
    before = names(room, query)
    decide(room, before[1], "pre")
    after = names(room, query)
    assert after == [before[0], *before[2:]]
    found = room.neighbours(place_of(room, before[1]), query)
    assert (found.previous, found.next) == (place_of(room, before[0]), place_of(room, before[2]))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"status": "refused"}, ["refused"]),
        ({"reason": "band"}, ["silent"]),
        ({"agreement": "conflict"}, ["strong conflict", "weak conflict"]),
        ({"is_contradicted": True}, ["study"]),
        ({"probability_at_least": 0.5, "probability_at_most": 0.6}, ["weak conflict", "silent", "near"]),
        ({"model": "tiny", "look": "uncertain"}, ["nearer", "near"]),
        ({"source": "a/near"}, ["near"]),
        ({"source": "a/nea"}, []),
    ],
)
def test_a_queue_is_narrowed(room: Room, asked: dict[str, object], expected: list[str]) -> None:
    query = QueueQuery(**asked)  # type: ignore[arg-type]
    assert names(room, query) == expected
    assert room.queue(query).total == len(expected)


def test_a_decision_that_is_sent_twice_counts_once(room: Room) -> None:
    decide(room, "near", "post", as_="t1")
    assert decide(room, "near", "post", as_="t1") == "t1"
    (only,) = room.history(place_of(room, "near"))
    assert (only.verdict, only.reader, only.model, only.is_withdrawn) == (Verdict.POST, "ann", NAME, False)
    for changed in ({"name": "sure1", "verdict": "post"}, {"name": "near", "verdict": "pre"}):
        with pytest.raises(UsageError, match="is that of another decision"):
            decide(room, **changed, as_="t1")


def test_the_last_decision_of_each_reader_holds_and_all_are_kept(room: Room) -> None:
    decide(room, "near", "post")
    decide(room, "near", "pre", "bob")
    decide(room, "near", "mixed")
    item = next(one for one in room.queue().items if one.result.path == "a/near")
    assert item.verdicts == {"ann": Verdict.MIXED, "bob": Verdict.PRE}
    assert [one.verdict.value for one in room.history(item.place)] == ["post", "pre", "mixed"]


def test_what_is_taken_back_gives_way_to_the_decision_before(room: Room) -> None:
    first = decide(room, "near", "post")
    second = decide(room, "near", "pre")
    gone = room.withdraw("w1", second, "ann")
    assert (gone.withdraws, gone.reader) == (second, "ann")
    assert room.withdraw("w1", second, "ann") == gone
    assert room.queue(QueueQuery(reviewed="by", reader="ann")).items[0].verdicts == {"ann": Verdict.POST}
    room.withdraw("w2", first, "ann")
    assert names(room, QueueQuery(reviewed="anybody")) == []
    assert [one.is_withdrawn for one in room.history(place_of(room, "near"))] == [True, True, False, False]


def test_only_ones_own_decision_is_taken_back_and_once(room: Room) -> None:
    token = decide(room, "near", "post")
    with pytest.raises(UsageError, match="'bob' made no decision"):
        room.withdraw("w", token, "bob")
    with pytest.raises(UsageError, match="made no decision 'x'"):
        room.withdraw("w", "x", "ann")
    room.withdraw("w", token, "ann")
    with pytest.raises(UsageError, match="was taken back before"):
        room.withdraw("w3", token, "ann")
    with pytest.raises(UsageError, match="takes a decision back"):
        room.withdraw("w4", "w", "ann")


def test_a_queue_knows_who_decided_and_what_is_in_dispute(room: Room) -> None:
    decide(room, "near", "post")
    decide(room, "near", "pre", "bob")
    decide(room, "silent", "pre", "bob")
    decide(room, "sure1", "post")
    decide(room, "sure1", "post", "bob")
    assert names(room, QueueQuery(reviewed="dispute")) == ["near"]
    assert names(room, QueueQuery(reviewed="by", reader="ann")) == ["near", "sure1"]
    assert names(room, QueueQuery(reviewed="by", reader="bob")) == ["silent", "near", "sure1"]
    assert names(room, QueueQuery(reviewed="anybody")) == ["silent", "near", "sure1"]
    unseen = names(room, QueueQuery(reviewed="nobody"))
    assert len(unseen) == len(ROWS) - 2
    assert not {"near", "silent", "sure1"} & set(unseen)


def test_two_readers_at_once_are_both_kept(room: Room) -> None:
    place = place_of(room, "near")

    def press(reader: str) -> None:
        for number in range(20):
            room.decide(place, say("pre", reader, f"{reader}-{number}"))

    threads = [threading.Thread(target=press, args=(name,)) for name in ("ann", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tokens = {one.token for one in room.history(place)}
    assert tokens == {f"{name}-{number}" for name in ("ann", "bob") for number in range(20)}


def test_a_series_is_shown_with_its_models_its_study_and_its_history(room: Room, url: str) -> None:
    other = replace(ROWS["near"], phase=Phase.PRE_CONTRAST, probability=0.3, model="other@ffffffff")
    with begin(url, model="ff" * 32, name="other@ffffffff") as store:
        keep(store, "near", [other])
    decide_at = next(
        one.place for one in room.queue(QueueQuery(model="tiny")).items if one.result == ROWS["near"]
    )
    room.decide(decide_at, say("pre", "ann", "t", model="tiny", is_blind=True))
    view = room.series(decide_at)
    assert (view.path, view.is_gone, view.digest) == ("a/near", False, "near")
    assert [(one.model, one.rows) for one in view.answers] == [
        ("other@ffffffff", (other,)),
        (NAME, (ROWS["near"],)),
    ]
    assert [(one.model, one.is_blind) for one in view.history] == [(NAME, True)]
    siblings = {one.result.path for one in view.siblings}
    assert siblings == {row.path for row in ROWS.values() if row.study_instance_uid} - {"a/near"}
    assert names(room, QueueQuery(model="tiny", differs_from="other")) == ["near"]


@pytest.mark.parametrize("cursor", ["", "x", "W10", "WzEsMiwzLDRd", "bnVsbA", "WyJhIiwxLDJd", "ü"])
def test_what_is_no_cursor_is_a_sentence(room: Room, cursor: str) -> None:
    with pytest.raises(UsageError, match="no cursor of this store"):
        room.queue(after_cursor=cursor)


def test_what_is_not_there_is_a_sentence(room: Room) -> None:
    with pytest.raises(UsageError, match="no series number 999"):
        room.series(999)
    with pytest.raises(UsageError, match="no series number 999"):
        room.decide(999, say("pre", "a", "t"))
    with pytest.raises(UsageError, match="no model 'none'"):
        room.queue(QueueQuery(model="none"))
    with pytest.raises(UsageError, match="a page has 1 to"):
        room.queue(n=0)


@pytest.mark.parametrize("wrong", [{"token": "a b"}, {"token": ""}, {"reader": " "}, {"note": "n" * 3000}])
def test_a_decision_without_a_name_or_a_token_is_none(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        Decision(**{"verdict": Verdict.PRE, "reader": "ann", "token": "t", **wrong})  # type: ignore[arg-type]


def test_a_room_without_a_store_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no store"):
        Room(str(tmp_path / "none.db"))
    with pytest.raises(GadoscopeError, match="cannot be reached"):
        Room("postgresql://u@127.0.0.1:1/d")


def test_totals_are_what_the_pages_hold_also_after_decisions_and_runs(room: Room, url: str) -> None:
    queries = [
        None,
        *(QueueQuery(reviewed=one, reader="ann") for one in ("by", "not_by", "anybody", "nobody", "dispute")),
    ]

    def check() -> None:
        for query in queries:
            assert room.queue(query, n=1).total == len(names(room, query, n=500))

    check()
    decide(room, "near", "post")
    decide(room, "near", "pre", "bob")
    check()
    room.withdraw("w", decide(room, "silent", "post"), "ann")
    with begin(url) as store:
        keep(store, "new", [answered("new", 0.7)])
        keep(store, "other", [replace(ROWS["near"], path="a/sure1")])
    check()
    assert room.queue().total == len(ROWS) + 2


def test_a_file_or_a_folder_is_found_by_its_path(room: Room) -> None:
    assert room.find_place("a/near") == place_of(room, "near")
    first = room.find_place("a")
    assert first == min(item.place for item in room.queue().items)
    assert (room.find_place("a/nea"), room.find_place("b")) == (None, None)


def test_an_overview_counts_every_series_once_in_each_of_its_tables(room: Room) -> None:
    seen = room.overview()
    assert dict(seen.all.kinds) == {"post": 5, "pre": 2, "indeterminate": 1, "refused": 1, "failed": 1}
    assert (seen.all.silence, seen.all.conflicts) == ((1, 8), (2, 2))
    assert seen.by_look[Look.CONFLICT] == 3
    for tallies in (seen.by_plane, seen.by_source, seen.by_scanner, seen.by_month):
        assert sum(tally.n for tally in tallies.values()) == len(ROWS) + 1
    assert {name: tally.n for name, tally in seen.by_plane.items()} == {"axial": 8, "unknown": 2}
    assert list(seen.by_source) == ["a"]
    narrowed = room.overview(QueueQuery(agreement="conflict"))
    assert (narrowed.all.n, narrowed.all.conflict) == (2, 2)


def test_two_readers_are_held_against_each_other_by_what_holds_of_each(room: Room) -> None:
    decide(room, "near", "pre")
    decide(room, "near", "post")
    decide(room, "near", "pre", "bob")
    decide(room, "sure1", "post")
    decide(room, "sure1", "post", "bob")
    decide(room, "silent", "unsure", "bob")
    decide(room, "study", "pre", "eve")
    decide(room, "study", "post")
    place = place_of(room, "nearer")
    for reader in ("ann", "bob"):
        room.decide(place, say("mixed", reader, f"blind-{reader}", is_blind=True))
    pre, post, mixed = Verdict.PRE, Verdict.POST, Verdict.MIXED
    assert room.agreement("ann", "bob") == {(post, pre): 1, (post, post): 1, (mixed, mixed): 1}
    assert room.agreement("ann", "bob", is_blind=True) == {(mixed, mixed): 1}
    assert [(one.name, one.n_decided) for one in room.readers()] == [("ann", 4), ("bob", 4), ("eve", 1)]
    pair = QueueQuery(reviewed="dispute", reader="ann", other_reader="bob")
    assert names(room, pair) == ["near"]
    assert names(room, QueueQuery(reviewed="dispute")) == ["study", "near"]
