"""The answers of several runs to what each had not seen, as one table."""

from pathlib import Path

import numpy as np
import pytest

from gadoscope.errors import ManifestError
from gadoscope.labels import Split
from gadoscope.preparation.manifest import read_manifest
from gadoscope.statistics.table import join, read_predictions, write_predictions
from recipes.default.cross_fit import ask_held_out, keep_first
from tests.support.tiny_run import make_items, write_run


def test_two_runs_that_hold_out_a_half_each_answer_for_all_and_each_for_what_it_had_not_seen(
    tmp_path: Path,
) -> None:
    images = tmp_path / "images"
    halves = [make_items(images, split, first=first) for first, split in ((0, Split.TRAIN), (12, Split.TEST))]
    swapped = [
        make_items(images, split, first=first) for first, split in ((0, Split.TEST), (12, Split.TRAIN))
    ]
    watched = make_items(images, Split.VALIDATION, first=24)
    runs = [
        write_run(tmp_path / name, [*first, *second, *watched])
        for name, (first, second) in (("one", halves), ("two", swapped))
    ]
    parts = [ask_held_out(run) for run in runs]
    for run, part in zip(runs, parts, strict=True):
        learned = [
            str(row.path) for row in read_manifest(run / "manifest.csv").items if row.split is Split.TRAIN
        ]
        assert len(part) == 24
        assert not set(part.path) & set(learned)
    write_predictions(keep_first(join(parts)), tmp_path / "held-out.csv")
    table = read_predictions(tmp_path / "held-out.csv")
    assert len(table) == 36
    assert table.n_subjects == 18
    np.testing.assert_array_equal(table.logit[:24], parts[0].logit)


def test_a_run_that_learned_from_everything_has_nothing_to_say(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", make_items(tmp_path / "images", Split.TRAIN, first=0))
    with pytest.raises(ManifestError, match="held out no image"):
        ask_held_out(run)
