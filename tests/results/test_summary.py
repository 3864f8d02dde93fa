"""The end of a run on a terminal: every status and reason with its count, and the ledger line."""

import io

from gadoscope.labels import Phase, SeriesResult, Status
from gadoscope.results.ledger import Ledger
from gadoscope.results.summary import print_summary


def test_statuses_and_reasons_stand_in_a_table_and_the_ledger_below_it() -> None:
    ledger = Ledger()
    for index in range(1200):
        ledger.add(
            SeriesResult(
                path=str(index),
                series_instance_uid="1",
                status=Status.ANSWERED,
                phase=Phase.PRE_CONTRAST,
                agreement="agree",
            )
        )
    for reason in ("truncated: a", "missing: b", "truncated: c"):
        ledger.add(SeriesResult(path="x", status=Status.FAILED, reason=reason))
    ledger.add(SeriesResult(path="x", status=Status.REFUSED, reason="blank: e"))
    stream = io.StringIO()
    print_summary(ledger, stream)
    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert lines[:6] == [
        ["status", "inputs", "reason"],
        ["answered", "1,200"],
        ["refused", "1", "blank", "1"],
        ["failed", "3"],
        ["truncated", "2"],
        ["missing", "1"],
    ]
    shown = stream.getvalue()
    assert "inputs 1204 = answered 1200 + indeterminate 0 + refused 1 + failed 3" in shown
    assert "headers and pixels: conflict in 0 of 1200 series, agree in 1200, silent in 0" in shown
