from pathlib import Path

import pytest

from gadoscope.errors import OutputError
from gadoscope.evaluation.openings import OPENINGS_NAME, read_openings
from gadoscope.evaluation.test_log import describe_opening, record_opening

FIGURES = {name: {"value": 0.5} for name in ("accuracy", "sensitivity", "specificity", "auc")}


def opening(time: str) -> dict[str, object]:
    return describe_opening(time, "c" * 64, 12, FIGURES)


def test_each_opening_is_a_line_and_the_oldest_comes_first(tmp_path: Path) -> None:
    for time in ("2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"):
        record_opening(tmp_path, opening(time))

    found = read_openings(tmp_path)

    assert [one["time"][:10] for one in found] == ["2026-01-01", "2026-01-02"]
    assert found[0] == opening("2026-01-01T00:00:00+00:00")


def test_a_run_that_was_never_opened_has_none(tmp_path: Path) -> None:
    assert read_openings(tmp_path) == []


def test_a_line_that_was_cut_short_counts_and_the_next_stands_alone(tmp_path: Path) -> None:
    (tmp_path / OPENINGS_NAME).write_text('{"time": "2026-01-0')
    record_opening(tmp_path, opening("2026-01-02T00:00:00+00:00"))

    assert [one["time"] for one in read_openings(tmp_path)] == [None, "2026-01-02T00:00:00+00:00"]


def test_a_test_that_cannot_be_counted_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / OPENINGS_NAME).mkdir()

    with pytest.raises(OutputError, match="the opening of a sealed test must be recorded"):
        record_opening(tmp_path, opening("2026-01-02T00:00:00+00:00"))


def test_an_opening_that_says_odd_things_counts_with_what_is_sound(tmp_path: Path) -> None:
    (tmp_path / OPENINGS_NAME).write_text('{"time": 3, "bundle_sha256": [], "accuracy": NaN, "auc": 0.5}\n')
    (opening,) = read_openings(tmp_path)
    assert (opening["time"], opening["bundle_sha256"], opening["accuracy"], opening["auc"]) == (
        None, None, None, 0.5,
    )  # fmt: skip
