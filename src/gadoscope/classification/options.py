"""How a run answers, and how far it is: what whoever starts one says, and hears."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from gadoscope.errors import UsageError
from gadoscope.labels import KeptResult, PicturedResult, QuoteMode, SeriesResult

if TYPE_CHECKING:
    from gadoscope.classification.engine import Engine
    from gadoscope.results.keeping import Keeper


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is.

    Parameters
    ----------
    n_files
        Files that were looked at.
    n_instances
        DICOM instances among them.
    n_series
        DICOM series, once all files have been looked at; ``None`` before.
    n_series_done
        Of these, answered.
    """

    n_files: int = 0
    n_instances: int = 0
    n_series: int | None = None
    n_series_done: int = 0


Watch = Callable[[Progress], None]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How inputs are answered.

    Parameters
    ----------
    journal
        Takes every answer as it comes, and may know some from an earlier run: a journal or a store.
    series_alone
        Leave every answer as it is without the other series of its study.
    quote
        How much of a header the rows quote; all of it may hold what somebody typed in of a patient.
    watch
        Called often, also while no row comes; may raise to stop the run.
    since
        Leave out series and files that were there before, unchanged, in seconds since 1970; a study with
        something newer is judged whole.
    pictures
        Give each row what a notebook shows beside it, as a `PicturedResult`: some 10 kB each.
    engine
        Who does the work; ``None`` for threads and processes of this machine.

    Raises
    ------
    UsageError
        If ``quote`` is none of `QuoteMode`; its words may be given as text.
    """

    journal: "Keeper | None" = None
    series_alone: bool = False
    quote: QuoteMode = QuoteMode.WORDS
    watch: Watch | None = None
    since: float | None = None
    pictures: bool = False
    engine: "Engine | None" = None

    @property
    def row_kind(self) -> type[SeriesResult]:
        """Return what the rows are."""
        if self.pictures:
            return PicturedResult
        return SeriesResult if self.journal is None else KeptResult

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "quote", QuoteMode(self.quote))
        except ValueError:
            raise UsageError(f"quote = {self.quote!r}; expected one of {', '.join(QuoteMode)}.") from None


def take_options(options: RunOptions | None) -> RunOptions:
    """Return what a run is asked for; the defaults where that is nothing.

    Raises
    ------
    UsageError
        If it is something else, such as a dictionary.
    """
    if options is None:
        return RunOptions()
    if not isinstance(options, RunOptions):
        raise UsageError(
            f"options is a value of the type {type(options).__name__}; give gadoscope.RunOptions(...), whose "
            f"names are {', '.join(one.name for one in fields(RunOptions))}."
        )
    return options
