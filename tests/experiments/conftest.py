"""The tests of folds train several networks on the same few images."""

from collections.abc import Iterator

import pytest

from tests.support.quick_runs import narrow_compact, train_quickly


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        train_quickly(patch)
        narrow_compact(patch)
        yield
