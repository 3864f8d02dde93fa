"""Where the table of a run goes: under its name, or beside a table that is there while this one is a part."""

import os
from pathlib import Path

PART = ".interrupted"
"""Before the suffix of a table that an interrupted run leaves beside a whole one: results.interrupted.csv."""


class Written:
    """What a run wrote.

    Parameters
    ----------
    output
        The table as it was named; ``None`` for the standard output.

    Attributes
    ----------
    is_part
        Whether the run was interrupted.
    path
        Where the table went, once `choose` was asked.
    """

    def __init__(self, output: Path | None) -> None:
        self.output = output
        self.is_part = False
        self.path: Path | None = None

    def choose(self) -> Path | None:
        """Return where the table goes; asked when all its rows are written.

        A part never takes the place of a table that is there: nobody knows whether that one is whole. It
        takes the place of an earlier part.
        """
        if self.output is None:
            return None
        taken = self.is_part and os.path.lexists(self.output)
        self.path = part_path(self.output) if taken else self.output
        return self.path

    def describe_part(self, n_rows: int) -> str:
        """Return the sentence that says what an interrupted run leaves."""
        if self.output is None:
            return f"Interrupted: the table holds the first {n_rows} inputs only."
        held = f"Interrupted: {self.path} holds the first {n_rows} inputs only."
        if self.path is None:
            held = "Interrupted before the first row; no table was written."
        is_kept = self.path != self.output and os.path.lexists(self.output)
        kept = f" {self.output} stays as it was." if is_kept else ""
        return f"{held}{kept} --resume goes on from here."


def part_path(output: Path) -> Path:
    """Return the name of the part of a table: results.interrupted.csv."""
    return output.with_name(f"{output.stem}{PART}{output.suffix}")
