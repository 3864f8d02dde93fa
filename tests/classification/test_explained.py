"""Why a scan of one's own was answered so: its slices, evidence on the head that follows weights."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from PIL import Image

from gadoscope.classification.classifier import Classifier
from gadoscope.classification.explained import ExplainedSeries, explain_scan
from gadoscope.classification.explained_page import render_explained
from gadoscope.errors import UsageError
from gadoscope.explanation.occlusion import QUICK_STRIDE, occlude
from gadoscope.imaging.foreground import find_foreground
from gadoscope.inference.default import DEFAULT_BUNDLE
from gadoscope.inference.session import Session
from gadoscope.labels import Phase, Plane, SlicedResult, Status
from gadoscope.phantom.forms.cohort import Cohort
from gadoscope.phantom.forms.write import Form, write_cohort
from tests.support.commands import run_command


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two series of a phantom, before and after contrast, a slice each."""
    folder = tmp_path_factory.mktemp("study") / "heads"
    cohort = Cohort(subjects=1, seed=6, slices=1, matrix=96, plane=Plane.AXIAL, brain=True, lesions=0)
    write_cohort(cohort, folder, form=Form.DICOM)
    return folder / "sub-001"


@pytest.fixture(scope="module")
def explained(study: Path) -> tuple[ExplainedSeries, ...]:
    with Classifier("default", 1) as classifier:
        return explain_scan(study, classifier)


def test_each_series_of_a_study_has_its_slices_and_an_answer_like_that_of_classify(
    study: Path, explained: tuple[ExplainedSeries, ...]
) -> None:
    with Classifier("default", 1) as classifier:
        rows = list(classifier.classify(study))
    assert [one.result.phase for one in explained] == [row.phase for row in rows]
    assert [one.result.probability for one in explained] == [row.probability for row in rows]
    assert [len(one.slices) for one in explained] == [row.n_slices_used for row in rows]


def test_the_slices_are_those_that_were_answered_from_and_no_scan_is_read_twice(
    explained: tuple[ExplainedSeries, ...],
) -> None:
    for one in explained:
        assert isinstance(one.result, SlicedResult)
        assert one.result.slices is not None
        assert len(one.result.slices) == len(one.slices) == one.result.n_slices_used
        assert all(np.shares_memory(shown.pixels, one.result.slices) for shown in one.slices)


def test_no_evidence_lies_outside_the_head(explained: tuple[ExplainedSeries, ...]) -> None:
    for one in explained:
        assert one.strongest > 0
        for shown in one.slices:
            places = np.arange(len(shown.pixels), dtype=np.float64) + 0.5
            outside = ~find_foreground(shown.pixels).is_head(places, places)
            assert outside.mean() > 0.1
            assert not shown.evidence[outside].any()


def check_evidence(explained: tuple[ExplainedSeries, ...], bundle: Path) -> None:
    shown = explained[-1].slices[0]
    places = np.arange(len(shown.pixels), dtype=np.float64) + 0.5
    head = find_foreground(shown.pixels).is_head(places, places)
    assert shown.evidence[head].any()
    same = occlude(Session(bundle), shown.pixels, step=QUICK_STRIDE, within=head)
    np.testing.assert_array_equal(same[head], shown.evidence[head])


def test_evidence_is_what_hiding_a_patch_changes(study: Path, tiny_bundle: Path) -> None:
    with Classifier(tiny_bundle, 1) as classifier:
        check_evidence(explain_scan(study, classifier), tiny_bundle)


@pytest.mark.slow
def test_the_evidence_of_the_default_bundle_is_what_hiding_a_patch_changes(
    explained: tuple[ExplainedSeries, ...],
) -> None:
    """In small: `test_evidence_is_what_hiding_a_patch_changes`."""
    check_evidence(explained, DEFAULT_BUNDLE)


def test_the_maps_follow_the_weights(explained: tuple[ExplainedSeries, ...], tmp_path: Path) -> None:
    shuffled = onnx.load(str(DEFAULT_BUNDLE))
    generator = np.random.default_rng(1)
    for weights in shuffled.graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.ndim == 4:  # the kernels of convolutions
            mixed = generator.permutation(values.ravel()).reshape(values.shape)
            weights.CopyFrom(numpy_helper.from_array(mixed, weights.name))
    onnx.save(shuffled, tmp_path / "shuffled.onnx")
    shown = explained[-1].slices[0]
    other = occlude(Session(tmp_path / "shuffled.onnx"), shown.pixels, step=QUICK_STRIDE)
    head = shown.evidence != 0
    assert abs(np.corrcoef(shown.evidence[head], other[head])[0, 1]) < 0.5


def test_the_page_says_the_phase_the_header_and_each_slice_and_loads_nothing(
    explained: tuple[ExplainedSeries, ...],
) -> None:
    page = render_explained(explained, "default")
    assert "<h1>2 series or volumes: 1 before contrast, 1 after contrast</h1>" in page
    assert f"<code>{explained[0].result.model}</code>" in page
    assert "POST GD" in page
    assert page.count('as the network saw it"') == sum(len(one.slices) for one in explained)
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_command_writes_a_page_or_a_picture_of_one_slice(
    study: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    one = next(study.rglob("*.dcm"))
    for name in ("why.html", "why.png"):
        done = run_command("explain", one, "--output", tmp_path / name, "--model", tiny_bundle)
        assert done.returncode == 0, done.stderr
        assert any(phase.value in done.stdout for phase in Phase)
    with Image.open(tmp_path / "why.png") as picture:
        assert picture.height > 400


def test_what_is_refused_is_shown_with_the_reason(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (120, 120), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    done = run_command("explain", tmp_path / "noise.png", "--output", tmp_path / "why.html")
    assert done.returncode == 0, done.stderr
    assert Status.REFUSED.value in (tmp_path / "why.html").read_text()
    page = (tmp_path / "why.html").read_text()
    assert "not_t1_brain" in page
    assert 'as the network saw it"' in page
    assert "with its evidence" not in page


@pytest.mark.parametrize(
    ("scan", "output", "code", "said"),
    [
        ("none", "why.html", 3, "explained"),
        ("cut.png", "why.html", 3, "explained"),
        ("cut.png", "why.png", 2, "no slice of this was read"),
        ("cut.png", "why.pdf", 2, "ends in .html or .png"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, scan: str, output: str, code: int, said: str) -> None:
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(30))
    done = run_command("explain", tmp_path / scan, "--output", tmp_path / output)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_closed_classifier_has_no_session() -> None:
    classifier = Classifier("default", 1)
    classifier.close()
    with pytest.raises(UsageError, match="closed"):
        _ = classifier.session
