"""How long the whole report takes, and how much memory, from the scores of 10,000 slices.

    make bench
    python -m benchmarks.report --slices 10000

The scores are drawn by chance: 8 slices of a subject, half of them post-contrast, three sources, three
planes, vendors and ages, a tenth of the slices validation. Measured is everything that `gadoscope evaluate`
does after the network has answered: figures with intervals by slice, series and subject, subgroups,
calibration and abstention, four rivals in pairs, all curves, the page, and the three files. Reading and
scoring the images, and the pictures of wrong answers, are not in it: they cost as much an image as
`gadoscope classify`.
"""

import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.table import Row, begin_parser, finish
from gadoscope.decision.calibration import Calibration
from gadoscope.decision.decision import Decision, LevelDecision
from gadoscope.decision.operating_point import OperatingPoint
from gadoscope.evaluation.caveats import Context
from gadoscope.evaluation.comparison import Rival, compare
from gadoscope.evaluation.page import draw_figures, render_html
from gadoscope.evaluation.report import Evaluated, build_report
from gadoscope.evaluation.rivals import RIVALS, answer_without
from gadoscope.evaluation.summary import summarise
from gadoscope.evaluation.wrong import describe_wrong, list_wrong
from gadoscope.files import write_text
from gadoscope.imaging.intensity import ImagePath
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.inference.bundle import Bundle, BundleMetadata
from gadoscope.labels import Split
from gadoscope.statistics.resampling import DRAWS
from gadoscope.statistics.table import Predictions, write_predictions

SLICES, SLICES_A_SUBJECT = 10_000, 8
MOST_S, MOST_MB = 60, 1000
THRESHOLD = 0.4
CALIBRATION = Calibration(method="temperature", parameters={"temperature": 1.25})
POINT = OperatingPoint(
    threshold=THRESHOLD,
    lower=0.3,
    upper=0.6,
    rule="balanced_accuracy",
    chosen_on="validation: drawn by chance",
)
DECISION = Decision(of_slice=LevelDecision(point=POINT, calibration=CALIBRATION))
SEED = 4


def main() -> None:
    """Measure and print."""
    parser = begin_parser(__doc__)
    parser.add_argument("--slices", type=int, default=SLICES)
    arguments = parser.parse_args()
    predictions = draw_scores(arguments.slices)
    before_mb = peak_mb()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="gadoscope-bench-") as folder:
        write_report(predictions, Path(folder))
        page_mb = (Path(folder) / "report.html").stat().st_size / 1e6
    seconds = time.perf_counter() - start
    what = f"{len(predictions):,} slices, {DRAWS:,} draws"
    rows = [
        Row(f"whole report, {what}", f"< {MOST_S} s", f"{seconds:.1f} s", seconds < MOST_S),
        Row("most memory", f"< {MOST_MB} MB", f"{peak_mb():.0f} MB", peak_mb() < MOST_MB),
        Row("of it before the report", "", f"{before_mb:.0f} MB"),
        Row("the page", "", f"{page_mb:.1f} MB"),
    ]
    finish(rows, arguments.rows)


def draw_scores(n: int) -> Predictions:
    """Return ``n`` slices with scores that are mostly right."""
    generator = np.random.default_rng(SEED)
    subject = np.arange(n) // SLICES_A_SUBJECT
    is_post = np.arange(n) % SLICES_A_SUBJECT >= SLICES_A_SUBJECT // 2
    head = generator.normal(0, 1, subject.max() + 1)[subject]
    logit = 3 * (is_post - 0.5) + head + generator.normal(0, 1, n)

    def name(*names: str) -> np.ndarray:
        return np.array(names)[subject % len(names)]

    return Predictions(
        path=np.array([f"/data/{row:06}.png" for row in range(n)]),
        subject_id=np.array([f"s{one}" for one in subject]),
        source=name("first", "second", "third"),
        plane=name("sagittal", "axial", "coronal", "sagittal", "axial"),
        split=np.where(subject % 10 == 0, Split.VALIDATION.value, Split.TEST.value),
        is_post=is_post,
        logit=logit,
        probability=CALIBRATION.apply(logit),
        attributes={
            "vendor": name("Siemens", "GE", "Philips", ""),
            "field_strength": name("1.5 T", "3 T"),
            "sex": name("female", "male"),
            "age_band": name("<20", "20-39", "40-59", "60-79", "80+"),
        },
    )


def write_report(predictions: Predictions, folder: Path) -> None:
    """Make the report from scores and write its three files."""
    metadata = BundleMetadata(
        name="benchmark",
        network="none",
        n_parameters=0,
        image_path=ImagePath(),
        slice_policy=SlicePolicy(),
        planes=(),
        decision=DECISION,
    )
    evaluated = Evaluated(
        bundle=Bundle(path=Path("benchmark.onnx"), sha256="0" * 64, metadata=metadata),
        data={"origin": "chance", "splits": [], "unread": [], "notices": []},
        training=None,
    )
    verdict = predictions.with_split(Split.TEST)
    first = Rival(
        name="benchmark",
        meaning="drawn by chance",
        score=verdict.logit,
        called_post=DECISION.of_slice.calls_post(verdict.probability),
    )
    columns = {path: {"series_description": "T1 SAG"} for path in verdict.path.tolist()}
    others = [answer_without(name, verdict, columns) for name in RIVALS]
    splits = summarise(predictions, DECISION)
    wrong = list_wrong(predictions, DECISION.of_slice.point.threshold)
    report = build_report(
        evaluated,
        splits,
        Context(split=Split.TEST.value),
        describe_wrong(predictions, wrong, 0),
        comparison={**compare(verdict, first, others), "series": None},  # none is told by chance
    )
    page = render_html(report, draw_figures(report, splits, DECISION), [], DECISION)
    write_predictions(predictions, folder / "predictions.csv")
    write_text(folder / "report.json", json.dumps(report, indent=1, allow_nan=False))
    write_text(folder / "report.html", page)


def peak_mb() -> float:
    """Return the largest resident memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    main()
