"""A column that almost has the name of one that is read is told, and never passed by in silence."""

from pathlib import Path

import pytest

from gadoscope.errors import ManifestError
from gadoscope.evaluation.attributes import COLUMNS as ATTRIBUTES
from gadoscope.evaluation.overlap import DIGEST_KEY
from gadoscope.inspection.predictors import COLUMNS_LEFT_OUT
from gadoscope.phantom.forms.write import COLUMNS as PHANTOM_COLUMNS
from gadoscope.preparation.columns import FURTHER_COLUMNS, tell_near_columns
from gadoscope.preparation.manifest import REQUIRED_COLUMNS, read_manifest
from gadoscope.training.kinds import KIND_COLUMN
from gadoscope.training.sampling import SLICE_COLUMN
from tests.preparation.test_manifest import HEADER, ROW, write_table

TABLE = Path("data/manifest.csv")
COMMON = (
    *(
        "image_id",
        "sop_instance_uid",
        "study_instance_uid",
        "age",
        "age_group",
        "sex",
        "site",
        "scanner",
        "page",
    ),
    *(
        "session",
        "sequence",
        "fold",
        "n_slices",
        "slice_thickness_mm",
        "series_description",
        "dose",
        "echo_time",
    ),
)
"""That tables of images have, and that mean what they say."""


def test_every_column_that_is_read_anywhere_is_known() -> None:
    too_short = {"sex", "age"}
    read = {name for names in ATTRIBUTES.values() for name in names} - too_short
    assert read | COLUMNS_LEFT_OUT | {DIGEST_KEY, KIND_COLUMN, SLICE_COLUMN} <= set(FURTHER_COLUMNS)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        *[("splits", "split"), ("spilt", "split"), ("serie", "series"), ("series-id", "series_id")],
        *[("kinds", "kind"), ("license", "licence"), ("sha-256", "sha256"), ("slices", "slice")],
        *[("seriesuid", "series_id"), ("series_instance_id", "series_instance_uid")],
    ],
)
def test_a_name_that_is_almost_one_that_is_read_is_told_with_it(name: str, known: str) -> None:
    (notice,) = tell_near_columns([*REQUIRED_COLUMNS, name], [{name: "x"}], TABLE)
    assert f"the column {name} of the manifest" in notice
    assert notice.endswith(f"did you mean {known}?")


def test_a_name_that_means_something_else_is_not_accused() -> None:
    for name in (*COMMON, *PHANTOM_COLUMNS, *FURTHER_COLUMNS):
        assert tell_near_columns([*REQUIRED_COLUMNS, name], [{name: "x"}], TABLE) == [], name


def test_where_the_known_column_is_there_nothing_is_told() -> None:
    assert tell_near_columns([*REQUIRED_COLUMNS, "split", "splits"], [{"splits": "test"}], TABLE) == []


def test_what_is_almost_the_split_and_holds_one_is_refused_before_anything_learns_from_it(
    tmp_path: Path,
) -> None:
    table = write_table(tmp_path, f"{HEADER},splits", f"{ROW},Train", "b.png,s2,post,sagittal,ixi,test")
    with pytest.raises(
        ManifestError, match=r"has a column splits of test, train; did you mean split\? Rename"
    ):
        read_manifest(table)


def test_the_notice_reaches_whoever_reads_the_manifest(tmp_path: Path) -> None:
    manifest = read_manifest(write_table(tmp_path, f"{HEADER},notes", f"{ROW},upside down"))
    assert manifest.notices == (
        "the column notes of the manifest is none that is known and is kept as it is; did you mean note?",
    )
    assert manifest.items[0].extra == {"notes": "upside down"}
