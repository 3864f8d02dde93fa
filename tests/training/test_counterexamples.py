"""Pictures that are no T1 brain: drawn from the seed alone, each other than what it was made from."""

import numpy as np
import pytest
from numpy.typing import NDArray

from gadoscope.labels import Phase
from gadoscope.phantom.forms.cohort import Cohort, scan
from gadoscope.phantom.physics.acquire import window
from gadoscope.training.counterexamples import contrasts, draw_counterexamples
from gadoscope.training.counterexamples.altered import ALTERATIONS, Alteration
from gadoscope.training.counterexamples.bodies import BODIES, Body
from gadoscope.training.counterexamples.contrasts import draw_curve, draw_flair, draw_places, turn_tones
from gadoscope.training.counterexamples.pictures import PICTURES, draw_nothing

SIDE = 96
WHITE_MATTER, GREY_MATTER, CSF = 150, 105, 45
"""Greys of a disc of white matter, a ring of grey matter and a pool of fluid, as T1 shows them."""


@pytest.fixture(scope="module")
def slices() -> NDArray[np.uint8]:
    """Return T1 slices of the phantom, shape (2, side, side)."""
    done = scan(Cohort(subjects=1, seed=5, slices=2, matrix=SIDE), 1, [Phase.PRE_CONTRAST])
    return np.stack([window(signal, done.scanner) for signal in done.series[0].signal])


def _simple_head() -> NDArray[np.uint8]:
    row, column = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    radius = np.hypot(row, column)
    greys = np.select([radius < 0.25, radius < 0.6, radius < 0.8], [CSF, WHITE_MATTER, GREY_MATTER], 0)
    return greys.astype(np.uint8)[np.newaxis]


def test_they_follow_from_the_seed_and_not_from_their_number(slices: NDArray[np.uint8]) -> None:
    drawn = draw_counterexamples(slices, 12, [1, 2, 3])
    assert drawn.shape == (12, SIDE, SIDE)
    assert drawn.dtype == np.uint8
    assert (draw_counterexamples(slices, 5, [1, 2, 3]) == drawn[:5]).all()
    other = draw_counterexamples(slices, 12, [1, 2, 4])
    assert not any((one == another).all() for one, another in zip(drawn, other, strict=True))


def test_the_slices_stay_as_they_were(slices: NDArray[np.uint8]) -> None:
    copy = slices.copy()
    draw_counterexamples(slices, 20, [0])
    assert (slices == copy).all()


def test_none_may_be_asked_for(slices: NDArray[np.uint8]) -> None:
    assert draw_counterexamples(slices, 0, [0]).shape == (0, SIDE, SIDE)


@pytest.mark.parametrize("alter", list(dict.fromkeys(ALTERATIONS)), ids=lambda alter: alter.__name__)
def test_no_altered_slice_is_like_the_slice(alter: Alteration, slices: NDArray[np.uint8]) -> None:
    one = slices[:1]
    for seed in range(10):
        altered = alter(one, np.random.default_rng(seed))
        assert altered.shape == one.shape[1:]
        assert altered.dtype == np.uint8
        assert altered.std() > 0
        likeness = np.corrcoef(one[0].ravel(), altered.ravel())[0, 1]
        assert likeness < 0.9


def test_turned_tones_show_white_matter_darker_than_grey_matter_and_air_black() -> None:
    head, middle = _simple_head(), SIDE // 2
    for seed in range(30):
        turned = turn_tones(head, np.random.default_rng(seed)).astype(int)
        white, grey = (turned[middle, middle + round(r * middle)] for r in (0.4, 0.65))
        assert white < grey - 5
        assert turned[0, 0] == 0


def test_on_a_turned_flair_fluid_is_the_darkest_of_the_brain_and_white_matter_below_grey() -> None:
    brain = np.repeat(np.array([CSF, GREY_MATTER, WHITE_MATTER], np.uint8), [100, 300, 400])
    for seed in range(50):
        generator = np.random.default_rng(seed)
        curve = draw_curve(draw_places(brain, generator), draw_flair, generator)
        assert curve[CSF] < curve[WHITE_MATTER] < curve[GREY_MATTER]


def test_where_fat_is_suppressed_a_turned_slice_has_at_most_half_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    head = _simple_head()
    row, column = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    scalp = (np.hypot(row, column) > 0.8) & (np.hypot(row, column) < 0.9)
    head[0, scalp] = 240
    for seed in range(20):
        shares = []
        for chance in (0.0, 1.0):
            monkeypatch.setattr(contrasts, "SUPPRESSED", chance)
            turned = turn_tones(head, np.random.default_rng(seed)).astype(float)
            shares.append(turned[scalp].mean() / turned[~scalp].mean())
        assert shares[1] <= max(0.6 * shares[0], 0.1)  # and the whole is stretched to the grey scale


def test_a_picture_without_a_head_is_turned_into_something_else_all_the_same() -> None:
    blank = np.zeros((1, SIDE, SIDE), np.uint8)
    assert turn_tones(blank, np.random.default_rng(0)).shape == (SIDE, SIDE)


@pytest.mark.parametrize(
    "draw", [*BODIES, *(draw for draw in dict.fromkeys(PICTURES) if draw is not draw_nothing)],
    ids=lambda draw: draw.__name__,
)  # fmt: skip
def test_every_drawing_shows_something_of_any_size_and_never_the_same(draw: Body) -> None:
    for side in (SIDE, 64):
        one, another = (draw(side, np.random.default_rng(seed)) for seed in (0, 1))
        assert one.shape == (side, side)
        assert one.dtype == np.uint8
        assert min(one.std(), another.std()) > 3
        assert not (one == another).all()


def test_nothing_is_one_grey_with_little_noise() -> None:
    drawn = [draw_nothing(SIDE, np.random.default_rng(seed)) for seed in range(20)]
    assert max(picture.std() for picture in drawn) < 6
    assert any(np.ptp(picture) == 0 for picture in drawn)
