"""A page to look at after a run: what became of all inputs, and those that a person should look at first."""

import base64
import heapq
import io
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup
from PIL import Image

from gadoscope import wording
from gadoscope.errors import UsageError
from gadoscope.files import write_text
from gadoscope.labels import RESULT_COLUMNS, Phase, PicturedResult, SeriesResult, Status, without_picture
from gadoscope.markup import draw_bar
from gadoscope.report.page import render_page
from gadoscope.results.ledger import AGREEMENTS, STUDY_WARNINGS, Ledger
from gadoscope.version import __version__

MAX_SHOWN = 60
"""Of each group with pictures: more than that nobody looks at in one go; the table holds them all."""
N_LEAST_CERTAIN, N_SAMPLE = 24, 12
SAMPLE_SEED = 1
MAX_LISTED = 20_000
"""Rows of the folded tables: a page of more is slow to open, and the file of ``--output`` holds them."""
PICTURE_QUALITY = 75
"""Of WebP: 2 to 4 kB a slice, on which an enhancing vessel is as bright as on the slice itself."""
CLOSEST = 1e-6
"""To 0 and 1, for a logit."""


@dataclass
class Group:
    """Rows that are looked at for one reason: how many there are, and those that are shown."""

    title: str
    why: str
    shown: list[PicturedResult] = field(default_factory=list)
    n: int = 0

    def add(self, result: PicturedResult) -> None:
        """Count a row, and keep it while there is room."""
        self.n += 1
        if len(self.shown) < MAX_SHOWN:
            self.shown.append(result)


@dataclass
class Sample:
    """A random sample of rows that come one by one, the same for the same rows (Vitter's algorithm R)."""

    shown: list[PicturedResult] = field(default_factory=list)
    n: int = 0
    _draw: random.Random = field(default_factory=lambda: random.Random(SAMPLE_SEED))  # noqa: S311 - no secret

    def add(self, result: PicturedResult) -> None:
        """Take a row in place of another, or not."""
        self.n += 1
        if len(self.shown) < N_SAMPLE:
            self.shown.append(result)
        elif (place := self._draw.randrange(self.n)) < N_SAMPLE:
            self.shown[place] = result


