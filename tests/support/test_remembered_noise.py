"""What tests remember of a person is what would be drawn anew."""

import numpy as np
import pytest

from gadoscope.phantom.head.noise import Noise
from tests.support.remembered_noise import remembering


def test_a_remembered_field_is_the_one_drawn_and_leaves_its_generator_in_the_same_state() -> None:
    draw = remembering(Noise)
    for as_sheets in (False, True, False):
        plain, first, again = (np.random.default_rng(3) for _ in range(3))
        fields = [
            make(20.0, generator, as_sheets=as_sheets)
            for make, generator in ((Noise, plain), (draw, first), (draw, again))
        ]
        assert fields[1] is fields[2]
        assert np.array_equal(fields[0]._values, fields[1]._values)
        assert plain.random() == first.random() == again.random()


def test_another_state_or_wavelength_is_another_field_and_none_can_be_written_to() -> None:
    draw = remembering(Noise)
    generator = np.random.default_rng(3)
    fields = [draw(20.0, generator), draw(20.0, generator), draw(21.0, np.random.default_rng(3))]
    assert len({field._values.tobytes() for field in fields}) == len(fields)
    with pytest.raises(ValueError, match="read-only"):
        fields[0]._values[0, 0, 0] = 1
