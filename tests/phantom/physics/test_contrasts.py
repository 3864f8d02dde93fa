"""Other contrasts of the phantom: tissues in the order that radiologists know them by, from real settings."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gadoscope.errors import UsageError
from gadoscope.labels import Label, Plane, Split
from gadoscope.phantom.forms.cohort import Cohort
from gadoscope.phantom.forms.write import Form, write_cohort
from gadoscope.phantom.head.regions import Region
from gadoscope.phantom.head.subject import Subject, draw_subject
from gadoscope.phantom.head.tissues import RELAXATION, Tissue
from gadoscope.phantom.physics.contrasts import (
    DIFFUSIVITY,
    HOUNSFIELD,
    Contrast,
    Protocol,
    draw_protocol,
    find_null_ms,
)
from gadoscope.phantom.physics.signal import inversion_recovery_spin_echo
from gadoscope.preparation.manifest import read_manifest

SUBJECTS = [draw_subject(3, number) for number in range(1, 9)]
OTHERS = set(Contrast) - {Contrast.T1}
BRAIN = (Region.WHITE_MATTER, Region.CORTEX, Region.CSF)
SMALL = Cohort(subjects=3, seed=1, slices=1, matrix=48, plane=Plane.AXIAL, brain=True)


def _levels(contrast: Contrast, subject: Subject, field_t: float) -> tuple[float, ...]:
    protocol = draw_protocol(contrast, subject, field_t)
    return tuple(protocol.level(region, field_t) for region in BRAIN)


@pytest.mark.parametrize("field_t", [1.5, 3.0])
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.subject_id)
def test_brain_and_fluid_stand_in_the_order_of_each_contrast(subject: Subject, field_t: float) -> None:
    white, grey, fluid = _levels(Contrast.T2, subject, field_t)
    assert white < grey < fluid
    white, grey, fluid = _levels(Contrast.FLAIR, subject, field_t)
    assert fluid < white < grey
    white, grey, _ = _levels(Contrast.PROTON_DENSITY, subject, field_t)
    assert white < grey
    white, grey, fluid = _levels(Contrast.T2_STAR, subject, field_t)
    assert white < grey < fluid
    white, grey, fluid = _levels(Contrast.CT, subject, field_t)
    assert fluid < white < grey


def test_diffusion_weighting_darkens_fluid_far_more_than_brain() -> None:
    plain, weighted = (
        Protocol(contrast=Contrast.DIFFUSION, tr_ms=6000, te_ms=80, b_s_per_mm2=b) for b in (0.0, 1000.0)
    )
    kept = [weighted.level(region, 3.0) / plain.level(region, 3.0) for region in BRAIN]
    np.testing.assert_allclose(kept, [np.exp(-0.75), np.exp(-0.85), np.exp(-3.0)])


def test_ct_numbers_are_hounsfield_units() -> None:
    protocol = Protocol(contrast=Contrast.CT, window_hu=(0, 80))
    assert protocol.level(Region.AIR, 3.0) == 0
    assert np.isclose(protocol.level(Region.WHITE_MATTER, 3.0), 1.027)
    assert protocol.level(Region.BONE, 1.5) > 2


def test_an_inversion_recovery_spin_echo_follows_its_magnetisation() -> None:
    tissue = RELAXATION[Tissue.GREY_MATTER, 3.0]
    tr, te, ti = 2500.0, 60.0, 400.0
    along = 0.0  # longitudinal magnetisation, simulated over repetitions
    for _ in range(5):
        along = 1 - (1 + along) * np.exp(-ti / tissue.t1_ms)  # inverted, then recovering
        excited, along = along, 0.0
        along = 1 - (1 - along) * np.exp(-te / 2 / tissue.t1_ms)
        along = 1 - (1 + along) * np.exp(-(tr - ti - te / 2) / tissue.t1_ms)  # refocused: inverted again
    expected = tissue.proton_density * abs(excited) * np.exp(-te / tissue.t2_ms)
    found = inversion_recovery_spin_echo(tissue, tr_ms=tr, te_ms=te, ti_ms=ti)
    assert np.isclose(found, expected, rtol=1e-9)


def test_a_tissue_is_black_at_its_null() -> None:
    fluid = RELAXATION[Tissue.CSF, 1.5]
    null = find_null_ms(fluid.t1_ms, tr_ms=9000, te_ms=120)
    assert 2000 < null < 2600, "where FLAIR is run in practice"
    assert inversion_recovery_spin_echo(fluid, tr_ms=9000, te_ms=120, ti_ms=null) < 1e-12


def test_every_tissue_has_a_diffusivity_and_a_ct_number() -> None:
    assert DIFFUSIVITY.keys() == HOUNSFIELD.keys() == set(Tissue)


def test_settings_differ_between_subjects_and_never_for_one() -> None:
    for contrast in OTHERS:
        drawn = [draw_protocol(contrast, subject, 3.0) for subject in SUBJECTS]
        assert len(set(drawn)) == len(SUBJECTS)
        assert drawn == [draw_protocol(contrast, subject, 3.0) for subject in SUBJECTS]
    with pytest.raises(ValueError, match="`acquire` makes"):
        draw_protocol(Contrast.T1, SUBJECTS[0], 3.0)


def test_the_slices_of_each_contrast_are_rows_labelled_other_and_t1_keeps_its_phase(tmp_path: Path) -> None:
    contrasts = (Contrast.T1, Contrast.T2, Contrast.CT)
    n_rows = write_cohort(SMALL, tmp_path / "x", form=Form.PNG, contrasts=contrasts)
    manifest = read_manifest(tmp_path / "x")
    n_t1 = sum(len(phases) for phases in SMALL.classes.values())
    assert n_rows == len(manifest.items) == n_t1 + 2 * SMALL.subjects
    for item in manifest.items:
        is_t1 = item.path.relative_to(tmp_path / "x").parts[0] == "t1"
        assert (item.label is not Label.OTHER) == is_t1
        assert item.source == ("phantom" if is_t1 else "phantom-other")
        assert item.plane is Plane.AXIAL
        assert np.asarray(Image.open(item.path)).std() > 5
    splits = {item.subject_id: item.split for item in manifest.items}
    assert set(splits.values()) == set(Split)
    assert all(splits[item.subject_id] is item.split for item in manifest.items)


def test_the_manifest_tells_the_settings(tmp_path: Path) -> None:
    write_cohort(SMALL, tmp_path / "x", form=Form.PNG, contrasts=[Contrast.FLAIR, Contrast.CT])
    with (tmp_path / "x" / "manifest.csv").open(newline="") as file:
        rows = {row["sequence"]: row for row in csv.DictReader(file) if row["subject_id"] == "sub-001"}
    assert float(rows["flair"]["inversion_time_ms"]) > 1500
    assert (rows["ct"]["repetition_time_ms"], rows["ct"]["field_strength_t"]) == ("", "")


@pytest.mark.usefixtures("noise_drawn_anew")
def test_the_same_seed_gives_the_same_bytes_with_other_contrasts_beside(tmp_path: Path) -> None:
    write_cohort(SMALL, tmp_path / "a", form=Form.PNG, contrasts=[Contrast.DIFFUSION])
    write_cohort(SMALL, tmp_path / "b", form=Form.PNG, contrasts=[Contrast.T2, Contrast.DIFFUSION])
    first, second = (sorted((tmp_path / name / "dwi").iterdir()) for name in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_other_forms_have_t1_only(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="contrasts other than t1 are written as png slices only, not as nifti"
    ):
        write_cohort(SMALL, tmp_path / "x", form=Form.NIFTI, contrasts=[Contrast.T2])
    assert not (tmp_path / "x").exists()
