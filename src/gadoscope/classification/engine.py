"""Who does the work of a run: the run finds, keeps and orders; an engine looks at files and answers series.

What is handed over and comes back are plain values, so that an engine may have its workers elsewhere. Every
engine gives the same answers in the same order.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from gadoscope.classification.rows import Answer

if TYPE_CHECKING:
    from gadoscope.classification.inputs import Container
    from gadoscope.classification.options import RunOptions
    from gadoscope.inference.session import Session
    from gadoscope.reading.dicom.grouping.batches import Batch
    from gadoscope.reading.dicom.grouping.index import SeriesIndex
    from gadoscope.reading.given import Input

Take = Callable[[Sequence["Batch"], int], None]
"""Takes DICOM instances, by series, and how many files were looked at for them and for all else."""


class Workers(Protocol):
    """The workers of one run."""

    is_here: bool
    """Whether they open files by the very paths that the user named."""

    def look(self, inputs: "Iterable[Input]", take: Take) -> "Iterator[Answer | Container]":
        """Yield what became of inputs, in their order; the instances of DICOM series go to ``take``.

        Called once more, for what it holds, before the one after a container is asked for.
        """

    def answer(self, index: "SeriesIndex") -> Iterator[Answer]:
        """Yield an answer for each series, study by study, both in the order of the index."""

    def close(self) -> None:
        """Stop what is under way, and let go of all that was started for this run."""


class Engine(Protocol):
    """Starts workers."""

    def start(self, session: "Session", options: "RunOptions") -> Workers:
        """Return workers for one run with a bundle that is loaded here."""
