"""Points in time, as people write them: read in one way wherever they are asked for."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gadoscope.errors import UsageError
from gadoscope.moments import parse_moment
from gadoscope.results.store.query import Query


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this machine be nine hours ahead of UTC."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system takes a process's time zone from nobody")
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-30", "2026-11-29T15:00:00Z"),
        ("2026-11-30T22:00", "2026-11-30T13:00:00Z"),
        ("2026-11-30T22:00Z", "2026-11-30T22:00:00Z"),
        ("2026-11-30T22:00+01:00", "2026-11-30T21:00:00Z"),
    ],
)
def test_a_time_without_a_zone_is_this_machines_for_a_run_and_for_what_is_asked_of_its_store(
    text: str, moment: str
) -> None:
    assert parse_moment(text, "--since") == datetime.fromisoformat(moment)
    assert Query(since=text, until=text).since == moment


@pytest.mark.parametrize(("text", "ago"), [("90m", timedelta(minutes=90)), ("2w", timedelta(weeks=2))])
def test_a_span_is_so_long_ago(text: str, ago: timedelta) -> None:
    assert abs(datetime.now(UTC) - ago - parse_moment(text, "--since")) < timedelta(minutes=1)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "999999w", "", "36 h ago"])
def test_what_is_no_moment_is_refused_with_what_is_one(text: str) -> None:
    with pytest.raises(UsageError, match="is no moment; write a date"):
        parse_moment(text, "--since")
