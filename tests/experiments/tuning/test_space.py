"""What a search may try: any setting, and one sentence for what is none or does not fit."""

from pathlib import Path
from typing import Any

import pytest

from gadoscope.errors import ConfigError
from gadoscope.experiments.tuning.space import Choices, Range, put, read_space
from gadoscope.training.config import TrainingConfig, read_config

RATE = {"low": 1e-4, "high": 1e-2, "log": True}


@pytest.fixture(scope="module")
def lesson() -> TrainingConfig:
    return read_config("lesson")


def test_a_file_names_settings_whole_or_in_their_sections(lesson: TrainingConfig, tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    file.write_text(
        '"optimiser.learning_rate" = { low = 1e-4, high = 1e-2, log = true }\n'
        "batch_size = { choices = [16, 32] }\n"
        "epochs = { low = 5, high = 18, step = 5 }\n"
        "[augment]\nrotation_range = { low = 0, high = 9 }\nhorizontal_flip = { choices = [true, false] }\n"
    )
    assert read_space(file, lesson) == {
        "optimiser.learning_rate": Range(low=1e-4, high=1e-2, log=True),
        "batch_size": Choices(values=(16, 32)),
        "epochs": Range(low=5, high=15, step=5, is_whole=True),  # 20 would be above 18
        "augment.rotation_range": Range(low=0, high=9),  # a number, though its ends are whole
        "augment.horizontal_flip": Choices(values=(True, False)),
    }


def test_tenths_reach_the_end_that_is_written(lesson: TrainingConfig) -> None:
    space = read_space({"label_smoothing": {"low": 0.1, "high": 0.7, "step": 0.2}}, lesson)
    assert space["label_smoothing"] == Range(low=0.1, high=0.7, step=0.2)


def test_values_of_any_kind_take_the_place_of_those_of_the_config(lesson: TrainingConfig) -> None:
    config = put(lesson, {"epochs": 3, "optimiser.learning_rate": 1, "log.to": ["mlflow"]})
    assert (config.epochs, config.optimiser.learning_rate, config.log.to) == (3, 1.0, ("mlflow",))
    assert put(lesson, {}) == lesson


def test_settings_that_go_together_only_are_tried_together(lesson: TrainingConfig) -> None:
    patience = {"stopping.patience": {"choices": [3, 5]}}
    with pytest.raises(ConfigError, match=r'stopping\.patience is 3 and stopping\.keep is "last"'):
        read_space(patience, lesson)
    assert len(read_space({**patience, "stopping.keep": {"choices": ["best"]}}, lesson)) == 2


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ({}, "the search space: no setting is named; write such as batch_size ="),
        ({"optimizer.learning_rate": RATE}, r"optimizer is not a setting; did you mean optimiser\?"),
        ({"optimiser": {"learning_rat": RATE}}, r"did you mean optimiser\.learning_rate\?"),
        ({"epochs.x": RATE}, r"epochs\.x is not a setting; epochs is not a section"),
        ({"epochs": 3}, r"epochs is 3; expected \{ low = 1e-4, high = 1e-2 \} or \{ choices"),
        ({"epochs": {}}, "epochs lacks low and high"),
        ({"epochs": {"low": 3, "hig": 5}}, r"epochs has 'hig'; expected .* \(did you mean high\?\)"),
        ({"epochs": {"low": 0.5, "high": 3}}, r"epochs is 0\.5; expected a whole number"),
        ({"epochs": {"low": 1, "high": 3, "step": 0.5}}, r"epochs has step = 0\.5; expected a whole number"),
        ({"epochs": {"low": 0, "high": 3}}, "epochs is 0; expected a number above 0"),
        ({"epochs": {"low": 3, "high": 1}}, "low = 3 and high = 1, and nothing lies between"),
        ({"epochs": {"low": "1", "high": 3}}, "epochs has low = '1'; expected a number"),
        ({"epochs": {"low": 1, "high": float("inf")}}, "epochs has high = inf; expected a number"),
        ({"epochs": {"low": 1, "high": 3, "step": 0}}, "epochs has step = 0; expected a number above 0"),
        ({"epochs": {"low": 1, "high": 3, "step": 1, "log": True}}, "log = true and step = 1"),
        ({"label_smoothing": {"low": 0, "high": 0.1, "log": True}}, "log = true and low = 0"),
        ({"epochs": {"low": 1, "high": 3, "log": 1}}, "log = 1; expected true or false"),
        ({"epochs": {"low": 1, "choices": [3]}}, "epochs has choices and low; leave one of them out"),
        ({"batch_size": {"choices": []}}, r"batch_size has the choices \[\]; expected a list of one value"),
        ({"batch_size": {"choices": [8, 8]}}, "batch_size has the choice 8 twice"),
        ({"batch_size": {"choices": [8, "16"]}}, "batch_size is '16'; expected a whole number"),
        ({"precision": {"choices": ["fp32", "fp8"]}}, "precision is 'fp8'; expected one of fp32, bf16"),
        ({"seed": {"low": 1, "high": 9}}, "seed decides which images validate"),
        ({"split.validation_fraction": {"low": 0.1, "high": 0.3}}, "decides which images validate"),
        ({"calibration.method": {"choices": ["none"]}}, "changes nothing of the validation loss"),
    ],
)
def test_what_cannot_be_searched_is_one_sentence(
    lesson: TrainingConfig, space: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        read_space(space, lesson)


def test_a_file_that_cannot_be_read_is_named(lesson: TrainingConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*none\.toml: No such file"):
        read_space(tmp_path / "none.toml", lesson)
    (tmp_path / "bad.toml").write_text("epochs = {")
    with pytest.raises(ConfigError, match=r"bad\.toml is not valid TOML"):
        read_space(tmp_path / "bad.toml", lesson)
    (tmp_path / "bad.toml").write_text("epochs = 3")
    with pytest.raises(ConfigError, match=r"bad\.toml: epochs is 3; expected"):
        read_space(tmp_path / "bad.toml", lesson)
