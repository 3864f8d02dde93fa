"""What pybids and bids2table wrote of a data set is an input: the same rows as of its folder."""

import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from subprocess import run

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gadoscope.classification.run import iter_results
from gadoscope.labels import SeriesResult, Status
from gadoscope.phantom.forms.cohort import Cohort
from gadoscope.phantom.forms.write import Form, write_cohort
from gadoscope.reading.archives.indexes import list_index
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.discover import Found, iter_inputs
from tests.support.nifti_files import save, values

# As pybids 0.22 makes them; of its eight tables those that are read, and one that is not.
PYBIDS = """
CREATE TABLE files (
    path VARCHAR NOT NULL, filename VARCHAR, dirname VARCHAR, is_dir BOOLEAN, class_ VARCHAR(20),
    PRIMARY KEY (path)
);
CREATE TABLE layout_info (
    root VARCHAR NOT NULL, absolute_paths BOOLEAN, _derivatives VARCHAR, _config VARCHAR, PRIMARY KEY (root)
);
CREATE TABLE configs (name VARCHAR NOT NULL, _default_path_patterns VARCHAR, PRIMARY KEY (name));
"""
INDEX = "import sys; from bids import BIDSLayout; BIDSLayout(sys.argv[1], database_path=sys.argv[2])"
FOLDER = "sub-001/anat/sub-001_"
PRE, POST, T2 = IMAGES = [f"{FOLDER}{end}.nii.gz" for end in ("T1w", "ce-gadolinium_T1w", "T2w")]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "ds"
    write_cohort(Cohort(subjects=1, seed=1, slices=6, matrix=64), folder, form=Form.BIDS)
    shutil.copy(folder / PRE, folder / T2)
    return folder


@pytest.fixture
def dataset(made: Path, tmp_path: Path) -> Path:
    """Return a data set of two T1 images and a T2 image, with its sidecars and tables."""
    return shutil.copytree(made, tmp_path / "ds")


def index_as_pybids(dataset: Path, into: Path, *more: str) -> Path:
    """Write a database as pybids writes it of all files of a data set."""
    into.mkdir()
    paths = [str(path) for path in sorted(dataset.rglob("*"), reverse=True) if path.is_file()]
    with closing(sqlite3.connect(into / "layout_index.sqlite")) as database, database:
        database.executescript(PYBIDS)
        database.execute("INSERT INTO layout_info VALUES (?, 1, 'false', '[\"bids\"]')", (str(dataset),))
        rows = ((path, Path(path).name, str(Path(path).parent), 0, "file") for path in (*paths, *more))
        database.executemany("INSERT INTO files VALUES (?, ?, ?, ?, ?)", rows)
    return into


def index_as_table(path: Path, listed: list[tuple[str, str]]) -> Path:
    """Write a table with the two columns of bids2table that are read."""
    roots, names = zip(*listed, strict=True)
    columns = {
        "dataset": pa.array(["x"] * len(roots)).dictionary_encode(),
        "root": pa.array(roots).dictionary_encode(),
    }
    table = pa.table({**columns, "path": list(names)}, metadata={"bids2table_version": "2.3.1"})
    pq.write_table(table, path)
    return path


def found(path: Path) -> list[str]:
    """Return the inputs that an index becomes; an error as `path: reason`."""
    (index,) = iter_inputs([path])
    return [str(one.source) + (f": {one.error.reason}" if one.error else "") for one in list_index(index)]


def rows_of(path: Path, bundle: Path) -> list[SeriesResult]:
    return list(iter_results([path], model=bundle, jobs=1))


def only_row(path: Path, bundle: Path) -> str:
    (row,) = rows_of(path, bundle)
    return f"{row.status}: {row.reason}"


def test_a_database_of_pybids_has_the_rows_of_the_data_set(
    dataset: Path, tmp_path: Path, tiny_bundle: Path
) -> None:
    expected = rows_of(dataset, tiny_bundle)
    assert [row.status is Status.REFUSED for row in expected] == [False, True, False]
    database = index_as_pybids(dataset, tmp_path / "layout")
    assert rows_of(database, tiny_bundle) == expected
    assert rows_of(database / "layout_index.sqlite", tiny_bundle) == expected


def test_a_table_of_bids2table_has_the_rows_of_the_data_set(
    dataset: Path, tmp_path: Path, tiny_bundle: Path
) -> None:
    bids2table = pytest.importorskip("bids2table", reason="the table is that of bids2table itself")
    pq.write_table(bids2table.index_dataset(dataset), tmp_path / "b2t.parquet")
    assert rows_of(tmp_path / "b2t.parquet", tiny_bundle) == rows_of(dataset, tiny_bundle)
    assert list(list_index(Found(Source(tmp_path / "b2t.parquet")))) == []  # met in a walk, it is known


@pytest.mark.slow
def test_what_pybids_itself_wrote_has_the_rows_of_the_data_set(
    dataset: Path, tmp_path: Path, tiny_bundle: Path
) -> None:
    if find_spec("bids") is None:
        pytest.skip("the database is that of pybids itself")
    run([sys.executable, "-c", INDEX, str(dataset), str(tmp_path / "layout")], check=True)
    assert rows_of(tmp_path / "layout", tiny_bundle) == rows_of(dataset, tiny_bundle)
    ours = index_as_pybids(dataset, tmp_path / "ours")
    assert [columns_of(one / "layout_index.sqlite", "files") for one in (tmp_path / "layout", ours)] == [
        ["path", "filename", "dirname", "is_dir", "class_"]
    ] * 2


def columns_of(path: Path, table: str) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]


