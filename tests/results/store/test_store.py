"""A store: what goes in comes out, nothing is overwritten, and what lies where is known."""

from dataclasses import replace

from gadoscope.labels import KeptResult, Phase, SeriesResult, Status
from gadoscope.results.store.store import Store
from tests.support.stored import ANSWERED, FAILED, NAME, REFUSED, begin, elsewhere, keep

DYNAMIC = (
    *(replace(ANSWERED, volume_index=index, path="d.nii", logits=(float(index),)) for index in range(11)),
    replace(ANSWERED, path="d.nii", phase=Phase.MIXED, probability=None, reason="mixed: x.", logits=()),
)


def test_rows_come_back_as_they_were_with_the_logits_of_their_slices(url: str) -> None:
    with begin(url) as store:
        keep(store, "one", [ANSWERED])
        keep(store, "dynamic", DYNAMIC)
    with begin(url) as store:
        for digest, rows in (("one", (ANSWERED,)), ("dynamic", DYNAMIC)):
            found = store.find(digest)
            assert found is not None
            plain = [KeptResult(**{**vars(row), "logits": getattr(row, "logits", ())}) for row in found]
            assert plain == list(elsewhere(rows, ""))
            assert [row.logits for row in plain] == [row.logits for row in rows]
        assert store.find("another") is None


def test_rows_that_are_asked_for_are_those_of_the_table(url: str) -> None:
    with begin(url) as store:
        keep(store, "one", [ANSWERED])
        keep(store, "two", [replace(REFUSED, path="odd \udc80\n.png")])
        store.settle(None, [FAILED], "")
    rows = list(Store(url).rows())
    assert {row.path: row.status for row in rows} == {
        "a/1.dcm": Status.ANSWERED,
        "odd \udc80\n.png": Status.REFUSED,
        "a/3.png": Status.FAILED,
    }
    assert next(row for row in rows if row.path == "a/1.dcm").warnings == ANSWERED.warnings


def test_an_answer_of_another_model_or_version_stands_beside_the_old_one(url: str) -> None:
    with begin(url) as store:
        keep(store, "one", [ANSWERED])
    other = replace(ANSWERED, phase=Phase.PRE_CONTRAST, probability=0.2)
    with begin(url, model="ff" * 32, name="other@ffffffff") as store:
        assert store.find("one") is None
        keep(store, "one", [replace(other, model="other@ffffffff")])
    with begin(url, version="0.2.0/4/words") as store:
        assert store.find("one") is None
        keep(store, "one", [other])
    store = Store(url)
    assert [(row.model, row.phase) for row in store.rows()] == [
        (NAME, Phase.PRE_CONTRAST),
        ("other@ffffffff", Phase.PRE_CONTRAST),
    ]
    assert store.count(all_versions=True) == 3
    with begin(url) as again:  # the older version is asked once more: it is shown again
        assert again.find("one") is not None
        again.settle("one", [ANSWERED], "")
    assert [row.phase for row in store.rows(model=NAME)] == [Phase.POST_CONTRAST]


def test_what_was_answered_once_is_not_overwritten(url: str) -> None:
    for probability in (0.3, 0.9):
        with begin(url) as store:
            keep(store, "one", [replace(ANSWERED, probability=probability)])
    assert [row.probability for row in Store(url).rows()] == [0.3]


def test_what_failed_is_tried_again_and_shown_until_it_can_be_read(url: str) -> None:
    with begin(url) as store:
        store.add("broken", [FAILED])
        store.settle("broken", [FAILED], "")
    with begin(url) as store:
        assert store.find("broken") is None
        assert [row.status for row in store.rows()] == [Status.FAILED]
        keep(store, "mended", [replace(ANSWERED, path=FAILED.path)])
    store = Store(url)
    assert [row.status for row in store.rows()] == [Status.ANSWERED]
    assert store.count(gone=True) == 2


def test_what_cannot_be_read_is_shown_for_each_model_that_was_asked(url: str) -> None:
    for name in (NAME, "other@ffffffff"):
        with begin(url, model=name * 4, name=name) as store:
            store.settle(None, [replace(FAILED, model=name)], "")
    assert [row.model for row in Store(url).rows()] == [NAME, "other@ffffffff"]


def test_a_copy_has_two_places_and_a_changed_file_leaves_its_own(url: str) -> None:
    with begin(url) as store:
        keep(store, "one", [ANSWERED])
        keep(store, "one", elsewhere([ANSWERED], "copy.dcm"))
        keep(store, "two", [REFUSED])
    with begin(url) as store:
        keep(store, "three", elsewhere([REFUSED], "copy.dcm"))
    assert {(row.path, row.status.value) for row in Store(url).rows()} == {
        ("a/1.dcm", "answered"),
        ("copy.dcm", "refused"),
        ("a/2.png", "refused"),
    }


def test_of_a_series_that_was_judged_with_its_study_the_final_row_is_shown(url: str) -> None:
    final = replace(ANSWERED, phase=Phase.INDETERMINATE, status=Status.INDETERMINATE, reason="c: d.")
    with begin(url) as store:
        store.add("one", [ANSWERED])
        store.settle("one", [final], "study")
    with begin(url) as store:
        (alone,) = store.find("one") or ()
        assert alone.phase is Phase.POST_CONTRAST
    assert [row.phase for row in Store(url).rows()] == [Phase.INDETERMINATE]


def test_runs_say_how_they_ended_and_what_they_counted(url: str) -> None:
    with begin(url) as store:
        keep(store, "one", [ANSWERED])
        store.settle(None, [FAILED], "")
    with begin(url, is_finished=False):
        pass
    first, second = Store(url).runs()
    assert (first.state, second.state) == ("finished", "interrupted")
    assert (first.model, first.roots) == (NAME, '["a"]')
    assert '"answered": 1' in first.counts
    assert '"failed": 1' in first.counts
    assert [row.path for row in Store(url).rows(run=2)] == []


def test_a_path_longer_than_a_key_is_kept(url: str) -> None:
    long = "/".join(str(number) for number in range(1500))
    with begin(url) as store:
        keep(store, "one", [replace(ANSWERED, path=long)])
        keep(store, "two", [SeriesResult(path="b", status=Status.REFUSED, reason="r" * 5000, model=NAME)])
    assert {row.path for row in Store(url).rows()} == {long, "b"}
