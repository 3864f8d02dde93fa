"""Rows become a data frame of pandas."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gadoscope.extras import name_what_is_missing
from gadoscope.labels import RESULT_COLUMNS, SeriesResult

if TYPE_CHECKING:
    import pandas


def to_dataframe(rows: Iterable[SeriesResult]) -> "pandas.DataFrame":
    """Return a table with a row for each result, and the columns of every result table in their order.

    Unknown is ``None``, or NaN in a column of numbers; ``warnings`` are tuples.

    Raises
    ------
    UsageError
        If pandas is not installed; it says which command brings it.
    """
    with name_what_is_missing("a data frame"):
        import pandas  # noqa: PLC0415 — optional
    values = ([getattr(row, column) for column in RESULT_COLUMNS] for row in rows)
    return pandas.DataFrame(list(values), columns=list(RESULT_COLUMNS))
