"""BIDS data sets: names, sidecars and their inheritance, and what of a data set is no input."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gadoscope.errors import RefusedError
from gadoscope.evidence.contrast_module import read_agent
from gadoscope.evidence.reconcile import read_evidence
from gadoscope.evidence.sequence import check_sequence
from gadoscope.evidence.state import HeaderState
from gadoscope.labels import Phase, QuoteMode
from gadoscope.phantom.forms.cohort import Cohort, scan
from gadoscope.phantom.forms.headers import HeaderMode
from gadoscope.phantom.forms.nifti import write_bids_root, write_bids_subject
from gadoscope.reading.bids.dataset import check_suffix, find_sidecar_facts, is_bids_metadata, is_derivatives
from gadoscope.reading.bids.sidecar import MAX_SIDECAR_BYTES
from gadoscope.reading.nifti.names import is_pair_image
from gadoscope.reading.series import Facts
from tests.support.nifti_files import nib, open_file, save, values

SAID = {Phase.PRE_CONTRAST: HeaderState.NOT_ADMINISTERED, Phase.POST_CONTRAST: HeaderState.ADMINISTERED}
POST = SAID[Phase.POST_CONTRAST]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    (tmp_path / "ds").mkdir()
    (tmp_path / "ds" / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    return tmp_path / "ds"


def touch(path: Path, content: Any = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def facts_of(path: Path) -> Facts:
    facts, warnings = find_sidecar_facts(path)
    assert facts is not None
    assert warnings == ()
    return facts


# --- The phantom's data sets


@pytest.mark.parametrize("mode", [HeaderMode.RIGHT, HeaderMode.WRONG, HeaderMode.MISSING])
def test_phantom_sidecars_say_what_their_mode_says_and_pass_the_first_gate(
    tmp_path: Path, mode: HeaderMode
) -> None:
    done = scan(Cohort(subjects=1, seed=4, slices=2, matrix=32), 1)
    write_bids_root(tmp_path, [{"participant_id": done.subject.subject_id}])
    for series, _, path in write_bids_subject(done, tmp_path, mode):
        facts = facts_of(path)
        is_post = series.phase is Phase.POST_CONTRAST
        expected = {
            HeaderMode.RIGHT: SAID[series.phase],
            # The name of a post-contrast image still says "ce-gadolinium": a contradiction is silent.
            HeaderMode.WRONG: HeaderState.SILENT if is_post else POST,
            HeaderMode.MISSING: POST if is_post else HeaderState.SILENT,
        }[mode]
        assert read_evidence(facts).state is expected
        assert check_sequence(facts) == ()
        timing = done.scanner.timing
        assert facts["EchoTime"] == pytest.approx(timing.te_ms, abs=1e-3)
        assert facts["RepetitionTime"] == pytest.approx(timing.tr_ms, abs=1e-3)
        check_suffix(path)


def test_what_of_a_phantom_data_set_is_no_image_is_metadata(tmp_path: Path) -> None:
    done = scan(Cohort(subjects=1, seed=4, slices=2, matrix=32), 1)
    write_bids_root(tmp_path, [{"participant_id": done.subject.subject_id}])
    write_bids_subject(done, tmp_path, HeaderMode.RIGHT)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and not path.name.startswith(".")]
    assert len(files) == 8
    assert {path.name for path in files if not is_bids_metadata(path)} == {
        path.name for path in files if path.name.endswith(".nii.gz")
    }


# --- Names


@pytest.mark.parametrize(
    "name",
    [
        "sub-01_T1w.nii.gz",
        "sub-01_ses-2_acq-mprage_ce-gd_run-01_T1w.nii",
        "sub-01_echo-1_part-mag_T1w.nii.gz",
        "sub-01_space-MNI_desc-preproc_T1w.nii.gz",
        "sub-01_inv-1_UNIT1.nii.gz",
        "sub-01_MPRAGE.nii.gz",
        "bold.nii.gz",
        "patient_7_T2w.nii.gz",
        "sub-01_notbids_bold.nii.gz",
        "sub-01_bold.png",
        "IXI002-Guys-0828-T1.nii.gz",
    ],
)
def test_t1w_and_names_that_are_not_bids_pass(name: str) -> None:
    check_suffix(Path("/any") / name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("sub-01_T2w.nii.gz", "t2_weighted"),
        ("sub-01_FLAIR.nii", "flair"),
        ("sub-01_PDw.nii.gz", "proton_density"),
        ("sub-01_dir-AP_dwi.nii.gz", "diffusion"),
        ("sub-01_task-rest_bold.nii.gz", "functional"),
        ("sub-01_asl.nii.gz", "perfusion"),
        ("sub-01_angio.nii.gz", "angiography"),
        ("sub-01_magnitude1.nii.gz", "field_map"),
        ("sub-01_T1map.nii.gz", "parametric_map"),
        ("sub-01_inv-1_MP2RAGE.nii.gz", "other_contrast"),
        ("sub-01_space-T1w_dseg.nii.gz", "segmentation"),
        ("sub-01_pet.nii.gz", "not_mr"),
        ("sub-01_t2W.nii.gz", "t2_weighted"),
        ("sub-01_scout.nii.gz", "localizer"),
        ("sub-01_part-phase_T1w.nii.gz", "phase_image"),
    ],
)
def test_other_suffixes_are_refused_with_what_they_mean(name: str, reason: str) -> None:
    with pytest.raises(RefusedError) as caught:
        check_suffix(Path(name))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("label", "state"), [("gd", POST), ("gadolinium", POST), ("none", SAID[Phase.PRE_CONTRAST])]
)
def test_the_entity_ce_is_evidence_and_its_absence_is_silence(
    dataset: Path, label: str, state: HeaderState
) -> None:
    with_agent = touch(dataset / "sub-01" / "anat" / f"sub-01_ce-{label}_T1w.nii.gz")
    without = touch(dataset / "sub-01" / "anat" / "sub-01_T1w.nii.gz")
    assert read_agent(facts_of(with_agent)).state is state
    assert read_evidence(facts_of(without)).state is HeaderState.SILENT


def test_the_patients_name_in_a_sidecar_is_hidden_where_evidence_quotes_it(tmp_path: Path) -> None:
    touch(tmp_path / "a.json", {"PatientName": "Doe^John", "SeriesDescription": "T1 post gd Doe"})
    evidence = read_evidence(facts_of(touch(tmp_path / "a.nii")))
    assert evidence.quote == 'SeriesDescription="... post gd ..."'
    assert evidence.render(QuoteMode.FULL) == 'SeriesDescription="T1 post gd ..."'


def test_a_lone_file_with_another_name_has_no_header(tmp_path: Path) -> None:
    assert find_sidecar_facts(touch(tmp_path / "scan.nii.gz")) == (None, ())
    assert find_sidecar_facts(touch(tmp_path / "scan")) == (None, ())


# --- Inheritance


def test_a_deeper_sidecar_overrides_a_general_one_and_keeps_the_rest(dataset: Path) -> None:
    touch(dataset / "T1w.json", {"EchoTime": 0.002, "FlipAngle": 9, "Manufacturer": "root"})
    touch(dataset / "acq-x_T1w.json", {"FlipAngle": 10})
    touch(dataset / "sub-01" / "sub-01_T1w.json", {"Manufacturer": "subject"})
    touch(dataset / "sub-01" / "ses-a" / "anat" / "sub-01_ses-a_acq-x_T1w.json", {"EchoTime": 0.003})
    path = touch(dataset / "sub-01" / "ses-a" / "anat" / "sub-01_ses-a_acq-x_T1w.nii.gz")
    facts = facts_of(path)
    assert facts["EchoTime"] == 3.0
    assert facts["FlipAngle"] == 10
    assert facts["Manufacturer"] == "subject"
    assert facts["acq"] == "x"


def test_sidecars_of_other_images_do_not_apply(dataset: Path) -> None:
    folder = dataset / "sub-01" / "anat"
    for name in ("sub-01_T2w", "sub-01_ce-gd_T1w", "sub-01_run-2_T1w", "sub-02_T1w", "sub-01_echo-2_T1w"):
        touch(folder / f"{name}.json", {"ContrastBolusIngredient": "GADOLINIUM"})
    touch(dataset / "sub-02" / "T1w.json", {"ContrastBolusIngredient": "GADOLINIUM"})
    touch(dataset.parent / "T1w.json", {"ContrastBolusIngredient": "GADOLINIUM"})
    assert "ContrastBolusIngredient" not in facts_of(touch(folder / "sub-01_run-1_T1w.nii.gz"))


def test_runs_and_echoes_have_sidecars_of_their_own(dataset: Path) -> None:
    folder = dataset / "sub-01" / "anat"
    for echo, echo_time_s in ((1, 0.0029), (2, 0.0056)):
        touch(folder / f"sub-01_run-1_echo-{echo}_T1w.json", {"EchoTime": echo_time_s})
    paths = [touch(folder / f"sub-01_run-1_echo-{echo}_T1w.nii.gz") for echo in (1, 2)]
    assert [facts_of(path)["EchoTime"] for path in paths] == [2.9, 5.6]


def test_a_relative_path_inherits_too(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(dataset / "T1w.json", {"EchoTime": 0.002})
    touch(dataset / "sub-01" / "anat" / "sub-01_T1w.nii.gz")
    monkeypatch.chdir(dataset / "sub-01")
    assert facts_of(Path("anat/sub-01_T1w.nii.gz"))["EchoTime"] == 2.0


def test_a_sidecar_that_appears_later_is_seen(dataset: Path) -> None:
    path = touch(dataset / "sub-01_T1w.nii.gz")
    assert "EchoTime" not in facts_of(path)
    touch(dataset / "sub-01_T1w.json", {"EchoTime": 0.002})
    os.utime(dataset, ns=(1, 1))  # the clock of a file system may be coarser than this test
    assert facts_of(path)["EchoTime"] == 2.0


@pytest.mark.parametrize("name", ["7_t1_mprage_sag.nii.gz", "sub-01_T1w.nii", "scan.hdr", "Scan.NII.GZ"])
def test_the_sidecar_of_dcm2niix_lies_beside_the_image_without_a_data_set(tmp_path: Path, name: str) -> None:
    path = touch(tmp_path / name)
    stem = name[: name.index(".")]
    touch(tmp_path / f"{stem}.json", {"SeriesDescription": "t1 mprage post KM", "Modality": "MR"})
    assert read_evidence(facts_of(path)).state is POST


# --- What is no input


@pytest.mark.parametrize(
    "name",
    [
        "participants.tsv", "participants.json", "README", "README.md", "CHANGES", "LICENSE", "CITATION.cff",
        "T1w.json", "sub-01/sub-01_scans.tsv", "sub-01/dwi/sub-01_dwi.bval", "sub-01/func/x_physio.tsv.gz",
        "dataset_description.json",
    ],
)  # fmt: skip
def test_files_that_describe_a_data_set_are_no_input_inside_one(
    dataset: Path, tmp_path: Path, name: str
) -> None:
    assert is_bids_metadata(touch(dataset / name) if name != "dataset_description.json" else dataset / name)
    if name != "dataset_description.json":
        assert not is_bids_metadata(touch(tmp_path / "elsewhere" / name))


def test_a_sidecar_is_no_input_beside_its_image_and_one_without_it(tmp_path: Path) -> None:
    touch(tmp_path / "a.nii.gz")
    assert is_bids_metadata(touch(tmp_path / "a.json"))
    assert is_bids_metadata(touch(tmp_path / "a.bvec"))
    assert not is_bids_metadata(touch(tmp_path / "b.json"))


def test_images_in_a_data_set_are_inputs(dataset: Path) -> None:
    for name in ("sub-01_T1w.nii.gz", "figure.png", "scan.dcm", "notes.pdf", "IM0001"):
        assert not is_bids_metadata(touch(dataset / name))


def test_derivatives_are_known_by_their_place_or_their_description(dataset: Path, tmp_path: Path) -> None:
    (dataset / "derivatives").mkdir()
    assert is_derivatives(dataset / "derivatives")
    assert not is_derivatives(dataset)
    (tmp_path / "derivatives").mkdir()
    assert not is_derivatives(tmp_path / "derivatives")
    touch(tmp_path / "fmriprep" / "dataset_description.json", {"DatasetType": "derivative"})
    assert is_derivatives(tmp_path / "fmriprep")
    touch(tmp_path / "odd" / "dataset_description.json", "not JSON")
    assert not is_derivatives(tmp_path / "odd")


def test_the_voxels_of_a_pair_are_no_input_but_a_disk_image_is(tmp_path: Path) -> None:
    save(tmp_path / "a.img", values(), kind=nib.Nifti1Pair)
    assert is_pair_image(tmp_path / "a.img")
    assert not is_pair_image(tmp_path / "a.hdr")
    touch(tmp_path / "b.hdr", "ENVI")
    assert not is_pair_image(touch(tmp_path / "b.img"))
    assert not is_pair_image(touch(tmp_path / "c.img"))


def test_names_of_the_greatest_length_are_no_trouble(tmp_path: Path) -> None:
    for ending in (".json", ".img", ".nii"):
        path = touch(tmp_path / ("x" * (255 - len(ending)) + ending))
        assert not is_bids_metadata(path)
        assert not is_pair_image(path)
        assert find_sidecar_facts(path) == (None, ())


# --- Sidecars that cannot be used


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not JSON", "is not JSON"),
        (b"", "is not JSON"),
        (b"\xff\xfe\x00bad", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"EchoTime": ' + b"9" * 5000 + b"}", "is not JSON"),
        (b"[1, 2]", "holds no object"),
        (b'{"a": "' + b"x" * MAX_SIDECAR_BYTES + b'"}', "has more than 8388608 bytes"),
    ],
    ids=["text", "empty", "no text", "deep", "digits", "list", "huge"],
)
def test_a_sidecar_that_cannot_be_used_is_told_and_the_image_still_read(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = save(tmp_path / "sub-01_ce-gd_T1w.nii.gz", values())
    (tmp_path / "sub-01_ce-gd_T1w.json").write_bytes(content)
    facts, (warning,) = find_sidecar_facts(path)
    assert words in warning
    assert facts is not None
    assert read_evidence(facts).state is POST
    assert np.isfinite(open_file(path).volumes[0].open().read_slices([2])).all()


def test_a_folder_or_a_pipe_in_the_place_of_a_sidecar_is_ignored(tmp_path: Path) -> None:
    path = touch(tmp_path / "a.nii")
    (tmp_path / "a.json").mkdir()
    assert find_sidecar_facts(path) == (None, ())
    path = touch(tmp_path / "sub-01_T1w.nii")
    os.mkfifo(tmp_path / "sub-01_T1w.json")
    facts, warnings = find_sidecar_facts(path)
    assert facts is not None
    assert warnings == ("a JSON sidecar could not be read: it was ignored",)
