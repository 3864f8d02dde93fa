"""Configurations: the lesson's values, and one clear sentence for whatever does not fit."""

from pathlib import Path

import pytest

from gadoscope.errors import ConfigError
from gadoscope.freezing.rules import PointRule
from gadoscope.training.config import TrainingConfig, format_config, parse_config, read_config
from tests.support.paths import CONFIGS, LESSON


def test_the_lesson_s_config_holds_the_lesson_s_published_settings() -> None:
    config = read_config(LESSON)
    assert (config.network, config.seed, config.epochs, config.batch_size) == ("siim", 1020, 15, 64)
    assert (config.image.size, config.image.resize) == (331, "stretch_nearest")
    assert (config.split.method, config.split.validation_fraction) == ("keras", 0.2)
    assert (config.optimiser.learning_rate, config.optimiser.epsilon) == (5e-4, 1e-7)
    assert config.augment.is_off


def test_a_config_written_and_read_again_is_the_same(tmp_path: Path) -> None:
    config = read_config(
        LESSON, ["augment.zoom_range=0.1", "augment.horizontal_flip=true", 'name="a \\"b\\""']
    )
    (tmp_path / "copy.toml").write_text(format_config(config))
    assert read_config(tmp_path / "copy.toml") == config
    assert read_config(str(tmp_path / "copy.toml")) == config


def test_settings_change_values_and_bare_words_are_texts() -> None:
    config = read_config(LESSON, ["epochs=3", "precision=bf16", "optimiser.learning_rate=1"])
    assert (config.epochs, config.precision, config.optimiser.learning_rate) == (3, "bf16", 1.0)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epoch=3", r"^epoch is not a setting; did you mean epochs\?$"),
        ("colour=3", r"colour is not a setting; known here: name, network"),
        ("optimizer.learning_rate=1", r"optimizer is not a setting; did you mean optimiser\?"),
        ("optimiser.learning_rat=1", r"did you mean optimiser\.learning_rate\?"),
        ("learning_rate=1", r"learning_rate is not a setting; did you mean optimiser\.learning_rate\?"),
        ("split.method=subjects", r"split\.method is 'subjects'; .* \(did you mean subject\?\)"),
        ("operating_point.sources=[3]", r"operating_point\.sources\[0\] is 3; expected a text"),
        ("augment.zoom=3", r"augment\.zoom is not a setting; did you mean augment\.zoom_range\?"),
        ("augment.colour=3", r"augment\.colour is not a setting; known here: shear_range"),
        ("epochs=0", r"epochs is 0; expected a number above 0"),
        ("epochs=true", r"epochs is True; expected a whole number"),
        ("epochs=few", r"epochs is 'few'; expected a whole number"),
        ("precision=fp8", r"precision is 'fp8'; expected one of fp32, bf16"),
        ("optimiser.learning_rate=-1", r"optimiser\.learning_rate is -1\.0; expected a number above 0"),
        ("optimiser.beta_1=1.5", r"expected a number above 0 and below 1"),
        ("split.method=random", r"split\.method is 'random'; expected one of keras, subject"),
        ("image=331", r"image is 331; expected a section \[image\]"),
        ("image.resize=magic", r"image: .*magic"),
        ("augment.fill_mode=magic", r"augment\.fill_mode is 'magic'"),
        ("epochs.x=1", r"epochs is not a section"),
        ("epochs", r"'epochs' has no value; write it as KEY=VALUE"),
        ("operating_point.abstain_below_logit=-1", r"expected a number of 0 or more"),
        ("operating_point.rule=magic", r"operating_point: the threshold rule 'magic' is unknown"),
        (
            "operating_point.target=1.5",
            r"operating_point: target .* is 1\.5; expected a number between 0 and 1",
        ),
        ("operating_point.bound=upper", r"operating_point\.bound is 'upper'; expected one of lower, point"),
        ("operating_point.cost_of_missed_post=0", r"operating_point: cost_of_missed_post .* above 0"),
        ("operating_point.prevalence=1", r"prevalence is 1\.0; expected a number of 0 or more and below 1"),
        ("calibration.method=magic", r"expected one of none, temperature, beta, auto"),
        ("aggregation.method=magic", r"expected one of mean, median, trimmed_mean, max, log_mean_exp, auto"),
        ("aggregation.sharpness=0", r"aggregation\.sharpness is 0\.0; expected a number above 0"),
        (
            "abstention.max_risk=1",
            r"abstention\.max_risk is 1\.0; expected a number of 0 or more and below 1",
        ),
        ("abstention.confidence=1", r"abstention\.confidence is 1\.0; expected a number above 0 and below 1"),
        ("abstention.max_risk=nan", r"abstention\.max_risk is nan"),
        ("members=0", r"members is 0; expected a number above 0"),
        ("label_smoothing=1", r"label_smoothing is 1\.0; expected a number of 0 or more and below 1"),
        ("averaging.decay=1", r"averaging\.decay is 1\.0"),
        ("optimiser.name=sgd", r"optimiser\.name is 'sgd'; expected one of adam, adamw, muon"),
        ("optimiser.schedule=step", r"optimiser\.schedule is 'step'; expected one of constant, cosine"),
        ("optimiser.warmup=-1", r"optimiser\.warmup is -1; expected a number of 0 or more"),
        ("sampling.method=random", r"sampling\.method is 'random'; expected one of shuffle, balanced"),
        ("sampling.shares=0.5", r"sampling\.shares is 0\.5; expected a table of numbers"),
        ("sampling.shares.ixi=much", r"sampling\.shares\.ixi is 'much'; expected a number"),
        ("sampling.shares.ixi=1.5", r"sampling\.shares add up to 1\.5; expected 1 at most"),
        ("sampling.steps_per_epoch=9", r'steps_per_epoch is 9 and sampling\.method is "shuffle"'),
        ("distort.canvas=0", r"distort\.canvas is 0; expected a number of 1 or more"),
        ("distort.canvas=5000", r"distort\.canvas is 5000; expected"),
        ("distort.strength=9", r"distort\.strength is 9\.0"),
    ],
)
def test_a_setting_that_does_not_fit_is_named_with_what_was_expected(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_config(LESSON, [setting])


def test_two_bands_at_once_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"two bands\. Leave one of them at 0"):
        read_config(LESSON, ["abstention.max_risk=0.05", "operating_point.abstain_below_logit=1"])


