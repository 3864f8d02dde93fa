"""The ledger: every input is counted once, by what became of it, and headers are held against pixels."""

from collections import Counter
from dataclasses import dataclass, field

from gadoscope.labels import NO_PRE_CONTRAST, ONE_PHASE, OUT_OF_ORDER, Phase, SeriesResult, Status

AGREEMENTS = ("conflict", "agree", "silent")
"""Conflicts first: they are what somebody has to look at."""

PHASES = {Phase.PRE_CONTRAST: "pre-contrast", Phase.POST_CONTRAST: "post-contrast", Phase.MIXED: "mixed"}
"""What an answer may be, and how it is counted; mixed only where there is some."""

STUDY_WARNINGS = {
    OUT_OF_ORDER: "turning from post- back to pre-contrast",
    ONE_PHASE: "with one phase before and after enhancement",
    NO_PRE_CONTRAST: "with post-contrast T1 series only",
}
"""Warnings about a whole study, and how the studies that have them are counted."""


@dataclass
class Ledger:
    """Counts of results by status, by reason and by agreement; ``n_inputs`` is their sum by construction."""

    by_status: Counter[Status] = field(default_factory=Counter)
    by_reason: Counter[tuple[Status, str]] = field(default_factory=Counter)
    by_phase: Counter[Phase] = field(default_factory=Counter)
    by_agreement: Counter[str] = field(default_factory=Counter)
    studies_by_warning: dict[str, set[str]] = field(default_factory=dict)

    def add(self, result: SeriesResult) -> None:
        """Count one result."""
        agreement = result.agreement if _has_two_witnesses(result) else ""
        self.count(result.status, reason_code(result.reason), result.phase, agreement)
        for warning in STUDY_WARNINGS.keys() & set(result.warnings):
            self.studies_by_warning.setdefault(warning, set()).add(result.study_instance_uid or "")

    def count(self, status: Status, code: str, phase: Phase | None, agreement: str, n: int = 1) -> None:
        """Count results that are alike.

        Parameters
        ----------
        status, phase
            Of each.
        code
            The word of its reason; empty without one.
        agreement
            Of a series whose pixels were judged; else empty.
        n
            How many.
        """
        self.by_status[status] += n
        if code:
            self.by_reason[status, code] += n
        if status is Status.ANSWERED and phase is not None:
            self.by_phase[phase] += n
        if agreement:
            self.by_agreement[agreement] += n

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

    def phases(self) -> str:
        """Return how many of the answered are pre- and how many post-contrast; empty without any."""
        counts = [f"{described} {self.by_phase[phase]}" for phase, described in PHASES.items()]
        if not self.by_phase[Phase.MIXED]:
            counts.pop()
        return f"answers: {', '.join(counts)}" if self.by_phase else ""

    def agreement(self) -> str:
        """Return how headers and pixels agree, in one line; empty where no input has a header."""
        conflict, agree, silent = (self.by_agreement[word] for word in AGREEMENTS)
        total = conflict + agree + silent
        if not total:
            return ""
        counts = f"conflict in {conflict} of {total} series, agree in {agree}, silent in {silent}"
        return f"headers and pixels: {counts}"

    def studies(self) -> str:
        """Return how many studies contradict themselves, in one line; empty where none does."""
        found = [
            f"{len(self.studies_by_warning[warning])} {described}"
            for warning, described in STUDY_WARNINGS.items()
            if warning in self.studies_by_warning
        ]
        return f"studies to look at: {', '.join(found)}" if found else ""


def reason_code(reason: str) -> str:
    """Return the machine-readable word of ``code: sentence``."""
    return reason.partition(":")[0]


def _has_two_witnesses(result: SeriesResult) -> bool:
    """Return whether it is a series whose pixels were judged: not one of its volumes, and no slice image."""
    is_slice_image = result.n_slices <= 1 and result.series_instance_uid is None
    has_header = bool(result.header_quote) or not is_slice_image
    return result.phase is not None and result.volume_index is None and has_header