class Page:
    """Takes every row of a run as it comes; memory grows with the folded table alone, up to `MAX_LISTED`."""

    def __init__(self) -> None:
        self.conflicts = Group(
            "Header and pixels disagree",
            "One of the two is wrong: a label that was typed, or this answer.",
        )
        self.contradictions = Group(
            "Their study contradicts itself",
            "By the order of acquisition, or by comparing series of one plane, one of its answers is wrong.",
        )
        self.undecided = Group("No answer", "The evidence lies inside the band in which the model is silent.")
        self.warned = Group(
            "Answered with a warning", "Something about the input is odd; look whether it matters."
        )
        self.ledger = Ledger()
        self.by_plane: Counter[tuple[str, str]] = Counter()
        self.rows: list[SeriesResult] = []
        self._least_certain: list[tuple[float, int, PicturedResult]] = []
        self._sure, self._refused = Sample(), Sample()

    def add(self, result: SeriesResult) -> None:
        """Take one row; one of an earlier run has no picture, and is shown without."""
        self.ledger.add(result)
        if result.phase is not None:
            self.by_plane[result.plane.value, result.phase.value] += 1
        if len(self.rows) < MAX_LISTED:
            self.rows.append(without_picture(result))
        if not isinstance(result, PicturedResult):
            result = PicturedResult(**{name: getattr(result, name) for name in RESULT_COLUMNS})
        self._choose(result)

    def _choose(self, result: PicturedResult) -> None:
        if result.agreement == AGREEMENTS[0]:
            self.conflicts.add(result)
        elif STUDY_WARNINGS.keys() & set(result.warnings):
            self.contradictions.add(result)
        elif result.status is Status.INDETERMINATE:
            self.undecided.add(result)
        elif result.status is Status.REFUSED and result.picture:
            self._refused.add(result)
        elif result.status is Status.ANSWERED and result.probability is not None:
            self._keep_least_certain(result)

    def _keep_least_certain(self, result: PicturedResult) -> None:
        """Keep the answers that are nearest to none; others have a warning, or may come into the sample."""
        entry = (-measure_margin(result), self.ledger.n_inputs, result)
        if len(self._least_certain) < N_LEAST_CERTAIN:
            heapq.heappush(self._least_certain, entry)
            return
        sure = heapq.heappushpop(self._least_certain, entry)[2]
        if sure.warnings:
            self.warned.add(sure)
        else:
            self._sure.add(sure)

    def list_groups(self) -> Iterator[Group]:
        """Yield what to look at, in the order in which a look is worth most; none that is empty."""
        least = [result for *_, result in sorted(self._least_certain, reverse=True)]
        certain = Group(
            "The least certain answers",
            "Answered, and nearest to no answer.",
            shown=least,
            n=len(least),
        )
        sure = Group(
            "A sample of the sure answers",
            "Drawn at random: errors among these are errors that nobody would look for.",
            shown=self._sure.shown,
            n=self._sure.n,
        )
        refused = Group(
            "A sample of what was refused",
            "Drawn at random from what could be seen: whether one of these is a T1 brain after all.",
            shown=self._refused.shown,
            n=self._refused.n,
        )
        groups = (self.conflicts, self.contradictions, self.undecided, certain, self.warned, sure, refused)
        return (group for group in groups if group.shown)

    def write(self, path: Path, model: str) -> None:
        """Write the page, whole or not at all.

        Raises
        ------
        OutputError
            If the system cannot write.
        """
        helpers = {
            "plural": wording.plural,
            "whole": wording.whole,
            "picture": _embed,
            "bar": draw_bar_of,
            "explain": explain_row,
        }
        page = render_page(
            "gadoscope.classification",
            "answers.html",
            helpers,
            page=self,
            ledger=self.ledger,
            groups=list(self.list_groups()),
            statuses=list(Status),
            phases=[Phase.PRE_CONTRAST, Phase.POST_CONTRAST, Phase.MIXED, Phase.INDETERMINATE],
            planes=sorted({plane for plane, _ in self.by_plane}),
            model=name_bundle(self.rows, model),
            version=__version__,
        )
        write_text(path, page)


def name_bundle(results: Iterable[SeriesResult], asked: str) -> str:
    """Return the bundle that answered, by its name and digest; if no row knows one, what was asked for."""
    return next((result.model for result in results if result.model), asked)


def check_page_path(path: Path) -> None:
    """Raise UsageError if a page cannot have this name."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"the report {path} is a page; give it a name that ends in .html.")


def measure_margin(result: PicturedResult) -> float:
    """Return how far, in logits, an answer lies from where there would be none, or another."""
    edges = result.band or (0.5, 0.5)
    said = _logit(result.probability or 0.0)
    return min(abs(said - _logit(edge)) for edge in edges)


def _logit(probability: float) -> float:
    inside = min(max(probability, CLOSEST), 1 - CLOSEST)
    return math.log(inside / (1 - inside))


def explain_row(result: SeriesResult) -> str:
    """Return the reason and the warnings of a row, as one line."""
    return "; ".join(filter(None, (result.reason, *result.warnings)))


def draw_bar_of(result: PicturedResult) -> Markup:
    """Return the probability of a row on its band; nothing where it has none."""
    drawn = "" if result.probability is None else draw_bar(result.probability, result.band)
    return Markup(drawn)  # noqa: S704 - made of numbers alone


def _embed(result: PicturedResult) -> str:
    """Return the slice as the address of an embedded WebP; empty where none was read in this run."""
    if not result.picture:
        return ""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(result.picture)) as image:
        image.save(buffer, "WEBP", quality=PICTURE_QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
