"""The digest of a split changes with who is where, and with nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gadoscope.errors import LeakError
from gadoscope.labels import Label, Split
from gadoscope.preparation.manifest import Item, Manifest, read_manifest, write_manifest
from gadoscope.preparation.split import check_split, digest_split

ITEMS = tuple(
    Item(
        path=Path(f"/data/{number}.png"),
        label=(Label.PRE, Label.POST)[number % 2],
        subject_id=f"s{number // 2}",
        split=(Split.TRAIN, Split.VALIDATION, Split.TEST)[number // 4],
        extra={"sha256": f"{number:02x}"},
    )
    for number in range(12)
)
DIGEST = digest_split(Manifest(items=ITEMS, origin=Path("/data")))


def test_neither_the_order_nor_the_place_of_the_images_counts() -> None:
    moved = tuple(replace(item, path=Path("/elsewhere") / item.path.name) for item in reversed(ITEMS))
    assert digest_split(Manifest(items=moved, origin=Path("/elsewhere"))) == DIGEST


@pytest.mark.parametrize(
    "change",
    [
        lambda item: replace(item, split=Split.TRAIN),
        lambda item: replace(item, label=Label.PRE),
        lambda item: replace(item, extra={"sha256": "ff"}),
    ],
    ids=["another side", "another label", "another image"],
)
def test_one_image_that_changes_changes_it(change: Callable[[Item], Item]) -> None:
    changed = Manifest(items=(*ITEMS[:-1], change(ITEMS[-1])), origin=Path("/data"))
    assert digest_split(changed) != DIGEST
    with pytest.raises(LeakError, match=r"/data is not the split that was trained with: its digest is "):
        check_split(changed, DIGEST)


def test_one_image_more_or_less_changes_it() -> None:
    assert digest_split(Manifest(items=ITEMS[1:], origin=Path("/data"))) != DIGEST


def test_it_survives_being_written_and_read(tmp_path: Path) -> None:
    items = []
    for item in ITEMS:
        path = tmp_path / item.path.name
        path.touch()
        items.append(replace(item, path=path))
    table = tmp_path / "manifest.csv"
    write_manifest(Manifest(items=tuple(items), origin=tmp_path), table)
    check_split(read_manifest(table), DIGEST)
