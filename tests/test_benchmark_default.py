"""The benchmark of the default bundle's speed and size."""

from pathlib import Path

from benchmarks.default_latency import measure


def test_a_small_and_fast_bundle_meets_both_figures_and_each_says_its_unit(tiny_bundle: Path) -> None:
    network, path, size = measure(tiny_bundle, runs=2)
    assert network.met
    assert size.met
    assert [row.measured.split()[1] for row in (network, path, size)] == ["ms", "ms", "MB"]
