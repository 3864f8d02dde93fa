"""What is gained by judging the T1 series of a study together, and what it costs where times are wrong.

    python -m benchmarks.study_aware --data ../shared/data/manifest.csv

Studies of phantom heads, of three kinds: without contrast; one series before and one after; a protocol of
six. Volumes are real phantom volumes, compared as `gadoscope classify` compares them; heads move between
series, and each series has a gain of its own. The network is simulated, so that it can be as bad as one
likes: its logits are normal, calibrated, and independent from series to series, but for rows that say what
is worse than that. Each study is judged by many such networks.

With --model, a bundle classifies such heads from DICOM files, one series before and one after. With a
manifest of the tcga-lgg slices, the comparison is also tried on pairs of patients.
"""

import csv
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import shift
from scipy.special import ndtri

from benchmarks.table import Row, begin_parser, write_rows
from gadoscope.classification.run import iter_results
from gadoscope.classification.study.reasoning import StudySeries, judge_study
from gadoscope.decision.calibration import sigmoid
from gadoscope.imaging.enhancement import Change, compare_slices, find_change
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.imaging.volume import Geometry
from gadoscope.labels import Label, Phase, Plane, SeriesResult, Status
from gadoscope.phantom.forms.cohort import LABEL, Cohort, scan
from gadoscope.phantom.forms.headers import HeaderMode
from gadoscope.phantom.forms.write import Form, write_cohort
from gadoscope.preparation.manifest import read_manifest

PRE, POST = Phase.PRE_CONTRAST, Phase.POST_CONTRAST
SEED = 404
SLICES, MATRIX = 6, 128
NETWORKS = 50
"""Simulated for each study: a figure then varies by less than half a per cent from seed to seed."""
AREAS = (0.8, 0.9, 0.95, 0.99)
BANDS = ((0.5, 0.5), (0.1, 0.9))
HARDER_AREA, SHUFFLED, SHARED = 0.95, 0.1, 0.5
"""Of the rows that are worse: one study in ten has times in a wrong order, or half of the noise of a series
is that of its head, and the same in all its series."""
LARGEST_MOVEMENT_MM, GAINS = 1.5, (0.6, 1.6)
REAL_SOURCE = "tcga-lgg"
REAL_PIXEL_MM = 0.9
"""The slices carry no spacing; 256 pixels over the field of view of a head."""
Outcomes = Counter[tuple[str, str]]
"""Series by what they are alone and together: right, wrong or silent."""
HEADER = {"ScanningSequence": "SE", "RepetitionTime": "500", "EchoTime": "10"}


@dataclass(frozen=True)
class Planned:
    """A series of a study; ``again`` tells a repeat from the first one of its plane and phase."""

    plane: Plane
    phase: Phase
    again: bool = False


PROTOCOLS = (
    (Planned(Plane.SAGITTAL, PRE), Planned(Plane.AXIAL, PRE)),
    (Planned(Plane.SAGITTAL, PRE), Planned(Plane.SAGITTAL, POST)),
    (
        Planned(Plane.SAGITTAL, PRE),
        Planned(Plane.AXIAL, PRE),
        Planned(Plane.AXIAL, POST),
        Planned(Plane.SAGITTAL, POST),
        Planned(Plane.AXIAL, POST, again=True),
        Planned(Plane.CORONAL, POST),
    ),
)


@dataclass(frozen=True)
class Volume:
    """A phantom volume in memory."""

    voxels: NDArray[np.float32]
    geometry: Geometry
    window: tuple[float, float] | None = None
    warnings: tuple[str, ...] = ()

    def read_slices(self, indices: Sequence[int]) -> NDArray[np.float32]:
        """Return some slices."""
        return self.voxels[list(indices)]


def main() -> None:
    """Measure and print."""
    parser = begin_parser(__doc__)
    parser.add_argument("--subjects", type=int, default=36, help="phantom heads, a study each")
    parser.add_argument("--networks", type=int, default=NETWORKS, help="simulated for each study")
    parser.add_argument("--model", type=Path, help="a bundle to try on DICOM files")
    parser.add_argument("--data", type=Path, help="a manifest that holds the tcga-lgg pairs")
    arguments = parser.parse_args()
    heads = Heads(arguments.subjects)
    outcomes = {str(setting): measure(heads, setting, arguments.networks) for setting in SETTINGS}
    if arguments.model:
        outcomes[f"{arguments.model.stem}, from DICOM"] = measure_bundle(arguments.model, arguments.subjects)
    print(format_outcomes(outcomes))
    write_rows([_summarise(name, counts) for name, counts in outcomes.items()], arguments.rows)
    if arguments.data:
        print()
        print(format_pairs(compare_real_pairs(arguments.data)))


