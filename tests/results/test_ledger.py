"""The ledger: no input disappears."""

from dataclasses import replace

from gadoscope.labels import Phase, SeriesResult, Status
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


def test_headers_are_held_against_pixels_series_by_series() -> None:
    ledger = Ledger()
    counts = {"conflict": 2, "agree": 3, "silent": 1}
    for agreement, n in counts.items():
        for _ in range(n):
            row = SeriesResult(
                path="x",
                status=Status.ANSWERED,
                series_instance_uid="1.2",
                phase=Phase.PRE_CONTRAST,
                agreement=agreement,
            )
            ledger.add(row)
            ledger.add(replace(row, volume_index=0))  # a volume is part of its series
    ledger.add(SeriesResult(path="x", status=Status.REFUSED, series_instance_uid="1.2"))
    assert ledger.agreement() == "headers and pixels: conflict in 2 of 6 series, agree in 3, silent in 1"


def test_slice_images_have_no_header_and_no_agreement() -> None:
    ledger = Ledger()
    ledger.add(SeriesResult(path="x.png", n_slices=1, status=Status.ANSWERED, phase=Phase.PRE_CONTRAST))
    assert ledger.agreement() == ""


def test_a_volume_without_uids_is_a_series() -> None:
    ledger = Ledger()
    ledger.add(SeriesResult(path="x.nii", n_slices=9, status=Status.ANSWERED, phase=Phase.PRE_CONTRAST))
    assert ledger.agreement() == "headers and pixels: conflict in 0 of 1 series, agree in 0, silent in 1"
