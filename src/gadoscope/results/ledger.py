"""The ledger: every input is counted once, by what became of it, and headers are held against pixels."""

from collections import Counter
from dataclasses import dataclass, field

from gadoscope.labels import SeriesResult, Status

AGREEMENTS = ("conflict", "agree", "silent")
"""Conflicts first: they are what somebody has to look at."""


@dataclass
class Ledger:
    """Counts of results by status, by reason and by agreement; ``n_inputs`` is their sum by construction."""

    by_status: Counter[Status] = field(default_factory=Counter)
    by_reason: Counter[tuple[Status, str]] = field(default_factory=Counter)
    by_agreement: Counter[str] = field(default_factory=Counter)

    def add(self, result: SeriesResult) -> None:
        """Count one result."""
        self.by_status[result.status] += 1
        if result.reason:
            self.by_reason[result.status, reason_code(result.reason)] += 1
        if _has_two_witnesses(result):
            self.by_agreement[result.agreement] += 1

    @property
    def n_inputs(self) -> int:
        """Return how many results were counted."""
        return self.by_status.total()

    @property
    def n_failed(self) -> int:
        """Return how many inputs could not be read."""
        return self.by_status[Status.FAILED]

    def __str__(self) -> str:
        parts = " + ".join(f"{status.value} {self.by_status[status]}" for status in Status)
        return f"inputs {self.n_inputs} = {parts}"

    def reasons(self) -> list[str]:
        """Return one line for each status that has reasons, the most frequent reason first."""
        lines = []
        for status in Status:
            counts = [(n, code) for (of, code), n in self.by_reason.items() if of is status]
            if counts:
                counts.sort(key=lambda entry: (-entry[0], entry[1]))
                lines.append(f"{status.value}: " + ", ".join(f"{code} {n}" for n, code in counts))
        return lines

    def agreement(self) -> str:
        """Return how headers and pixels agree, in one line; empty where no input has a header."""
        conflict, agree, silent = (self.by_agreement[word] for word in AGREEMENTS)
        total = conflict + agree + silent
        if not total:
            return ""
        counts = f"conflict in {conflict} of {total} series, agree in {agree}, silent in {silent}"
        return f"headers and pixels: {counts}"


def reason_code(reason: str) -> str:
    """Return the machine-readable word of ``code: sentence``."""
    return reason.partition(":")[0]


def _has_two_witnesses(result: SeriesResult) -> bool:
    """Return whether it is a series whose pixels were judged: not one of its volumes, and no slice image."""
    is_slice_image = result.n_slices <= 1 and result.series_instance_uid is None
    has_header = bool(result.header_quote) or not is_slice_image
    return result.phase is not None and result.volume_index is None and has_header
