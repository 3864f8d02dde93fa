"""The ledger: no input disappears."""

from gadoscope.labels import SeriesResult, Status
from gadoscope.results.ledger import Ledger, reason_code


def test_the_ledger_names_every_status_and_adds_up() -> None:
    ledger = Ledger()
    for status, n in (
        (Status.ANSWERED, 9),
        (Status.INDETERMINATE, 1),
        (Status.REFUSED, 1),
        (Status.FAILED, 1),
    ):
        for _ in range(n):
            ledger.add(SeriesResult(path="x", status=status))
    assert str(ledger) == "inputs 12 = answered 9 + indeterminate 1 + refused 1 + failed 1"
    assert ledger.n_failed == 1


def test_an_empty_ledger_is_all_zeros() -> None:
    assert str(Ledger()) == "inputs 0 = answered 0 + indeterminate 0 + refused 0 + failed 0"


def test_reasons_are_counted_by_status_the_most_frequent_first() -> None:
    ledger = Ledger()
    for reason in ("truncated: a", "empty_file: b", "truncated: c", "missing: d"):
        ledger.add(SeriesResult(path="x", status=Status.FAILED, reason=reason))
    ledger.add(SeriesResult(path="x", status=Status.REFUSED, reason="blank: e"))
    assert ledger.reasons() == ["refused: blank 1", "failed: truncated 2, empty_file 1, missing 1"]


def test_a_reason_is_a_word_and_a_sentence() -> None:
    assert reason_code("truncated: it ends: too early.") == "truncated"
