"""A manifest says what each image is; whatever it says wrongly is named with its line."""

from dataclasses import replace
from pathlib import Path

import pytest

from gadoscope.errors import ManifestError, OutputError
from gadoscope.labels import Label, Plane, Split
from gadoscope.preparation.manifest import Item, Manifest, read_manifest, write_manifest
from tests.support.rights import as_nobody
from tests.support.slices import write_slice

HEADER = "path,subject_id,label,plane,source"
ROW = "a.png,s1,pre,sagittal,ixi"


def write_table(folder: Path, *lines: str, encoding: str = "utf-8") -> Path:
    """Write a manifest whose images `a.png` and `b.png` exist."""
    for name in ("a.png", "b.png"):
        write_slice(folder / name)
    table = folder / "manifest.csv"
    table.write_bytes("\n".join(lines).encode(encoding))
    return table


def error_of(table: Path) -> str:
    with pytest.raises(ManifestError) as caught:
        read_manifest(table)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def test_a_row_becomes_an_item_and_further_columns_are_kept(tmp_path: Path) -> None:
    header = f"{HEADER},split,licence,field_strength_t,note"
    row = "a.png,s1,POST,Sagittal,ixi,training,CC BY 4.0,1.5,"
    manifest = read_manifest(write_table(tmp_path, header, row))
    assert manifest.items == (
        Item(
            path=tmp_path / "a.png",
            label=Label.POST,
            subject_id="s1",
            plane=Plane.SAGITTAL,
            source="ixi",
            split=Split.TRAIN,
            extra={"licence": "CC BY 4.0", "field_strength_t": "1.5"},
        ),
    )
    assert manifest.origin == tmp_path / "manifest.csv"
    assert manifest.has_subjects
    assert manifest.notices == ()


def test_a_folder_that_holds_a_manifest_is_read_by_it(tmp_path: Path) -> None:
    write_table(tmp_path, HEADER, ROW)
    assert read_manifest(tmp_path) == read_manifest(tmp_path / "manifest.csv")


def test_a_relative_path_of_the_table_gives_absolute_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_table(tmp_path / "data", HEADER, ROW, "../b.png,,pre,,")
    write_slice(tmp_path / "b.png")
    monkeypatch.chdir(tmp_path)
    paths = [item.path for item in read_manifest(Path("data/manifest.csv")).items]
    assert paths == [tmp_path / "data" / "a.png", tmp_path / "b.png"]


def test_empty_cells_mean_unknown(tmp_path: Path) -> None:
    (item,) = read_manifest(write_table(tmp_path, f"{HEADER},split", "a.png,,pre,,,")).items
    assert (item.subject_id, item.plane, item.source, item.split) == (None, Plane.UNKNOWN, "unknown", None)


def test_a_byte_order_mark_blank_lines_and_upper_case_headers_are_read(tmp_path: Path) -> None:
    table = write_table(tmp_path, HEADER.upper(), "", ROW, "", encoding="utf-8-sig")
    assert len(read_manifest(table).items) == 1


def test_images_labelled_other_are_left_out_of_the_classes(tmp_path: Path) -> None:
    manifest = read_manifest(write_table(tmp_path, HEADER, ROW, "b.png,s2,other,axial,t2"))
    assert manifest.notices == ()  # training, an audit and an evaluation each have their own words for it
    assert [item.path.name for item in manifest.labelled().items] == ["a.png"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "lacks the column path and subject_id and label and plane and source"),
        ((HEADER,), "lists no image; add one row for each"),
        (
            ("path,label", "a.png,pre"),
            "lacks the column subject_id and plane and source; its first line must hold",
        ),
        (
            (HEADER.replace(",", ";"), ROW.replace(",", ";")),
            "is separated by semicolons; save it with commas",
        ),
        ((HEADER.replace(",", "\t"), ROW), "is separated by tabs; save it with commas"),
        ((HEADER + ",label", ROW + ",pre"), "has the column 'label' twice"),
        ((HEADER, ROW, "b.png,s1,,axial,ixi"), "line 3: the label is empty; expected pre, post, other"),
        ((HEADER, "a.png,s1,with,axial,ixi"), "line 2: the label is 'with'; expected pre, post, other"),
        (
            (HEADER, "a.png,s1,pre,oblique,ixi"),
            "the plane is 'oblique'; expected sagittal, axial, coronal, unknown",
        ),
        (
            (HEADER, "a.png,s1,pre,Sagital,ixi"),
            "expected sagittal, axial, coronal, unknown (did you mean sagittal?)",
        ),
        (
            (HEADER.replace("subject_id", "subject"), ROW),
            "lacks the column subject_id (rename subject to subject_id); its first line must hold",
        ),
        ((HEADER + ",split", ROW + ",dev"), "the split is 'dev'; expected train, validation, test"),
        ((HEADER, "a.png,s1,pre"), "line 2: 3 fields, but the first line has 5"),
        ((HEADER, ROW + ",more"), "line 2: 6 fields, but the first line has 5"),
        ((HEADER, ",s1,pre,axial,ixi"), "line 2: the path is empty"),
        ((HEADER, '"a.png,s1,pre,axial,ixi'), "repair the quotes of that line"),
        ((HEADER, ROW, "./a.png,s2,post,axial,ixi"), "lists 1 images more than once"),
        ((HEADER, ROW, "c.png,s1,pre,,", "d\0.png,s1,pre,,"), "2 of 3 images are not there"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, lines: tuple[str, ...], message: str) -> None:
    assert message in error_of(write_table(tmp_path, *lines))


