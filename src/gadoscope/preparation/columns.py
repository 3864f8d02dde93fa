"""Columns of a manifest that are read, and those that almost have their names."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from gadoscope.errors import ManifestError
from gadoscope.preparation.items import SPLIT_NAMES
from gadoscope.preparation.series import SERIES_COLUMNS
from gadoscope.wording import show_path

SPLIT_COLUMN = "split"
FURTHER_COLUMNS = (
    SPLIT_COLUMN,
    *SERIES_COLUMNS,
    *("sha256", "kind", "slice"),
    *("vendor", "manufacturer", "field_strength_t", "field_strength", "magneticfieldstrength"),
    *("patientsex", "gender", "age_years", "patientage"),
    *("licence", "note"),
)
"""What is read besides the required columns, wherever it is read. ``sex`` and ``age`` are too short: half the
words of three letters are near them."""
LIKENESS = 0.81
"""From which on two names are near, of 1 (difflib's ratio): ``splits``, ``series_uid`` for ``series_id``; it
lies just above ``sop_instance_uid`` and ``series_instance_uid``, which are two things."""


def tell_near_columns(header: Sequence[str], rows: Iterable[Mapping[str, str]], table: Path) -> list[str]:
    """Return a notice for each column that has almost the name of one that would be read.

    Parameters
    ----------
    header
        Names of all columns, in lower case.
    rows
        Cells of each row, by column.

    Raises
    ------
    ManifestError
        If one that is almost ``split`` holds parts of a split: its test images would be trained on.
    """
    near = {name: known for name in header if (known := _find_near(name, header))}
    cells = {(name, row.get(name, "").casefold()) for row in rows for name in near}
    notices = []
    for name, known in near.items():
        found = {cell for column, cell in cells if column == name and cell}
        if known == SPLIT_COLUMN and found and found <= SPLIT_NAMES.keys():
            raise ManifestError(
                f"{show_path(table)} has a column {name} of {', '.join(sorted(found))}; did you mean "
                f"{known}? Rename it; else its images would be divided anew."
            )
        notices.append(
            f"the column {name} of the manifest is none that is known and is kept as it is; "
            f"did you mean {known}?"
        )
    return notices


def _find_near(name: str, header: Sequence[str]) -> str | None:
    """Return the column that a name is almost that of; None where that column is there, or none is near."""
    if name in FURTHER_COLUMNS:
        return None
    spelt = name.replace("-", "_").replace(" ", "_")
    near = get_close_matches(spelt, FURTHER_COLUMNS, n=1, cutoff=LIKENESS)
    near = near or [known for known in FURTHER_COLUMNS if sorted(known) == sorted(spelt)]
    return near[0] if near and near[0] not in header else None
