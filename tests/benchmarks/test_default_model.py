"""The benchmark of the default model on images that it was not trained on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.default_copies import COPIES, suppress
from benchmarks.default_model import (
    Scored,
    ask,
    choose_items,
    format_copies,
    format_gate,
    format_out_of_fold,
    order_pairs,
    pool,
)
from gadoscope.decision.calibration import sigmoid
from gadoscope.decision.gate import Gate
from gadoscope.inference.session import Session
from gadoscope.labels import Label, Phase
from gadoscope.preparation.items import Item
from gadoscope.statistics.table import from_rows
from tests.support.bundles import write_gated_bundle


def test_a_slice_that_the_gate_refuses_has_no_phase_and_a_dark_one_has(tmp_path: Path) -> None:
    session = Session(write_gated_bundle(tmp_path / "gated.onnx"))
    side = session.bundle.metadata.image_path.size
    bright, dark = (np.full((side, side), grey, np.uint8) for grey in (255, 20))
    assert ask(session, bright)[2] is None
    assert ask(session, dark)[2] is not None


def test_where_nothing_is_answered_nothing_is_copied(tmp_path: Path) -> None:
    session = Session(write_gated_bundle(tmp_path / "gated.onnx"))
    refused = Scored(Item(path=tmp_path / "bright.png", label=Label.PRE), -1.0, called_post=False, phase=None)
    assert format_copies(session, [refused]) == "None of the T1 images is answered, so none was copied."


def test_a_scan_is_refused_by_the_mean_of_its_slices_and_counted_once(tmp_path: Path) -> None:
    def see(source: str, subject: str, t1_brain: float) -> Scored:
        item = Item(path=tmp_path / "one.png", label=Label.OTHER, source=source, subject_id=subject)
        phase = None if t1_brain < 0 else Phase.PRE_CONTRAST
        return Scored(item, -1.0, called_post=False, phase=phase, t1_brain=t1_brain)

    gate = Gate(threshold=0.5, max_refused=0.01, chosen_on="", reached="")
    scans = {"a": (-3.0, 1.0, 1.0), "b": (-1.0, 3.0)}
    seen = [see("volunteer-t2", subject, logit) for subject, logits in scans.items() for logit in logits]
    table = format_gate([*seen, see("feltrin-t2", "tumour", -1.0)], gate).splitlines()[2:]
    assert table == ["| feltrin-t2 | 1 | 100.0% | - | - |", "| volunteer-t2 | 5 | 40.0% | 2 | 50.0% |"]


def test_a_copy_is_another_image_and_the_image_stays_as_it_was() -> None:
    image = np.random.default_rng(0).integers(0, 255, (40, 60), np.uint8)
    before = image.copy()
    for make, _ in COPIES.values():
        copy = make(image)
        assert copy.dtype == np.uint8
        assert copy.shape != image.shape or (copy != image).any()
    np.testing.assert_array_equal(image, before)


def test_a_copy_with_suppressed_fat_has_a_dark_rim_around_a_bright_brain() -> None:
    row, column = np.mgrid[-1:1:200j, -1:1:200j]
    radius = np.hypot(row, column)
    head = np.select([radius < 0.75, radius < 0.85], [100, 220], 0).astype(np.uint8)
    before, after = (suppress(head, amount=amount).astype(int) for amount in (0.0, 0.8))
    middle = len(before) // 2
    ear = int(np.argmax(before[middle] > 0)) + 4
    darker = after[middle, ear] / before[middle, ear]
    assert darker < 0.3 * after[middle, middle] / before[middle, middle]


def test_patients_that_taught_no_subtraction_have_a_row_of_their_own() -> None:
    subjects = {"a": "tcga-lgg", "b": "tcga-lgg", "c": "figshare-cheng-subtracted"}
    table = from_rows(
        [
            {
                "path": f"{subject}-{label}.png",
                "subject_id": subject,
                "source": source,
                "plane": "axial",
                "split": "validation",
                "reference_label": label,
                "logit": logit,
                "probability": float(sigmoid(np.array(logit))),
            }
            for subject, source in subjects.items()
            for label, logit in (("pre", -1.0), ("post", 1.0))
        ]
    )
    rows = [line for line in format_out_of_fold(table).splitlines() if "no subtraction learnt from" in line]
    assert len(rows) == 2  # slices and series
    assert all("| 2 |" in row for row in rows)  # of b alone: a is one of every second patient


def test_a_series_has_the_mean_logit_of_its_slices_and_pairs_are_told_apart_by_it() -> None:
    slices = [("s2", "post", (2.0, 4.0)), ("s1", "pre", (-1.0, 3.0)), ("s1", "post", (0.5,))]
    table = from_rows(
        [
            {
                "path": f"{subject}-{label}-{index}.png",
                "subject_id": subject,
                "source": "north",
                "plane": "axial",
                "split": "validation",
                "reference_label": label,
                "logit": logit,
                "probability": float(sigmoid(np.array(logit / 2))),
            }
            for subject, label, logits in slices
            for index, logit in enumerate(logits)
        ]
    )
    series = pool(table)
    found = {
        (subject, is_post): (logit, probability)
        for subject, is_post, logit, probability in zip(
            series.subject_id.tolist(),
            series.is_post.tolist(),
            series.logit.tolist(),
            series.probability.tolist(),
            strict=True,
        )
    }
    for subject, label, logits in slices:
        mean = np.array(sum(logits) / len(logits))
        assert found.pop((subject, label == "post")) == pytest.approx((float(mean), float(sigmoid(mean / 2))))
    assert not found
    assert order_pairs(series) == "0 of 1"


def test_what_a_run_held_out_may_judge_it(tmp_path: Path) -> None:
    rows = "path,subject_id,label,plane,source,split\na.png,a,pre,,x,{0}\nb.png,b,post,,y,{1}\n"
    for name in ("a.png", "b.png"):
        Image.new("L", (32, 32)).save(tmp_path / name)
    (tmp_path / "all.csv").write_text(rows.format("", ""))
    (tmp_path / "run.csv").write_text(rows.format("train", "test"))
    chosen = choose_items(tmp_path / "all.csv", [tmp_path / "run.csv"], [])
    assert [item.subject_id for item in chosen] == ["b"]
