"""The tests of folds train several networks on the same few images."""

from collections.abc import Iterator

import pytest

from tests.support.quick_runs import draw_no_curves, remember_shortcuts


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        remember_shortcuts(patch)
        draw_no_curves(patch)
        yield
