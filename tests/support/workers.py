"""Which tests one worker runs, and in which order, where several share the run.

A file's tests stay together, for they share what they make. So do the files that train: what they share is
trained once, and a network's graph is traced once. What takes longest begins first, so that no worker waits.
"""

from functools import cache

import pytest

TOGETHER = {
    "training": (
        "tests/training/",
        "tests/experiments/",
        "tests/cli/test_train.py",
        "tests/cli/test_import_keras.py",
        "tests/evaluation/test_run.py",
        "tests/evaluation/test_circumstances.py",
        "tests/evaluation/test_seen_images.py",
        "tests/docs/test_python.py",
        "tests/docs/test_readme.py",
        "tests/docs/test_tutorial.py",
        "tests/end_to_end/test_labelled_scans.py",
        "tests/end_to_end/test_one_subject.py",
        "tests/test_front_door.py",
    ),
    "heads": (
        "tests/preparation/copies/",
        "tests/inspection/test_run.py",
        "tests/inspection/test_audit_in_notebooks.py",
        "tests/inspection/test_marks.py",
    ),
    "pages": ("tests/evaluation/test_report.py", "tests/end_to_end/test_pages_in_a_browser.py"),
}
"""What one worker runs, longest first: the beginnings of the files' paths."""

EARLY = (
    "tests/statistics/test_coverage.py",  # of the slow ones nearly half
    "tests/fuzz/",
    "tests/test_extras.py",
    "tests/end_to_end/",
    "tests/cli/",
    "tests/phantom/forms/",
    "tests/classification/",
    "tests/inspection/",
    "tests/reading/decoding/",
    "tests/report/",
)
"""Files of some seconds each begin next. Of the others none takes so long that a worker would wait for it."""


def name_scope(nodeid: str) -> str:
    """Return what a test stays together with: its file, or files that share what they make."""
    file = nodeid.partition("::")[0]
    return next((name for name, beginnings in TOGETHER.items() if file.startswith(beginnings)), file)


def put_longest_first(items: list[pytest.Item]) -> None:
    """Order the tests: those that stay together over several files, then long files, then the others."""
    items.sort(key=lambda item: rank_of(item.nodeid.partition("::")[0]))


@cache  # asked for each of thousands of tests
def rank_of(file: str) -> int:
    """Return how many kinds of tests begin before those of a file."""
    if (scope := name_scope(file)) in TOGETHER:
        return list(TOGETHER).index(scope)
    early = (rank for rank, beginning in enumerate(EARLY) if scope.startswith(beginning))
    return len(TOGETHER) + next(early, len(EARLY))


def make_scheduler(config: pytest.Config, log: object) -> object:
    """Return what deals the tests out."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 — a plain `pytest` does without

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            return name_scope(nodeid)

    return Scheduling(config, log)
