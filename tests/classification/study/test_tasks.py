"""Whole runs over DICOM studies: series judged together in the table, the summary and after a resume."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from gadoscope.classification.run import iter_results
from gadoscope.cli.main import cli
from gadoscope.errors import ReadError
from gadoscope.imaging import enhancement
from gadoscope.labels import NO_PRE_CONTRAST, ONE_PHASE, Phase, SeriesResult, Status
from tests.support.bundles import with_band, write_tiny_bundle
from tests.support.dicom_files import (
    classic_series,
    dynamic_series,
    rename_series,
    rename_study,
    set_instance_uid,
    write_instance,
    write_series,
)

PRE, POST = Phase.PRE_CONTRAST, Phase.POST_CONTRAST


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return one study: a series before contrast and, a quarter of an hour later, one after."""
    for phase in (PRE, POST):
        write_series(classic_series(phase), tmp_path / "study" / phase)
    return tmp_path / "study"


def _classify(bundle: Path, *paths: Path, series_alone: bool = False) -> dict[str, SeriesResult]:
    rows = iter_results(paths, model=bundle, jobs=2, series_alone=series_alone)
    return {Path(row.path).parent.name: row for row in rows}


def test_a_network_that_sees_no_contrast_is_corrected_by_comparing_the_two_series(
    study: Path, tiny_bundle: Path
) -> None:
    alone = _classify(tiny_bundle, study, series_alone=True)
    assert {row.phase for row in alone.values()} == {PRE}
    together = _classify(tiny_bundle, study)
    assert together[PRE] == replace(alone[PRE], warnings=(ONE_PHASE,))
    assert together[POST].phase is Phase.INDETERMINATE
    assert together[POST].reason.startswith("contradicted_by_study: ")
    assert together[POST].probability == alone[POST].probability


def test_an_indeterminate_pair_is_settled_by_comparing_the_two_series(study: Path, tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "band.onnx", with_band(0.01, 0.06))
    alone, together = (_classify(bundle, study, series_alone=value) for value in (True, False))
    assert {row.status for row in alone.values()} == {Status.INDETERMINATE}
    assert {name: row.phase for name, row in together.items()} == {PRE: PRE, POST: POST}
    assert all(row.reason.startswith("resolved_by_study: ") for row in together.values())


def test_series_of_two_studies_say_nothing_of_each_other(tmp_path: Path, tiny_bundle: Path) -> None:
    write_series(classic_series(PRE), tmp_path / "data" / PRE)
    write_series(rename_study(classic_series(POST), "other"), tmp_path / "data" / POST)
    together, alone = (_classify(tiny_bundle, tmp_path / "data", series_alone=v) for v in (False, True))
    assert together == alone


def test_two_series_of_one_time_are_left_as_they_are(tmp_path: Path, tiny_bundle: Path) -> None:
    for phase in (PRE, POST):
        datasets = classic_series(phase)
        for dataset in datasets:
            dataset.AcquisitionTime = "000000"
        write_series(datasets, tmp_path / "data" / phase)
    together, alone = (_classify(tiny_bundle, tmp_path / "data", series_alone=v) for v in (False, True))
    assert together == alone


def test_the_header_that_speaks_for_a_series_gives_it_its_place_in_time(
    study: Path, tiny_bundle: Path
) -> None:
    first = classic_series(POST)[0]
    first.ImageType = ["ORIGINAL", "PRIMARY", "P"]
    del first.AcquisitionTime
    set_instance_uid(first, "2.25.1")
    write_instance(first, study / POST / "a")
    rows = _classify(tiny_bundle, study)
    assert rows[POST].reason.startswith("contradicted_by_study: ")


def test_what_cannot_be_read_a_second_time_is_not_compared_and_keeps_its_answer(
    study: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = _classify(tiny_bundle, study, series_alone=True)

    def vanish(*_: object) -> None:
        raise ReadError("missing", "the file is gone.")

    monkeypatch.setattr(enhancement, "find_change", vanish)
    assert _classify(tiny_bundle, study) == alone


def test_rows_keep_their_order_and_volumes_theirs_whatever_jobs_is(study: Path, tiny_bundle: Path) -> None:
    dynamic = dynamic_series(n_volumes=2, turns_at=1)
    write_series(dynamic, study / "dynamic")
    write_series(rename_study(classic_series(PRE), "next"), study / "z-next")
    one, many = (list(iter_results([study], model=tiny_bundle, jobs=jobs)) for jobs in (1, 4))
    assert one == many
    assert [row.volume_index for row in one if Path(row.path).parent.name == "dynamic"] == [0, 1, None]
    assert Path(one[-1].path).parent.name == "z-next"


def test_the_summary_counts_what_the_studies_changed_and_which_to_look_at(
    study: Path, tmp_path: Path
) -> None:
    bundle = write_tiny_bundle(tmp_path / "tiny.onnx", with_band(0.0, 0.0))  # whatever it sees is post
    later = rename_series(classic_series(POST), "later")
    for dataset in later:
        dataset.AcquisitionTime, dataset.RepetitionTime = "093000", "1234"
    write_series(later, study / "later")
    result = CliRunner().invoke(cli, ["classify", str(study), "--model", str(bundle), "--json"])
    assert result.exit_code == 0, result.output
    assert "indeterminate: contradicted_by_study 1" in result.stderr
    assert "studies to look at: 1 with one phase before and after enhancement" in result.stderr
    alone = CliRunner().invoke(
        cli, ["classify", str(study), "--model", str(bundle), "--json", "--series-alone"]
    )
    assert "studies to look at" not in alone.stderr
    assert NO_PRE_CONTRAST not in alone.stdout


def test_a_resumed_run_judges_the_study_again_when_a_series_has_come(
    study: Path, tmp_path: Path, tiny_bundle: Path
) -> None:
    (study / POST).rename(tmp_path / "later")
    output = tmp_path / "answers.csv"
    command = ["classify", str(study), "--model", str(tiny_bundle), "--output", str(output)]
    assert CliRunner().invoke(cli, command).exit_code == 0
    assert "contradicted_by_study" not in output.read_text(encoding="utf-8")
    (tmp_path / "later").rename(study / POST)
    for _ in range(2):  # the second time both answers come from the journal
        assert CliRunner().invoke(cli, [*command, "--resume"]).exit_code == 0
        resumed = output.read_text(encoding="utf-8")
        assert "contradicted_by_study" in resumed
    assert CliRunner().invoke(cli, command).exit_code == 0
    assert output.read_text(encoding="utf-8") == resumed
    assert CliRunner().invoke(cli, [*command, "--resume", "--series-alone"]).exit_code == 0
    assert "contradicted_by_study" not in output.read_text(encoding="utf-8")
