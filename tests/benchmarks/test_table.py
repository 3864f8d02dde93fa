"""The rows of a benchmark: shown beside what was asked, the peer and the limit, and read back as written."""

from pathlib import Path

from benchmarks.table import Row, begin_parser, finish, format_table, read_rows

ROWS = (
    Row(
        "an epoch", ">= 3 x Keras", "2.0 s = 4.0 x", met=True, peer="Keras: 8.0 s", limit="arithmetic: 1.0 s"
    ),
    Row("one | two", "< 1 s", "2.0 s", met=False),
    Row("the page", "", "1.2 MB"),
)


def test_a_figure_stands_beside_what_was_asked_the_peer_and_the_limit() -> None:
    assert format_table(ROWS).splitlines() == [
        "| figure | measured | asked | peer | limit | met |",
        "|---|---|---|---|---|---|",
        "| an epoch | 2.0 s = 4.0 x | >= 3 x Keras | Keras: 8.0 s | arithmetic: 1.0 s | yes |",
        r"| one \| two | 2.0 s | < 1 s |  |  | **no** |",
        "| the page | 1.2 MB |  |  |  |  |",
    ]


def test_a_table_without_a_peer_or_a_limit_has_no_column_for_it() -> None:
    assert format_table(ROWS[1:]).splitlines()[0] == "| figure | measured | asked | met |"


def test_rows_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    arguments = begin_parser("What is measured.").parse_args(["--rows", str(tmp_path / "rows.json")])
    finish(ROWS, arguments.rows)
    assert read_rows(arguments.rows) == list(ROWS)