class Heads:
    """Phantom heads, scanned when they are asked for; comparisons are made once."""

    def __init__(self, n: int) -> None:
        self.numbers = range(1, n + 1)
        self.volume = cache(self._scan)
        self.enhances = cache(self._compare)

    def _scan(self, number: int, plane: Plane) -> Mapping[Phase, Volume]:
        cohort = Cohort(subjects=len(self.numbers), seed=SEED, slices=SLICES, matrix=MATRIX, plane=plane)
        return {
            made.phase: Volume(made.signal, Geometry(made.grid.shape, made.grid.affine))
            for made in scan(cohort, number).series
        }

    def _compare(self, number: int, earlier: Planned, later: Planned) -> bool:
        """Compare two series; the head moves and the gain changes from one to the other."""
        first, second = (self.volume(number, one.plane)[one.phase] for one in (earlier, later))
        draw = np.random.default_rng([SEED, number, later.phase is POST, later.again])
        moved_mm = draw.uniform(-LARGEST_MOVEMENT_MM, LARGEST_MOVEMENT_MM, 2)
        moved = shift(second.voxels, (0, *moved_mm / second.geometry.spacing_mm[1:]), order=1)
        moved *= draw.uniform(*GAINS)
        change = find_change(first, Volume(moved.astype(np.float32), second.geometry), SlicePolicy())
        return change is not None and change.is_enhancement


@dataclass(frozen=True)
class Setting:
    """How good the simulated network is, where it is silent, and what is worse than supposed."""

    area: float
    band: tuple[float, float]
    shuffled: float = 0.0
    shared: float = 0.0

    def __str__(self) -> str:
        lower, upper = self.band
        band = "" if lower == upper else f", silent from {lower:g} to {upper:g}"
        times = f", {100 * self.shuffled:.0f} % of studies with wrong times" if self.shuffled else ""
        noise = f", {100 * self.shared:.0f} % of its noise the head's" if self.shared else ""
        return f"AUC {self.area:.2f}{band}{times}{noise}"


SETTINGS = (
    *(Setting(area, band) for band in BANDS for area in AREAS),
    *(Setting(HARDER_AREA, band, shuffled=SHUFFLED) for band in BANDS),
    *(Setting(HARDER_AREA, band, shared=SHARED) for band in BANDS),
)


def measure(heads: Heads, setting: Setting, n_networks: int) -> Outcomes:
    """Judge each study alone and together, and count."""
    counts: Outcomes = Counter()
    for number in heads.numbers:
        protocol = PROTOCOLS[number % len(PROTOCOLS)]
        draw = np.random.default_rng([SEED, number])  # equal networks for all settings of one area
        for _ in range(n_networks):
            of_head = draw.normal()
            alone = [_judge_alone(one, setting, of_head, draw) for one in protocol]
            places = np.arange(len(protocol))
            if draw.random() < setting.shuffled:
                places = draw.permutation(places)
            counts.update(_judge_together(heads, number, protocol, alone, places))
    return counts


def _judge_alone(one: Planned, setting: Setting, of_head: float, draw: np.random.Generator) -> SeriesResult:
    """Return the row of a series from a network whose logits are calibrated."""
    # Two normal scores of unit spread, d apart, have the area Phi(d / sqrt 2); d * score is the logit.
    apart = np.sqrt(2) * ndtri(setting.area)
    noise = np.sqrt(setting.shared) * of_head + np.sqrt(1 - setting.shared) * draw.normal()
    score = noise + apart / 2 * (1 if one.phase is POST else -1)
    probability = float(sigmoid(np.array(apart * score)))
    lower, upper = setting.band
    is_silent = lower <= probability < upper
    phase = Phase.INDETERMINATE if is_silent else POST if probability >= upper else PRE
    return SeriesResult(
        path=one.plane,
        plane=one.plane,
        status=Status.INDETERMINATE if is_silent else Status.ANSWERED,
        phase=phase,
        probability=probability,
    )


def _judge_together(
    heads: Heads,
    number: int,
    protocol: Sequence[Planned],
    alone: Sequence[SeriesResult],
    places: NDArray[np.integer],
) -> Iterator[tuple[str, str]]:
    """Yield for each series whether it is right alone, and whether together."""
    study = [
        StudySeries(rows=(row,), facts={**HEADER, "AcquisitionTime": f"09{5 * place:02d}00"})
        for row, place in zip(alone, places, strict=True)
    ]
    judged = judge_study(
        study,
        lambda _: 0.5,
        lambda earlier, later: heads.enhances(number, protocol[earlier], protocol[later]),
    )
    for one, before, rows in zip(protocol, alone, judged, strict=True):
        yield _verdict(before, one.phase), _verdict(rows[-1], one.phase)


def _verdict(row: SeriesResult, truth: Phase) -> str:
    if row.phase is Phase.INDETERMINATE:
        return "silent"
    return "right" if row.phase is truth else "wrong"