def test_two_augmentations_at_once_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"two augmentations\. Leave one of them off"):
        read_config(LESSON, ["augment.zoom_range=0.1", "distort.strength=1"])


def test_balanced_batches_hold_couples_so_their_size_is_even() -> None:
    with pytest.raises(ConfigError, match=r"batch_size is 7 .* make it even"):
        read_config(LESSON, ["sampling.method=balanced", "batch_size=7"])


def test_shares_of_sources_are_written_and_read_again_whatever_their_names(tmp_path: Path) -> None:
    shares = {"tcga-lgg": 0.5, 'St. Mary\'s "A"': 0.25}
    config = parse_config({"sampling": {"shares": shares}})
    (tmp_path / "copy.toml").write_text(format_config(config))
    assert read_config(tmp_path / "copy.toml", ["sampling.shares.ixi=0.1"]).sampling.shares == {
        **shares,
        "ixi": 0.1,
    }


def test_training_images_are_kept_larger_only_where_they_are_distorted() -> None:
    sizes = [
        parse_config({"image": {"size": 160}, "distort": {"strength": strength}}).training_image.size
        for strength in (0.0, 1.0)
    ]
    assert sizes == [160, 208]


def test_the_default_model_s_config_is_the_recipe() -> None:
    config = read_config(CONFIGS / "default.toml")
    assert (config.network, config.batch_size, config.label_smoothing) == ("compact", 48, 0.05)
    assert (config.image.size, config.image.resize, config.distort.canvas) == (160, "head_box", 208)
    assert (config.image.low_percentile, config.image.high_percentile) == (1.0, 99.7)
    assert (config.optimiser.name, config.optimiser.learning_rate) == ("muon", 2e-3)
    assert (config.optimiser.schedule, config.optimiser.weight_decay) == ("cosine", 0.03)
    assert (config.sampling.method, config.sampling.pairs, config.averaging.decay) == ("balanced", True, 0.99)
    assert config.epochs * config.sampling.steps_per_epoch == 2400
    assert sum(config.sampling.shares.values()) == pytest.approx(1)


def test_only_balanced_accuracy_can_be_weighed_by_hospital() -> None:
    weigh = "operating_point.weigh=hospitals"
    assert read_config(LESSON, [weigh]).operating_point.weigh == "hospitals"
    with pytest.raises(ConfigError, match=r'weigh is "hospitals" and operating_point\.rule is "accuracy"'):
        read_config(LESSON, [weigh, "operating_point.rule=accuracy"])
    with pytest.raises(ConfigError, match=r"operating_point\.weigh"):
        read_config(LESSON, ["operating_point.weigh=countries"])


def test_the_default_model_s_threshold_rests_on_several_hospitals() -> None:
    point = read_config(CONFIGS / "default.toml").operating_point
    assert point.weigh == "hospitals"
    assert {"tcga-lgg", "vqamed2019"} <= set(point.sources)


def test_a_rule_has_the_numbers_that_it_needs_and_no_others() -> None:
    numbers = ["target=0.9", "bound=point", "cost_of_missed_post=3", "prevalence=0.2"]
    settings = [f"operating_point.{number}" for number in numbers]
    expected = {
        "accuracy": PointRule(name="accuracy"),
        "target_specificity": PointRule(name="target_specificity", target=0.9, bound="point"),
        "cost": PointRule(name="cost", cost_of_missed_post=3.0, prevalence=0.2),
    }
    for name, rule in expected.items():
        config = read_config(LESSON, [*settings, f"operating_point.rule={name}"])
        assert config.operating_point.to_rule() == rule


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("epochs = = 3")
    with pytest.raises(ConfigError, match=r"broken\.toml is not valid TOML"):
        read_config(tmp_path / "broken.toml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml is no file; name a TOML file"):
        read_config(tmp_path / "none.toml")


def test_every_published_config_can_be_read() -> None:
    for path in CONFIGS.glob("*.toml"):
        assert isinstance(read_config(path), TrainingConfig)
