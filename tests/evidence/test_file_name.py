"""File names: what in them is a word for the agent, and what only looks like one."""

import pytest

from gadoscope.evidence.file_name import FILE_NAME, read_file_name
from gadoscope.evidence.name_hint import may_speak
from gadoscope.evidence.reconcile import read_evidence
from gadoscope.evidence.state import HeaderState
from gadoscope.labels import QuoteMode

POST, PRE, SILENT = HeaderState.ADMINISTERED, HeaderState.NOT_ADMINISTERED, HeaderState.SILENT

NAMES = {
    POST: """\
BraTS-GLI-00000-000-t1c.nii.gz|UCSF_T1gad.nii.gz|sub-01_acq-postgad_T1w.nii.gz|x_T1c_bias.nii.gz
patient_t1Gd.nii.gz|t1_ce.nii|BraTS19_CBICA_AAB_1_t1ce.nii.gz|UPENN-GBM-00001_11_T1GD.nii.gz
t1_gd.nii.gz|sub-01_ce-gd_T1w.png|sub-01_acq-post_T1w.nii.gz|brain_ce.nii.gz|t1c.nii.gz|T1Gd_012.png
T1_Gd_0.png|T1_KM.nii|scan_postcontrast.nii|T1_post_gd.nii|t1_with_contrast.png|T1Gado.nii
pat_gadolinium_T1.nii|MultiHance_T1.nii|T1_contrast_enhanced.nii|T1post.nii.gz|ce_T1.nii.gz|T1w_ce.nii
sub-01_ses-pre_acq-gd_T1w.nii.gz|T1CE.nii|t1c_012.png|sub-01_acq-ce_T1w|t1_gadovist.nii
sub-01_acq-T1gd_T1w.nii|T1+C.nii|sub-01_T1c.nii.gz|T1增强.nii.gz|T1-gd.nii|t1-ce.nii.gz
case1-t1-post-contrast.nii""",
    PRE: """\
BraTS-GLI-00000-000-t1n.nii.gz|sub-01_acq-pregad_T1w.nii.gz|T1_precontrast.nii|T1_noGd.nii|T1_nativ.nii
sub-01_acq-pre_T1w.nii.gz|T1_without_contrast.nii|T1_pre_gd.nii.gz|t1n.nii.gz|sub-01_ce-none_T1w.png
noncontrast_T1.nii|T1pre.nii.gz|unenhanced.nii|t1_preGd_0.png""",
    SILENT: """\
slice_001.png|slice.png|sub-01_ses-post_T1w.nii.gz|sub-post_T1w.nii.gz|post_T1.nii.gz|T1_post.nii.gz
ce_matin.png|GD_0012.png|GD.nii|T1_c.nii.gz|T1.nii.gz|T1N0M0.png|T1C5.nii|sub-gd01_T1w.nii.gz
con_0001.nii|contrast.nii|contrast1.nii|space.nii|face.png|sub-01_desc-preproc_T1w.nii.gz|native.nii
T1_native.nii|blanco.nii|pre_treatment_T1.nii|post_surgery_T1.nii|sub-01_task-contrast_T1w.nii
T1_pre_post_gd.nii|T1_gd_wwo.nii|KM_001.png|img_km_3.png|sub-01_run-01_T1w.nii.gz|Claire_ce_T2.nii.gz
dce.nii|MNI152_T1_1mm.nii.gz|source.nii|distance.nii|T1_c001.nii|coupe_de_ce_cerveau.png
t1_mprage_sag_c1.nii|GD_patient_T2.nii.gz|postop_T1.nii|T1_enhanced.png""",
}
PAIRS = [(state, name) for state, table in NAMES.items() for name in table.replace("\n", "|").split("|")]


@pytest.mark.parametrize(("state", "name"), PAIRS)
def test_a_file_name_says_what_its_words_for_the_agent_say(state: HeaderState, name: str) -> None:
    said = read_file_name({FILE_NAME: name})
    assert said.state is state
    assert bool(said.quote) == (state is not SILENT)
    assert state is SILENT or may_speak(name)


def test_the_words_that_decided_are_quoted_and_no_more() -> None:
    said = read_evidence({FILE_NAME: "Mueller_1957_t1ce.nii.gz"})
    assert said.quote == 'file name="... t1ce ..."'
    assert said.render(QuoteMode.FULL) == 'file name="Mueller_1957_t1ce.nii.gz"'


def test_a_name_that_the_sidecar_contradicts_is_silent_with_both_quoted() -> None:
    said = read_evidence({FILE_NAME: "x_t1ce.nii.gz", "SeriesDescription": "T1 nativ"})
    assert said.state is SILENT
    assert said.quote == 'SeriesDescription="... nativ", file name="... t1ce ..."'


def test_the_entity_ce_is_the_agent_s_where_a_reader_of_bids_names_found_it() -> None:
    name = "sub-01_ce-gd_T1w.nii.gz"
    assert read_evidence({FILE_NAME: name}).quote == 'file name="... gd ..."'
    assert read_evidence({FILE_NAME: name, "ce": "gd"}).quote == 'ce="gd"'
