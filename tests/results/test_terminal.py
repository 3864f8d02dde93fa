"""The table on a terminal: readable, and safe against what file names hold."""

import io

import pytest

from gadoscope.labels import Phase, SeriesResult, Status
from gadoscope.results import terminal
from gadoscope.results.ledger import Ledger
from gadoscope.results.terminal import open_terminal_table, print_summary

WIDE = 160


def _show(*results: SeriesResult, width: int = WIDE) -> str:
    stream = io.StringIO()
    with open_terminal_table(stream, width=width) as write:
        for result in results:
            write(result)
    return stream.getvalue()


def test_a_row_says_what_it_is_and_why() -> None:
    shown = _show(
        SeriesResult(path="s/a.png", status=Status.ANSWERED, phase=Phase.POST_CONTRAST, probability=0.98765),
        SeriesResult(
            path="s/b.png", status=Status.FAILED, reason="truncated: it ends.", warnings=("palette",)
        ),
    )
    head, first, second = shown.splitlines()
    assert head.split() == ["in", "s", "status", "phase", "P(post)", "remark"]
    assert first.split() == ["a.png", "answered", "POST_CONTRAST", "0.988"]
    assert second.split() == ["b.png", "failed", "truncated:", "it", "ends.;", "palette"]


def test_escape_sequences_and_markup_in_file_names_are_shown_and_not_obeyed() -> None:
    shown = _show(SeriesResult(path="s/\x1b[31m[bold]x\udce9.png", status=Status.ANSWERED))
    assert "\x1b" not in shown
    assert "\ufffd[31m[bold]x\ufffd.png" in shown


def test_a_path_that_is_too_long_is_broken_after_its_folders() -> None:
    folders = ("subject-0001", "session-before", "anatomical", "t1_mprage_sagittal")
    rows = [SeriesResult(path="/".join((top, *folders)), status=Status.ANSWERED) for top in ("a", "b")]
    shown = [line.split("answered")[0].split()[0] for line in _show(*rows, width=80).splitlines()[1:]]
    assert "".join(shown) == "".join(row.path for row in rows)
    assert shown[1::2] == ["anatomical/t1_mprage_sagittal"] * 2


def test_more_rows_than_a_screen_can_use_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "MAX_ROWS", 2)
    shown = _show(*(SeriesResult(path=f"s/{i}.png", status=Status.ANSWERED) for i in range(1003)))
    assert len(shown.splitlines()) == 1 + 2 + 1
    assert "and 1,001 more; --output results.csv keeps them all." in shown


@pytest.mark.parametrize("paths", [("a.png", "b/c.png"), ("/a.png", "b/c.png"), ("/a/x.png", "/b/x.png")])
def test_inputs_without_a_folder_in_common_keep_their_whole_paths(paths: tuple[str, ...]) -> None:
    shown = _show(*(SeriesResult(path=path, status=Status.ANSWERED) for path in paths))
    assert all(path in shown for path in paths)


def test_a_conflict_with_the_header_is_shown_with_its_words_and_a_volume_with_its_number() -> None:
    shown = _show(
        SeriesResult(
            path="s/a",
            volume_index=3,
            status=Status.ANSWERED,
            phase=Phase.PRE_CONTRAST,
            probability=0.1,
            header_state="administered",
            header_quote='SeriesDescription="t1 +c"',
            agreement="conflict",
        )
    )
    assert "a volume 3" in shown
    assert 'the header says administered: SeriesDescription="t1 +c"' in shown


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
