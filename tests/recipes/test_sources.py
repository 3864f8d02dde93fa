"""What of the public images teaches the default model, and what never may."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from gadoscope.errors import UsageError
from gadoscope.labels import Label, OtherKind, Split
from gadoscope.preparation.items import Item
from gadoscope.training.config import read_config
from gadoscope.training.kinds import KIND_COLUMN
from recipes.default.data import CONFIG, fit_recipe
from recipes.default.sources import FAMILIES, MISFILED, SOURCES, choose_public, hold_out_half, name_kind


def make_item(source: str, label: Label = Label.PRE, subject: str = "s", note: str = "") -> Item:
    path = Path(f"/{source}/{subject}_{label}.png")
    return Item(path=path, label=label, subject_id=subject, source=source, extra={"note": note})


def sources_of(items: Iterable[Item]) -> set[str]:
    return {item.source for item in items}


def test_what_is_for_evaluation_only_never_teaches() -> None:
    judged = ("feltrin", "feltrin-t2", "volunteer-flair", "volunteer-t2", "ds002748")
    items = [make_item(source, label) for source in judged for label in Label]
    assert choose_public(items) == []
    assert not set(judged) & set(SOURCES)


def test_an_image_whose_label_is_doubted_does_not_teach_and_a_corrected_one_does() -> None:
    doubted = make_item("vqamed2019", note="doubted by eye; mr - t1w")
    corrected = make_item("vqamed2019", note="label corrected by eye (the source says pre)")
    assert choose_public([doubted, corrected]) == [corrected]


def test_a_t1_brain_that_its_source_calls_something_else_teaches_the_gate_nothing() -> None:
    item = make_item("vqamed2019-other", Label.OTHER, note="mr - flair")
    misfiled = [replace(item, path=Path("/data") / name) for name in MISFILED]
    assert len(misfiled) == 7
    assert choose_public([*misfiled, item]) == [item]


def test_a_source_of_other_contrasts_teaches_the_gate_alone() -> None:
    items = [make_item("dcm-qa", Label.PRE), make_item("dcm-qa", Label.OTHER)]
    assert [item.label for item in choose_public(items)] == [Label.OTHER]


def test_one_switch_leaves_out_every_source_of_the_family_and_nothing_else() -> None:
    items = [make_item(source, Label.OTHER if "other" in source else Label.POST) for source in SOURCES]
    kept = sources_of(choose_public(items, without=["vqamed2019"]))
    assert not kept & set(FAMILIES["vqamed2019"])
    assert kept == sources_of(choose_public(items)) - set(FAMILIES["vqamed2019"])


def test_a_source_that_nobody_knows_is_not_left_out_in_silence() -> None:
    with pytest.raises(UsageError, match="'vqamed' is no source of the default model; choose one of"):
        choose_public([], without=["vqamed"])


def test_half_the_subjects_of_a_family_are_test_whatever_their_source() -> None:
    items = [
        make_item(source, label, subject=f"v{number}")
        for number in range(6)
        for source in FAMILIES["vqamed2019"]
        for label in (Label.PRE, Label.POST)
    ]
    made = [make_item("bare", subject="v1"), make_item("bare", subject="t9")]
    halved = hold_out_half([*items, *made], "vqamed2019")
    tested = {item.subject_id for item in halved if item.split is Split.TEST}
    assert tested == {"v1", "v3", "v5"}
    others = hold_out_half([*items, *made], "vqamed2019", other=True)
    assert {item.subject_id for item in others if item.split is Split.TEST} == {"v0", "v2", "v4"}
    assert all((item.subject_id in tested) == (item.split is Split.TEST) for item in halved)


def test_without_a_source_the_others_share_its_batches_and_choose_the_threshold() -> None:
    config = read_config(CONFIG)
    items = [make_item(source) for source in config.sampling.shares if not source.startswith("vqamed")]
    fitted = fit_recipe(config, items)
    assert sum(fitted.sampling.shares.values()) == pytest.approx(1)
    assert set(fitted.sampling.shares) == sources_of(items)
    assert not any(source.startswith("vqamed") for source in fitted.operating_point.sources)
    assert not any(source.startswith("vqamed") for source in fitted.gate.shares)
    ratio = fitted.sampling.shares["tcga-lgg"] / fitted.sampling.shares["ixi"]
    assert ratio == pytest.approx(config.sampling.shares["tcga-lgg"] / config.sampling.shares["ixi"])


@pytest.mark.parametrize(
    ("source", "note", "kind"),
    [
        ("tcga-lgg-flair", "FLAIR", OtherKind.FLAIR),
        ("openms-long", "T2W", OtherKind.T2),
        ("vqamed2019-other", "mr - flair", OtherKind.FLAIR),
        ("vqamed2019-other", "t2", OtherKind.T2),
        ("vqamed2019-other", "spine and contents: ct", OtherKind.NO_BRAIN),
        ("vqamed2019-other", "musculoskeletal: t2", OtherKind.NO_BRAIN),
        ("vqamed2019-other", "ct", None),
        ("sich-ct", "head CT", None),
    ],
)
def test_what_an_image_labelled_other_is_stands_in_its_row_where_it_is_known(
    source: str, note: str, kind: OtherKind | None
) -> None:
    named = name_kind(make_item(source, Label.OTHER, note=note))
    assert named.extra.get(KIND_COLUMN, "") == (kind.value if kind else "")


def test_an_image_with_a_phase_is_of_no_other_kind() -> None:
    item = make_item("tcga-lgg", Label.PRE, note="flair")
    assert name_kind(item) == item
