"""Results show themselves in a notebook and become data frames; nothing in a name is markup."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import gadoscope as gs
from gadoscope.explanation.explain import Explanation
from gadoscope.labels import RESULT_COLUMNS, Phase, PicturedResult, SeriesResult, Status
from gadoscope.results.tables import write_table
from tests.support.bundles import with_band, write_tiny_bundle
from tests.support.dicom_files import classic_series, write_series
from tests.support.slices import grey_values

HOSTILE = "<script>alert(1)</script>\u202e&\"'"
ROW = SeriesResult(
    path=HOSTILE,
    status=Status.INDETERMINATE,
    phase=Phase.INDETERMINATE,
    probability=0.4321,
    reason=f"inside_abstention_band: {HOSTILE}",
    header_quote=HOSTILE,
    warnings=(HOSTILE, "second"),
)


def test_a_row_shows_its_answer_and_nothing_in_it_is_markup() -> None:
    shown = ROW._repr_html_()
    assert "0.432" in shown
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") == 4
    assert "\u202e" not in shown
    assert "; second" in shown


def test_a_row_without_an_answer_has_no_line_from_0_to_1() -> None:
    failed = SeriesResult(path="a.png", status=Status.FAILED, reason="truncated: damaged.")
    assert "<svg" not in failed._repr_html_()
    assert "<svg" in ROW._repr_html_()


def test_with_pictures_rows_show_the_slice_and_the_band_and_are_else_the_same(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "bundle" / "tiny.onnx", with_band(0.25, 0.75))
    write_series(classic_series(Phase.PRE_CONTRAST), tmp_path / "scans")
    whats = [tmp_path / "scans", grey_values()]
    pictured = list(gs.classify(whats, bundle, options=gs.RunOptions(pictures=True)))
    plain = list(gs.classify(whats, bundle))
    for row, other in zip(pictured, plain, strict=True):
        assert isinstance(row, PicturedResult)
        assert row.band == (0.25, 0.75)
        assert row.picture.startswith(b"\x89PNG")
        shown = row._repr_html_()
        assert 'src="data:image/png;base64,iVBOR' in shown
        assert 'x1="40.0"' in shown  # a quarter of the line
        assert [getattr(row, name) for name in RESULT_COLUMNS] == [
            getattr(other, name) for name in RESULT_COLUMNS
        ]
    tables = [write_table(rows, tmp_path / name) for rows, name in ((pictured, "a.csv"), (plain, "b.csv"))]
    assert tables[0].read_bytes() == tables[1].read_bytes()
    with gs.Classifier(bundle) as classifier:
        series = gs.read_series(tmp_path / "scans")
        assert isinstance(classifier.answer(series, options=gs.RunOptions(pictures=True)), PicturedResult)


def test_rows_become_a_data_frame() -> None:
    pytest.importorskip("pandas", reason="needs pandas, of the extra of that name")
    frame = gs.to_dataframe([ROW, replace(ROW, probability=None)])
    assert tuple(frame.columns) == RESULT_COLUMNS
    assert frame["path"].tolist() == [HOSTILE, HOSTILE]
    assert frame["probability"].isna().tolist() == [False, True]
    assert tuple(gs.to_dataframe([]).columns) == RESULT_COLUMNS


@pytest.mark.parametrize("gradcam", [None, np.ones((8, 8), np.float32)])
def test_an_explanation_plots_its_slice_and_each_map(gradcam: np.ndarray | None) -> None:
    explanation = Explanation(
        occlusion=np.zeros((8, 8), np.float32), gradcam=gradcam, pixels=np.zeros((8, 8), np.uint8)
    )
    figure = explanation.plot()
    assert isinstance(figure, Figure)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["slice", "hiding", *(["Grad-CAM"] if gradcam is not None else [])]
    figure.canvas.draw()