def measure_bundle(model: Path, n_subjects: int) -> Outcomes:
    """Classify phantom studies of two series from DICOM files without contrast in their headers."""
    cohort = Cohort(subjects=n_subjects, seed=SEED, slices=SLICES)
    phase_of = {label: phase for phase, label in LABEL.items()}
    with tempfile.TemporaryDirectory(prefix="gadoscope-bench-") as temporary:
        folder = Path(temporary) / "dicom"
        write_cohort(cohort, folder, form=Form.DICOM, header=HeaderMode.MISSING)
        with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
            truth = {str(folder / row["path"]): phase_of[Label(row["label"])] for row in csv.DictReader(file)}
        alone, together = (
            {str(Path(row.path).parent): row for row in iter_results([folder], model=model, series_alone=one)}
            for one in (True, False)
        )
    return Counter(
        (_verdict(alone[name], truth[name]), _verdict(together[name], truth[name])) for name in truth
    )


def format_outcomes(outcomes: Mapping[str, Outcomes]) -> str:
    """Return what became of the series as a Markdown table, in per cent of all of them."""
    lines = [
        "| network | answered alone | of all wrong | answered together | of all wrong "
        "| settled rightly | wrongly | withdrawn rightly | wrongly |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, counts in outcomes.items():
        shares = [
            sum(count for (before, _), count in counts.items() if before != "silent"),
            sum(count for (before, _), count in counts.items() if before == "wrong"),
            sum(count for (_, after), count in counts.items() if after != "silent"),
            sum(count for (_, after), count in counts.items() if after == "wrong"),
            *(counts["silent", to] for to in ("right", "wrong")),
            *(counts[of, "silent"] for of in ("wrong", "right")),
        ]
        cells = [f"{100 * share / counts.total():.1f} %" for share in shares]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _summarise(name: str, counts: Outcomes) -> Row:
    """Return what judging together changes, of all series."""
    alone, together = (
        [
            sum(count for pair, count in counts.items() if pair[place] == what) / counts.total()
            for what in ("wrong", "silent")
        ]
        for place in (0, 1)
    )
    wrong, silent = (
        f"{100 * before:.1f} to {100 * after:.1f} %" for before, after in zip(alone, together, strict=True)
    )
    return Row(name, "", f"wrong {wrong}, silent {silent}")


@dataclass(frozen=True)
class Pair:
    """A patient's slices before and after contrast, compared in both orders."""

    subject_id: str
    onward: Change | None
    backward: Change | None

    @property
    def site(self) -> str:
        """Return the hospital: the part of a TCGA barcode before the patient's."""
        return self.subject_id.rpartition("_")[0]


def compare_real_pairs(manifest: Path) -> list[Pair]:
    """Compare the slices of each tcga-lgg patient that are there before and after, and equally large."""
    found: dict[str, dict[Label, dict[str, Path]]] = defaultdict(lambda: defaultdict(dict))
    for item in read_manifest(manifest).items:
        if item.source == REAL_SOURCE and item.subject_id:
            found[item.subject_id][item.label][item.path.stem.rpartition("_")[2]] = item.path
    pairs = []
    for subject_id, slices in sorted(found.items()):
        numbers = sorted(slices[Label.PRE].keys() & slices[Label.POST].keys())
        pre, post = ([_read(slices[label][n]) for n in numbers] for label in (Label.PRE, Label.POST))
        if numbers and len({one.shape for one in [*pre, *post]}) == 1:
            pairs.append(_compare_both_ways(subject_id, np.stack(pre), np.stack(post)))
    return pairs


def _read(path: Path) -> NDArray[np.float64]:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), float)


def _compare_both_ways(subject_id: str, pre: NDArray[np.float64], post: NDArray[np.float64]) -> Pair:
    is_shared = np.ones(pre.shape, bool)
    onward = compare_slices(pre, post, is_shared, REAL_PIXEL_MM)
    backward = compare_slices(post, pre, is_shared, REAL_PIXEL_MM)
    return Pair(subject_id, onward, backward)


def format_pairs(pairs: Sequence[Pair]) -> str:
    """Return by hospital how many pairs are seen to enhance, as a Markdown table."""
    lines = ["| hospital | pairs | seen to enhance | seen in the wrong order |", "|---|---|---|---|"]
    for site in [*sorted({pair.site for pair in pairs}), "all"]:
        own = [pair for pair in pairs if site in (pair.site, "all")]
        counts = (sum(is_seen(one) for one in ones) for ones in zip(*map(_both, own), strict=True))
        lines.append(f"| {' | '.join([site, str(len(own)), *map(str, counts)])} |")
    missed = [pair.subject_id for pair in pairs if not is_seen(pair.onward)]
    return "\n".join([*lines, "", f"Not seen: {', '.join(missed) or 'none'}."])


def _both(pair: Pair) -> tuple[Change | None, Change | None]:
    return pair.onward, pair.backward


def is_seen(change: Change | None) -> bool:
    """Return whether a comparison found enhancement."""
    return change is not None and change.is_enhancement


if __name__ == "__main__":
    main()
