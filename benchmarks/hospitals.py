"""A bundle at hospitals that it was not trained at: every decision counted, by plane and source.

    python -m benchmarks.hospitals src/gadoscope/weights/default.onnx --data ../shared/data/manifest.csv \
        --trained-on runs/default/manifest.csv --answers runs/default-answers.csv

A user who gets no answer has got none that is right. So a refused T1 slice counts as wrong here, and one of
which the bundle is not sure is called at even odds, a probability of one half. Beside that stand the AUC of
what the gate lets pass, the silent errors (answered, and wrong), what is refused and what is undecided, with
95 % intervals by subject. Skulls are taken from some slices, by the mask of `recipes.default.bare_brains`,
to see whether the twin gets the same answer. `--answers` keeps what the bundle said of each image: thresholds
can be studied there, and a table that exists is read in place of asking again.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.default_copies import Pixels
from benchmarks.default_model import Scored, ask, choose_items
from gadoscope.decision.calibration import sigmoid
from gadoscope.errors import InputError
from gadoscope.imaging.foreground import find_foreground
from gadoscope.inference.session import Session
from gadoscope.labels import Label, Phase, Plane
from gadoscope.parallel import count_jobs, map_in_order
from gadoscope.preparation.items import Item
from gadoscope.reading.images import read_slice
from gadoscope.statistics.delong import estimate_auc
from gadoscope.statistics.intervals import Estimate
from gadoscope.statistics.shares import estimate_balanced_accuracy, estimate_rates, estimate_share
from recipes.default.bare_brains import find_brain
from recipes.default.pairs import cut_head, to_grey
from recipes.default.sources import is_doubted

REFUSED: Final = "refused"
JOINED: Final = {"vqamed2019-eye": "vqamed2019"}
"""Sources that are one hospital for this: their labels were read by the same eyes."""
TWIN_SOURCES: Final = ("tcga-lgg", "tcga-lgg-sagittal", "vqamed2019", "figshare-cheng", "ixi")
TWIN_STEP, TWIN_SEED = 12, 7
"""Every so-many-th image of these gets a twin without a skull."""
TWIN: Final = "bare twin of "
DOUBTED_SOURCE: Final = "doubted labels of "

Texts = NDArray[np.str_]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One image, and what a bundle says of it.

    ``outcome`` is `REFUSED` or the value of a phase; ``t1_brain`` the gate's logit, NaN without a gate.
    """

    path: str
    source: str
    subject: str
    plane: str
    label: str
    logit: float
    probability: float
    t1_brain: float
    outcome: str

    @property
    def is_post(self) -> bool:
        """Whether the image is post-contrast."""
        return self.label == Label.POST.value

    @property
    def is_right(self) -> bool:
        """Whether the decision is: a refused slice has none, an undecided one is called at even odds."""
        if self.outcome == REFUSED:
            return False
        if self.outcome == Phase.INDETERMINATE.value:
            return (self.probability >= 1 / 2) == self.is_post
        return (self.outcome == Phase.POST_CONTRAST.value) == self.is_post

    @property
    def is_silent_error(self) -> bool:
        """Whether it is answered, and wrong."""
        return not self.is_right and self.outcome not in (REFUSED, Phase.INDETERMINATE.value)


def main() -> None:
    """Ask, keep, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--trained-on", type=Path, action="append", default=[], help="a run's manifest.csv")
    parser.add_argument("--sources", nargs="*", default=[], help="only these of the manifest")
    parser.add_argument("--every", type=int, default=1, help="ask of every N-th image of a source only")
    parser.add_argument("--most", type=int, default=0, help="and of so many of a source at most")
    parser.add_argument("--answers", type=Path, help="CSV of all answers, written, or read where it exists")
    arguments = parser.parse_args()
    if arguments.answers and arguments.answers.exists():
        answers = read_answers(arguments.answers)
    else:
        items = choose_items(arguments.data, arguments.trained_on, arguments.sources)
        answers = ask_all(Session(arguments.bundle), thin_out(items, arguments.every, arguments.most))
        if arguments.answers:
            write_answers(answers, arguments.answers)
    print(f"\n{arguments.bundle}: every decision counted\n")
    print(format_phases(answers))
    print("\nWithout a skull: the same slices\n")
    print(format_twins(answers))
    print("\nWhat is no T1 brain\n")
    print(format_others(answers))


def thin_out(items: Sequence[Item], every: int, most: int) -> list[Item]:
    """Return every so-many-th image of each source and plane, and so many at most, spread over all."""
    groups: dict[tuple[str, Plane, Label], list[Item]] = defaultdict(list)
    for item in items:
        groups[item.source, item.plane, item.label].append(item)
    chosen = []
    for members in groups.values():
        step = max(every, -(-len(members) // most) if most else 1)
        chosen += members[::step]
    return chosen


def ask_all(session: Session, items: Sequence[Item]) -> list[Answer]:
    """Ask a bundle of each image that can be read, and of the twins without a skull."""

    def ask_one(numbered: tuple[int, Item]) -> list[Answer]:
        number, item = numbered
        try:
            pixels = read_slice(item.path).pixels
        except InputError:
            return []
        answers = [answer_of(session, pixels, item)]
        if item.source in TWIN_SOURCES and number % TWIN_STEP == 0:
            twin = strip_skull(pixels, item.plane, seed=TWIN_SEED + number)
            if twin is not None:
                answers.append(answer_of(session, twin, replace(item, source=f"{TWIN}{item.source}")))
        return answers

    return [answer for some in map_in_order(ask_one, enumerate(items), count_jobs(0)) for answer in some]


def answer_of(session: Session, pixels: Pixels, item: Item) -> Answer:
    """Return what a bundle says of one slice."""
    scored = Scored(item, *ask(session, pixels))
    source = JOINED.get(item.source, item.source)
    return Answer(
        path=str(item.path),
        source=f"{DOUBTED_SOURCE}{source}" if is_doubted(item) else source,
        subject=item.subject_id or str(item.path),
        plane=item.plane.value,
        label=item.label.value,
        logit=scored.logit,
        probability=float(session.bundle.metadata.decision.probability(np.array([scored.logit]))[0]),
        t1_brain=float("nan") if scored.t1_brain is None else scored.t1_brain,
        outcome=REFUSED if scored.phase is None else scored.phase.value,
    )


def strip_skull(pixels: Pixels, plane: Plane, *, seed: int) -> Pixels | None:
    """Return the head of a slice without its skull, or None where no brain is found."""
    head = cut_head(pixels, find_foreground(pixels).box)
    brain = find_brain(head, plane, np.random.default_rng(seed))
    return None if brain is None else to_grey(head * brain)


def write_answers(answers: Sequence[Answer], path: Path) -> None:
    """Write one row an image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(Answer.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(vars(answer) for answer in answers)


def read_answers(path: Path) -> list[Answer]:
    """Return what `write_answers` wrote."""
    numbers = ("logit", "probability", "t1_brain")
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Answer(**{name: float(cell) if name in numbers else cell for name, cell in row.items()})  # type: ignore[arg-type]  # a number where one is meant
            for row in csv.DictReader(file)
        ]