def test_a_file_that_is_gone_has_a_row_and_so_have_the_others(
    dataset: Path, tmp_path: Path, tiny_bundle: Path
) -> None:
    database = index_as_pybids(dataset, tmp_path / "layout")
    expected = rows_of(dataset, tiny_bundle)
    (dataset / PRE).unlink()
    at = [row.path for row in expected].index(str(dataset / PRE))
    rows = rows_of(database, tiny_bundle)
    assert rows[:at] + rows[at + 1 :] == expected[:at] + expected[at + 1 :]
    first = rows[at]
    assert first.status is Status.FAILED
    assert first.path == str(dataset / PRE)
    assert first.reason == (
        "missing: the index names this file, but it is not there; index the data set again."
    )


def test_a_data_set_that_moved_with_its_index_is_found_where_the_index_lies(
    dataset: Path, tmp_path: Path, tiny_bundle: Path
) -> None:
    (dataset / "code").mkdir()
    index_as_pybids(dataset, dataset / "code" / "layout")
    index_as_table(dataset / "index.parquet", [(str(dataset), name) for name in IMAGES])
    moved = tmp_path / "elsewhere"
    dataset.rename(moved)
    images = [str(moved / name) for name in IMAGES]
    assert found(moved / "code" / "layout")[:3] == sorted(images)
    assert found(moved / "index.parquet") == sorted(images)
    expected = [replace(row, path="") for row in rows_of(moved / "sub-001", tiny_bundle)]
    assert [replace(row, path="") for row in rows_of(moved / "index.parquet", tiny_bundle)] == expected


def test_roots_may_be_relative_to_the_index_and_be_several(dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(dataset, tmp_path / "other")
    listed = [("other", POST), ("ds", PRE), (str(dataset), PRE), ("ds", T2)]
    expected = [dataset / PRE, dataset / T2, tmp_path / "other" / POST]
    assert found(index_as_table(tmp_path / "b2t.parquet", listed)) == list(map(str, expected))


def test_results_are_one_row_and_hidden_names_and_what_is_no_image_none(
    dataset: Path, tmp_path: Path
) -> None:
    save_into(dataset / "derivatives" / "proc" / "sub-1_desc-x_T1w.nii.gz")
    save_into(dataset / "derivatives" / "proc" / "sub-2_desc-x_T1w.nii.gz")
    save_into(dataset / ".git" / "sub-1_T1w.nii")
    database = index_as_pybids(dataset, tmp_path / "layout")
    assert found(database)[0] == f"{dataset / 'derivatives'}: bids_derivatives"
    assert found(database)[1:] == [str(dataset / name) for name in sorted(IMAGES)]


def save_into(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save(path, values())


def test_an_index_that_is_met_in_its_data_set_is_no_input(
    dataset: Path, tmp_path: Path, tiny_bundle: Path
) -> None:
    expected = rows_of(dataset, tiny_bundle)
    index_as_pybids(dataset, dataset / "layout")
    index_as_table(dataset / "index.parquet", [(str(dataset), name) for name in IMAGES])
    assert rows_of(dataset, tiny_bundle) == expected


def test_databases_and_tables_of_other_programs_are_refused_in_a_sentence(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    database = tmp_path / "a.db"
    with closing(sqlite3.connect(database)) as other, other:
        other.executescript("CREATE TABLE files (path); CREATE VIEW layout_info AS SELECT 'x' AS root")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "b.parquet")
    (tmp_path / "c.db").write_bytes(database.read_bytes()[:3000])
    assert only_row(database, tiny_bundle) == (
        "refused: unsupported_format: this is an SQLite database, but no index of pybids; name the folder "
        "of the data set."
    )
    assert only_row(tmp_path / "b.parquet", tiny_bundle) == (
        "refused: unsupported_format: this is a Parquet table, but no index of bids2table: it has no columns "
        "root and path."
    )
    met = [f"{row.status}: {row.reason.partition(':')[0]}" for row in rows_of(tmp_path, tiny_bundle)[:3]]
    assert met == ["refused: unsupported_format", "refused: other_file", "refused: unsupported_format"]


def test_a_damaged_index_and_an_empty_one_say_so(dataset: Path, tmp_path: Path, tiny_bundle: Path) -> None:
    table = index_as_table(tmp_path / "b2t.parquet", [(str(dataset), name) for name in IMAGES])
    table.write_bytes(table.read_bytes()[:-40])
    database = index_as_pybids(dataset, tmp_path / "layout") / "layout_index.sqlite"
    content = database.read_bytes()
    database.write_bytes(content[:4096].ljust(len(content), b"\xff"))  # the names of its tables, and no more
    again = "cannot be read (ArrowInvalid); index the data set again."
    assert only_row(table, tiny_bundle) == f"failed: damaged_index: this index of a data set {again}"
    assert only_row(database, tiny_bundle).startswith(
        "failed: damaged_index: this index of a data set cannot"
    )
    empty = index_as_table(tmp_path / "empty.parquet", [(str(dataset), "sub-1/eeg/sub-1_eeg.edf")])
    assert only_row(empty, tiny_bundle).startswith("refused: empty_index: the index lists no image;")


def test_an_index_without_pyarrow_names_the_command_that_brings_it(
    dataset: Path, tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = index_as_table(tmp_path / "b2t.parquet", [(str(dataset), PRE)])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert only_row(table, tiny_bundle).startswith(
        "refused: unsupported_format: this is a Parquet table, which needs pyarrow: "
    )
    assert list(list_index(Found(Source(table)))) == []  # also without


def test_images_at_an_address_are_named_by_it(tmp_path: Path) -> None:
    table = index_as_table(tmp_path / "b2t.parquet", [("memory://archive/ds", PRE), ("sss://x", "a.nii")])
    assert found(table) == [f"memory://archive/ds/{PRE}", "sss://x/a.nii: unknown_address"]