def test_the_first_three_missing_files_are_named_and_the_others_counted(tmp_path: Path) -> None:
    rows = [f"gone{index}.png,s,pre,axial,x" for index in range(9)]
    message = error_of(write_table(tmp_path, HEADER, *rows))
    assert "9 of 9 images are not there" in message
    assert "gone2.png and 6 more" in message
    assert "gone3.png" not in message


def test_a_folder_without_a_scan_in_place_of_an_image_says_so(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    assert "folder.png: there is no scan in this; name what holds one series" in error_of(
        write_table(tmp_path, HEADER, "folder.png,s,pre,,")
    )


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_table_that_is_not_utf_8_says_so(tmp_path: Path, encoding: str) -> None:
    table = write_table(tmp_path, HEADER, "größe.png,s1,pre,axial,ixi", encoding=encoding)
    assert "is not UTF-8 text" in error_of(table)


def test_an_image_in_place_of_the_table_is_refused(tmp_path: Path) -> None:
    assert "is not UTF-8 text" in error_of(write_slice(tmp_path / "a.png"))


@pytest.mark.parametrize("name", ["gone", "n" * 400, "a\0"])
def test_a_manifest_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    assert "there is no" in error_of(tmp_path / name)


def test_a_table_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    table = write_table(tmp_path, HEADER, ROW)
    table.chmod(0)
    with as_nobody(tmp_path):
        assert "check its permissions" in error_of(table)


def test_a_manifest_survives_writing_and_reading(tmp_path: Path) -> None:
    names = ["a.png", ' größe, "quoted"\nand broken.png', "sub/b.png"]
    items = [
        Item(path=write_slice(tmp_path / "run" / name, seed), label=Label.PRE, extra={f"x{seed}": f"{seed}"})
        for seed, name in enumerate(names)
    ]
    outside = Item(
        path=write_slice(tmp_path / "far.png"), label=Label.OTHER, subject_id="s", split=Split.TEST
    )
    manifest = Manifest(items=(*items, outside), origin=tmp_path)
    table = tmp_path / "run" / "manifest.csv"
    write_manifest(manifest, table)
    assert read_manifest(table).items == manifest.items
    assert f"{tmp_path}/far.png" in table.read_text()
    assert f"{tmp_path}/run" not in table.read_text()


def test_a_manifest_without_splits_is_written_without_that_column(tmp_path: Path) -> None:
    item = Item(path=write_slice(tmp_path / "a.png"), label=Label.PRE)
    write_manifest(Manifest(items=(item,), origin=tmp_path), tmp_path / "m.csv")
    assert (tmp_path / "m.csv").read_text() == f"{HEADER}\na.png,,pre,unknown,unknown\n"


def test_a_name_that_is_not_utf_8_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    item = Item(path=tmp_path / "scan-\udce9.png", label=Label.PRE)
    with pytest.raises(ManifestError, match=r"scan-\\xe9\.png is not UTF-8"):
        write_manifest(Manifest(items=(item,), origin=tmp_path), tmp_path / "m.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write_manifest(Manifest(items=(), origin=tmp_path), tmp_path / "file" / "m.csv")


def test_the_real_manifest_is_read_whole(real_manifest: Manifest) -> None:
    assert real_manifest.has_subjects
    assert {item.label for item in real_manifest.items} == set(Label)
    assert len(real_manifest.labelled().items) < len(real_manifest.items)


def test_the_parts_of_a_manifest_keep_its_order(tmp_path: Path) -> None:
    item = Item(path=tmp_path / "0", label=Label.PRE, split=Split.TEST)
    items = tuple(
        replace(item, path=tmp_path / name, split=split) for name, split in zip("cab", Split, strict=True)
    )
    manifest = Manifest(items=(*items, item), origin=tmp_path)
    assert [item.path.name for item in manifest.with_split(Split.TEST)] == ["b", "0"]
