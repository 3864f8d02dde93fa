"""Configs that ship: found by name, a file of that name first, and one sentence for what is neither."""

from pathlib import Path

import pytest

from gadoscope.errors import ConfigError
from gadoscope.training.config import read_config
from gadoscope.training.shipped import CONFIGS, find_config, list_shipped
from tests.support.commands import run_command


def test_a_config_that_ships_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_config("lesson", ["epochs=3"]) == read_config(CONFIGS / "lesson.toml", ["epochs=3"])
    assert read_config("default").name == "default"


def test_a_file_of_that_name_comes_first_and_a_folder_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lesson").mkdir()
    assert find_config("lesson") == CONFIGS / "lesson.toml"
    Path("lesson").rmdir()
    Path("lesson").write_text("epochs = 7\n")
    assert read_config("lesson").epochs == 7


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            "leson",
            r"^leson is no file; name a TOML file, or a config that ships: .* \(did you mean lesson\?\)",
        ),
        ("Lesson", r"\(did you mean lesson\?\)"),
        ("configs/lesson.toml", r"\(did you mean lesson\?\)"),  # where the file lay before it shipped
        ("lesson.toml", r"\(did you mean lesson\?\)"),
        ("mine", r"^mine is no file; .* a config that ships: [a-z, ]+\.$"),
        (".", r"^\. is a folder; name a TOML file"),
    ],
)
def test_what_is_neither_a_file_nor_a_name_is_one_sentence(
    config: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        read_config(config)


def test_the_help_names_every_config_that_ships() -> None:
    said = " ".join(run_command("train", "--help").stdout.split())
    assert f"the name of one that ships: {', '.join(list_shipped())}." in said


def test_a_config_that_is_shown_can_be_kept_and_edited(tmp_path: Path) -> None:
    shown = run_command("train", "--show-config", "lesson")
    assert shown.returncode == 0
    (tmp_path / "mine.toml").write_text(shown.stdout)
    assert read_config(tmp_path / "mine.toml") == read_config("lesson")
    assert shown.stdout.startswith("# The SIIM lesson")
