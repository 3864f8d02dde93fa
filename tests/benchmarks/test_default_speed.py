"""The default that is timed is trained on phantoms alone: no setting names a source that is not there."""

from benchmarks.default_speed import DEFAULT, list_settings
from gadoscope.training.config import read_config


def test_what_is_timed_names_no_source_and_has_no_gate() -> None:
    config = read_config(DEFAULT, list_settings(epochs=1, steps=2, threads=0))
    assert config.sampling.shares == config.gate.shares == {}
    assert config.gate.is_off
