"""The benchmark that counts every decision at hospitals that nobody trained at."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.hospitals import (
    REFUSED,
    TWIN,
    Answer,
    ask_all,
    format_others,
    format_phases,
    format_twins,
    read_answers,
    strip_skull,
    thin_out,
    write_answers,
)
from gadoscope.inference.session import Session
from gadoscope.labels import Label, Phase, Plane
from gadoscope.preparation.items import Item
from tests.support.bundles import write_gated_bundle

PRE, POST, SILENT = (phase.value for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST, Phase.INDETERMINATE))


def answer(
    label: str, outcome: str, *, probability: float = 0.5, source: str = "one", number: int = 0
) -> Answer:
    return Answer(
        path=f"/{number}.png",
        source=source,
        subject=f"s{number}",
        plane="sagittal",
        label=label,
        logit=8 * probability - 4,
        probability=probability,
        t1_brain=-1.0 if outcome == REFUSED else 1.0,
        outcome=outcome,
    )


def cells_of(table: str, row: int = 0) -> list[str]:
    return [cell.strip() for cell in table.splitlines()[2 + row].strip("|").split("|")]


def test_the_outcomes_are_the_words_of_the_phases(tmp_path: Path) -> None:
    session = Session(write_gated_bundle(tmp_path / "gated.onnx"))
    side = session.bundle.metadata.image_path.size
    items = []
    for name, grey in (("bright", 255), ("dark", 20)):
        pixels = np.zeros((side, side), np.uint8)
        pixels[side // 8 : -side // 8, side // 8 : -side // 8] = grey
        pixels[:2] = grey
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        items.append(Item(path=tmp_path / f"{name}.png", label=Label.PRE, subject_id=name, source="x"))
    outcomes = {one.outcome for one in ask_all(session, items)}
    assert outcomes <= {REFUSED, PRE, POST, SILENT}
    assert len(ask_all(session, items)) == 2


def test_a_refused_slice_is_wrong_and_an_undecided_one_is_called_at_even_odds() -> None:
    assert not answer("pre", REFUSED).is_right
    assert answer("pre", SILENT, probability=0.49).is_right
    assert not answer("pre", SILENT, probability=0.5).is_right
    assert answer("post", SILENT, probability=0.5).is_right
    assert answer("post", POST).is_right
    assert not answer("post", PRE).is_right


def test_a_silent_error_is_one_that_is_answered() -> None:
    assert answer("post", PRE).is_silent_error
    assert not any(
        one.is_silent_error
        for one in (answer("post", REFUSED), answer("post", SILENT, probability=0.1), answer("post", POST))
    )


def test_a_plane_has_one_row_in_which_every_decision_counts() -> None:
    outcomes = [
        *[("pre", PRE, 0.1)] * 6,
        ("pre", REFUSED, 0.1),
        ("pre", POST, 0.9),
        *[("post", POST, 0.9)] * 3,
        ("post", SILENT, 0.4),
    ]
    answers = [
        answer(label, outcome, probability=p, number=number)
        for number, (label, outcome, p) in enumerate(outcomes)
    ]
    source, plane, n_pre, n_post, balanced, sensitivity, specificity, _, silent, refused, undecided = (
        cells_of(format_phases(answers))
    )
    assert (source, plane, n_pre, n_post) == ("one", "sagittal", "8", "4")
    assert balanced.startswith("75.0 ")
    assert sensitivity.startswith("75.0 ")
    assert specificity.startswith("75.0 ")
    assert silent.startswith("8.3 ")
    assert refused.startswith("8.3 ")
    assert undecided == "8.3%"


def test_a_source_with_one_label_has_no_balanced_accuracy_and_its_own_rate() -> None:
    answers = [answer("pre", PRE, number=number) for number in range(4)]
    cells = cells_of(format_phases(answers))
    assert cells[4] == cells[5] == "-"
    assert cells[6].startswith("100.0 ")


def test_a_twin_is_beside_its_own_head_and_changes_its_phase_only_where_both_are_answered() -> None:
    answers = [answer("post", POST, number=1), answer("post", POST, number=2), answer("post", PRE, number=3)]
    answers += [
        answer("post", outcome, source=f"{TWIN}one", number=number)
        for number, outcome in ((1, PRE), (2, REFUSED), (3, PRE))
    ]
    assert cells_of(format_twins(answers)) == ["sagittal", "post", "3", "33.3%", "66.7%", "50.0%"]
    assert "bare" not in format_phases(answers)


def test_other_images_are_counted_by_source() -> None:
    answers = [answer("other", REFUSED, number=1), answer("other", PRE, number=2)]
    assert cells_of(format_others(answers))[:2] == ["one", "2"]
    assert cells_of(format_others(answers))[2].startswith("50.0 ")


def test_answers_are_read_as_they_were_written(tmp_path: Path) -> None:
    answers = [answer("pre", PRE, probability=0.123456789), answer("other", REFUSED, number=2)]
    write_answers(answers, tmp_path / "new" / "answers.csv")
    assert read_answers(tmp_path / "new" / "answers.csv") == answers


@pytest.mark.parametrize(("every", "most", "expected"), [(1, 0, 20), (2, 0, 10), (1, 5, 5), (2, 5, 5)])
def test_a_source_is_thinned_by_plane_and_label(every: int, most: int, expected: int) -> None:
    items = [
        Item(path=Path(f"/{plane}{number}.png"), label=Label.PRE, plane=plane, source="one")
        for plane in (Plane.AXIAL, Plane.SAGITTAL)
        for number in range(20)
    ]
    thinned = thin_out(items, every, most)
    assert len(thinned) == 2 * expected
    assert {item.plane for item in thinned} == {Plane.AXIAL, Plane.SAGITTAL}


def test_a_twin_has_lost_its_scalp() -> None:
    row, column = np.mgrid[-1:1:200j, -1:1:200j]
    radius = np.hypot(row, column)
    head = np.select([radius < 0.2, radius < 0.65, radius < 0.75, radius < 0.9], [40, 130, 5, 230], 0)
    twin = strip_skull(head.astype(np.uint8), Plane.AXIAL, seed=1)
    assert twin is not None
    assert twin[len(twin) // 2, 8] == 0
    assert twin[len(twin) // 2, len(twin) // 4] > 60
