import statistics

from gadoscope.experiments.spread import Spread
from gadoscope.wording import DASH

SPREAD = Spread(
    unit="source",
    rows=(
        {"source": "north", "threshold": 0.4, "AUC": 0.9},
        {"source": "a hospital with a very long name indeed", "threshold": 0.6, "AUC": None},
        {"source": "west", "threshold": 0.8, "AUC": 0.7},
    ),
    figures=("threshold", "AUC"),
)


def test_a_figure_that_one_run_does_not_define_is_summarised_over_the_others() -> None:
    assert SPREAD.summary() == {
        "threshold": {
            "mean": statistics.mean([0.4, 0.6, 0.8]),
            "sd": statistics.stdev([0.4, 0.6, 0.8]),
            "min": 0.4,
            "max": 0.8,
        },
        "AUC": {
            "mean": statistics.mean([0.9, 0.7]),
            "sd": statistics.stdev([0.9, 0.7]),
            "min": 0.7,
            "max": 0.9,
        },
    }


def test_one_run_has_no_deviation_and_a_figure_that_none_defines_has_nothing() -> None:
    one = Spread(
        unit="seed", rows=({"seed": 1, "threshold": 0.4, "AUC": None},), figures=("threshold", "AUC")
    )
    assert one.summary()["threshold"] == {"mean": 0.4, "sd": None, "min": 0.4, "max": 0.4}
    assert set(one.summary()["AUC"].values()) == {None}
    assert one.to_text().splitlines()[3].split() == ["sd", DASH, DASH]


def test_the_table_keeps_its_columns_whatever_the_names() -> None:
    lines = SPREAD.to_text().splitlines()
    assert [line.split()[0] for line in lines] == ["source", "north", "a", "west", "mean", "sd", "min", "max"]
    assert len({len(line) for line in lines}) == 1
    assert lines[2].endswith(DASH)
