import json
from pathlib import Path

import pytest

from gadoscope.errors import UsageError
from gadoscope.run_folder import describe_training, read_run


def make_run(folder: Path, record: object = None, history: str = '{"epoch": 1, "seconds": 2.0}\n') -> Path:
    for name in ("model.onnx", "manifest.csv"):
        (folder / name).write_text("")
    (folder / "record.json").write_text(json.dumps({} if record is None else record))
    (folder / "metrics.jsonl").write_text(history)
    return folder


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder made by `gadoscope train`"):
        read_run(tmp_path)


def test_an_unfinished_run_is_refused_with_the_way_to_finish_it(tmp_path: Path) -> None:
    (make_run(tmp_path) / "model.onnx").unlink()

    with pytest.raises(UsageError, match=r"lacks model\.onnx: it is not finished.*--resume"):
        read_run(tmp_path)


@pytest.mark.parametrize(("record", "history"), [([], "{}"), ({}, "{half"), ({}, "3")])
def test_a_damaged_run_is_one_sentence(tmp_path: Path, record: object, history: str) -> None:
    with pytest.raises(UsageError, match="is damaged"):
        read_run(make_run(tmp_path, record, history))


@pytest.mark.parametrize(
    ("record", "history", "what"),
    [
        ({"config": [1]}, "", r"record\.json has config = \[1\]; expected an object"),
        ({"config": {"split": "subject"}}, "", r"config\.split = 'subject'"),
        ({"hardware": 3}, "", "hardware = 3"),
        ({"software": {"libraries": []}}, "", r"software\.libraries = \[\]"),
        ({"layers": [{"name": "conv1"}]}, "", "a layer that is none"),
        ({}, '{"epoch": 1}\n{"epoch": null}\n', r"metrics\.jsonl, line 2: epoch is None"),
        ({}, '{"epoch": 1, "seconds": "2 s"}\n', "line 1: seconds is '2 s'; expected a number"),
        ({}, "[" * 100_000, "damaged"),
    ],
)
def test_a_run_whose_files_say_odd_things_is_told_where(
    tmp_path: Path, record: object, history: str, what: str
) -> None:
    with pytest.raises(UsageError, match=what):
        read_run(make_run(tmp_path, record, history))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", ["record.json", "metrics.jsonl"])
def test_a_run_file_that_was_cut_short_is_one_sentence(tmp_path: Path, name: str, share: float) -> None:
    run = make_run(tmp_path, {"config": {"seed": 1020}, "hardware": {"threads": 2}})
    content = (run / name).read_bytes()
    (run / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(UsageError, match="is damaged") as caught:
        read_run(run)
    assert "\n" not in str(caught.value)


def test_a_loss_that_was_not_a_number_becomes_a_gap(tmp_path: Path) -> None:
    run = read_run(make_run(tmp_path, history='{"epoch": 1, "validation_loss": NaN}\n'))

    assert run.history[0]["validation_loss"] is None


def test_settings_are_named_as_the_command_line_names_them(tmp_path: Path) -> None:
    record = {"config": {"seed": 1020, "augment": {"horizontal_flip": False}}, "hardware": {"threads": 2}}

    described = describe_training(read_run(make_run(tmp_path, record)))

    assert described["settings"] == [["seed", "1020"], ["augment.horizontal_flip", "false"]]
    assert described["machine"] == [["Threads", "2"], ["Time of all epochs", "2 s"]]