def format_phases(answers: Iterable[Answer]) -> str:
    """Return a row for each source and plane of T1 slices."""
    lines = [
        "| source | plane | pre | post | balanced accuracy of every | sensitivity | specificity "
        "| AUC of what passes | silent errors | refused | undecided |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    groups: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for one in answers:
        if one.label != Label.OTHER.value and not one.source.startswith(TWIN):
            groups[one.source, one.plane].append(one)
    lines += [_phase_row(source, plane, members) for (source, plane), members in sorted(groups.items())]
    return "\n".join(lines)


def _phase_row(source: str, plane: str, members: Sequence[Answer]) -> str:
    is_post = np.array([one.is_post for one in members])
    is_right = np.array([one.is_right for one in members])
    subject = np.array([one.subject for one in members])
    rates = estimate_rates(is_post, is_right == is_post, subject)
    passed = [one for one in members if one.outcome != REFUSED]
    auc = estimate_auc(
        np.array([one.is_post for one in passed], np.bool_),
        np.array([one.logit for one in passed]),
        np.array([one.subject for one in passed], np.str_),
    )
    cells = [
        source,
        plane,
        str(int((~is_post).sum())),
        str(int(is_post.sum())),
        show(estimate_balanced_accuracy(rates)),
        show(rates.sensitivity),
        show(rates.specificity),
        show(auc, share=False),
        show(estimate_share(np.array([one.is_silent_error for one in members]), subject)),
        show(estimate_share(np.array([one.outcome == REFUSED for one in members]), subject)),
        f"{np.mean([one.outcome == Phase.INDETERMINATE.value for one in members]):.1%}",
    ]
    return f"| {' | '.join(cells)} |"


def show(estimate: Estimate, *, share: bool = True) -> str:
    """Return a figure and its interval: per cent, or three decimals; "-" where the data define none."""
    if estimate.value is None or estimate.lower is None or estimate.upper is None:
        return "-"
    numbers = (estimate.value, estimate.lower, estimate.upper)
    value, lower, upper = (f"{100 * one:.1f}" if share else f"{one:.3f}" for one in numbers)
    return f"{value} ({lower}-{upper})"


def format_twins(answers: Iterable[Answer]) -> str:
    """Return, by label, how many twins are refused, wrong, or of another phase than the whole head."""
    whole: dict[str, Answer] = {}
    twins: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for one in answers:
        if one.source.startswith(TWIN):
            twins[one.plane, one.label].append(one)
        else:
            whole[one.path] = one
    lines = [
        "| plane | label | twins | refused | silent errors | another phase |",
        "|---|---|---|---|---|---|",
    ]
    for (plane, label), members in sorted(twins.items()):
        answered = [(one, whole[one.path]) for one in members if _are_answered(one, whole[one.path])]
        changed = sum(one.outcome != other.outcome for one, other in answered)
        lines.append(
            f"| {plane} | {label} | {len(members)} "
            f"| {np.mean([one.outcome == REFUSED for one in members]):.1%} "
            f"| {np.mean([one.is_silent_error for one in members]):.1%} "
            f"| {changed / max(len(answered), 1):.1%} |"
        )
    return "\n".join(lines)


def _are_answered(*answers: Answer) -> bool:
    return all(one.outcome in (Phase.PRE_CONTRAST.value, Phase.POST_CONTRAST.value) for one in answers)


def format_others(answers: Iterable[Answer]) -> str:
    """Return which share of each source of other images is refused, and how sure the gate is on average."""
    groups: dict[str, list[Answer]] = defaultdict(list)
    for one in answers:
        if one.label == Label.OTHER.value:
            groups[one.source].append(one)
    lines = ["| source | images | refused | as a T1 brain, median |", "|---|---|---|---|"]
    for source, members in sorted(groups.items()):
        refused = estimate_share(
            np.array([one.outcome == REFUSED for one in members]),
            np.array([one.subject for one in members]),
        )
        middle = float(sigmoid(np.median([one.t1_brain for one in members])))
        lines.append(f"| {source} | {len(members)} | {show(refused)} | {middle:.3f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
