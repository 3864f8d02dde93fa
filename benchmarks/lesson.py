"""The lesson, timed against itself in Keras: same folders, same run, same machine.

    make bench

Makes a folder of the lesson's size (722 + 179 + 571 images) with the phantom, runs the peer and then
`gadoscope` on it, and prints one table with what was asked for and what was measured. Ratios matter;
seconds drift with the machine.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.limits import describe_classification, describe_epoch
from benchmarks.processes import Finished, run
from benchmarks.table import Row, begin_parser, finish
from gadoscope.models.blocked import computes_bf16
from gadoscope.training.shipped import CONFIGS

ROOT = Path(__file__).resolve().parents[1]
LESSON = CONFIGS / "lesson.toml"

# The lesson's own numbers of images; Keras divides the first into 722 and 179.
N_TRAIN, N_TEST = 901, 571
SLICES_A_SUBJECT = 6
SIDE_PX = 384
"""Of the images, as of those on which the lesson was first timed; decoding is part of the peer's epoch."""
TIMES = {"fp32": (3.0, 3.0), "bf16": (5.0, 4.0)}
"""How many times faster than Keras an epoch has to be, and all epochs with the evaluation."""
COLD_STARTS = 5
MOST_MEMORY_MB = 400
MANY = 10
"""Peak memory is measured on the test folder and on one so many times as large."""


def main() -> None:
    """Measure and print."""
    parser = begin_parser(__doc__)
    parser.add_argument("--peer-python", type=Path, required=True, help="Python that has TensorFlow")
    parser.add_argument("--peer", type=Path, required=True, help="the peer's script")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--images", type=int, default=N_TRAIN + N_TEST, help="fewer than the lesson has")
    arguments = parser.parse_args()
    if not arguments.peer.exists():
        skipped = "skipped: the peer's script is not here, and ratios need it in the same run"
        finish([_note("the lesson beside Keras", skipped)], arguments.rows)
        return
    with tempfile.TemporaryDirectory(prefix="gadoscope-bench-") as folder:
        work = Path(folder)
        n_train = arguments.images * N_TRAIN // (N_TRAIN + N_TEST)
        _make_slices(work / "slices", n_train, arguments.images - n_train)
        peer, peer_s = _run_peer(arguments, work / "slices")
        counts = f"{peer['n_train']} + {n_train - peer['n_train']} + {peer['n_test']}"
        rows = [_note("images", f"{counts} of {SIDE_PX} x {SIDE_PX} pixels")]
        for precision in TIMES:
            rows += _measure_training(work, precision, peer, peer_s, arguments.epochs)
        rows += _measure_classification(work, peer)
    finish(rows, arguments.rows)


def _make_slices(folder: Path, n_train: int, n_test: int) -> None:
    """Make the lesson's folders; without the manifest, so that both sides divide by file name."""
    made = folder.with_name("phantom")
    n_subjects = -(-(n_train + n_test) // SLICES_A_SUBJECT)
    _gadoscope("phantom", made, "--form", "png", "--subjects", n_subjects, "--seed", 1, "--matrix", SIDE_PX)
    images = sorted(made.rglob("*.png"), key=lambda path: path.name)
    for index, path in enumerate(images[: n_train + n_test]):
        side = "Train" if index < n_train else "Test"
        target = folder / side / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
    shutil.rmtree(made)


def _run_peer(arguments: argparse.Namespace, slices: Path) -> tuple[dict[str, Any], float]:
    command = [arguments.peer_python, arguments.peer, slices / "Train", slices / "Test", arguments.epochs]
    finished = run(command)
    return json.loads(finished.output.splitlines()[-1]), finished.wall_s


def _measure_training(
    work: Path, precision: str, peer: dict[str, Any], peer_s: float, epochs: int
) -> list[Row]:
    if precision == "bf16" and not computes_bf16():
        return [_note("epochs in bf16", "not measured: this processor has no bf16 arithmetic")]
    run = work / f"run-{precision}"
    settings = ("--set", f"precision={precision}", "--epochs", epochs, "--report", run / "report")
    training = _gadoscope("train", LESSON, "--data", work / "slices", "--output", run, *settings)
    metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    epoch_s = statistics.median(row["seconds"] for row in metrics)
    report = json.loads((run / "report" / "report.json").read_text())
    auc = report["splits"]["test"]["auc"]["value"]
    n_train, n_validation = (
        next(row["n_images"] for row in report["data"]["splits"] if row["split"] == split)
        for split in ("train", "validation")
    )
    of_epoch, of_all = TIMES[precision]
    median = _ratio(f"median epoch, {precision}", peer["median_epoch_s"], epoch_s, of_epoch)
    return [
        replace(median, limit=describe_epoch(n_train, n_validation, precision)),
        _ratio(f"{epochs} epochs with evaluation, {precision}", peer_s, training.wall_s, of_all),
        _note(
            f"the same without the epochs, {precision}",
            f"{training.wall_s - sum(row['seconds'] for row in metrics):.1f} s",
        ),
        Row(f"test AUC, {precision}", "", f"{auc:.4f}", peer=f"Keras: {peer['test_auc']:.4f}"),
        _note(f"peak memory of training, {precision}", f"{training.peak_mb:.0f} MB"),
    ]


def _measure_classification(work: Path, peer: dict[str, Any]) -> list[Row]:
    bundle, test = work / "run-fp32" / "model.onnx", work / "slices" / "Test"
    images = sorted(test.rglob("*.png"))
    many = work / "many"
    many.mkdir()
    for copy in range(MANY):
        for index, path in enumerate(images):
            shutil.copy(path, many / f"{copy:02d}-{index:04d}.png")

    few = _gadoscope("classify", test, "--model", bundle, "--output", work / "few.csv")
    lots = _gadoscope("classify", many, "--model", bundle, "--output", work / "many.csv")
    cold = [_gadoscope("classify", images[0], "--model", bundle, "--json") for _ in range(COLD_STARTS)]
    cold_s = statistics.median(start.wall_s for start in cold)
    # The start of the process counts here, as it does for a user; Keras' figure leaves its own out.
    rate = MANY * len(images) / lots.wall_s
    peer_rate = peer["predict_images_per_s"]
    return [
        Row(
            "classify a folder of PNGs, images/s",
            ">= 4 x Keras",
            f"{rate:.0f} = {rate / peer_rate:.1f} x",
            rate >= 4 * peer_rate,
            peer=f"Keras: {peer_rate:.0f}",
            limit=describe_classification(bundle, images),
        ),
        Row("first answer from a cold start", "< 1 s", f"{cold_s:.2f} s", cold_s < 1),
        Row(
            f"peak memory, {len(images)} and {MANY * len(images)} files",
            f"< {MOST_MEMORY_MB} MB",
            f"{few.peak_mb:.0f} and {lots.peak_mb:.0f} MB",
            max(few.peak_mb, lots.peak_mb) < MOST_MEMORY_MB,
        ),
    ]


def _gadoscope(*arguments: object) -> Finished:
    return run([sys.executable, "-m", "gadoscope", *arguments])


def _ratio(name: str, peer_s: float, ours_s: float, asked: float) -> Row:
    ratio = peer_s / ours_s
    measured = f"{ours_s:.1f} s = {ratio:.1f} x faster"
    return Row(name, f">= {asked:g} x Keras", measured, ratio >= asked, peer=f"Keras: {peer_s:.1f} s")


def _note(name: str, measured: str) -> Row:
    return Row(name, "", measured)


if __name__ == "__main__":
    main()
