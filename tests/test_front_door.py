"""`import gadoscope as gs`: light, whole, and the same for people, editors and programs."""

import ast
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import gadoscope as gs
from gadoscope.cli.main import cli
from gadoscope.errors import UsageError
from tests.support.keras_files import KERAS2

INIT = Path(gs.__file__)


def names_for_editors() -> dict[str, str]:
    """Return what is imported for type checkers, and from where."""
    tree = ast.parse(INIT.read_text(encoding="utf-8"))
    (guarded,) = (node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in guarded.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


def test_every_name_that_is_offered_is_there_and_listed() -> None:
    for name in gs.__all__:
        assert getattr(gs, name) is not None
    assert set(gs.__all__) <= set(dir(gs))
    assert gs.__all__ == sorted(gs.__all__)


def test_what_is_there_is_what_is_offered() -> None:
    for name in gs.__all__:
        getattr(gs, name)  # loaded names are members from then on
    members = {
        name
        for name, value in vars(gs).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and name not in ("import_module", "TYPE_CHECKING")
    }
    assert members | {"__version__"} == set(gs.__all__)


def test_editors_see_what_programs_get() -> None:
    seen = names_for_editors()
    assert {*seen, "__version__"} == set(gs.__all__)
    for name, module in seen.items():
        assert getattr(gs, name) is getattr(sys.modules[module], name), name


def test_every_name_says_what_it_is() -> None:
    for name in set(gs.__all__) - {"__version__"}:
        assert (inspect.getdoc(getattr(gs, name)) or "").strip(), name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'gadoscope' has no attribute 'clasify'"):
        gs.clasify  # noqa: B018 — that is the test


def test_importing_it_loads_next_to_nothing() -> None:
    script = (
        "import sys; before = set(sys.modules); import gadoscope; print(*sorted(set(sys.modules) - before))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    roots = {name.partition(".")[0] for name in result.stdout.split()}
    assert roots <= {"gadoscope", "importlib", "warnings", "_warnings"}


def test_a_name_stays_the_function_after_its_room_was_imported() -> None:
    script = (
        "import gadoscope as gs, gadoscope.classification, gadoscope.training, gadoscope.evaluation\n"
        "names = ('classify', 'train', 'evaluate', 'audit', 'explain')\n"
        "print(all(callable(getattr(gs, name)) for name in names))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "True"


def test_paths_of_a_train_that_cannot_be_are_told_as_in_the_shell(tmp_path: Path) -> None:
    with pytest.raises(gs.GadoscopeError, match=r"none\.toml"):
        gs.train(tmp_path / "none.toml", data=tmp_path, output=tmp_path / "run")
    with pytest.raises(UsageError, match="give the path of an image, or an array"):
        gs.explain("default", [1, 2])  # type: ignore[arg-type]  # that is the test


def _lesson() -> gs.TrainingConfig:
    return gs.read_config("lesson")


def _tune(folder: Path, **asked: Any) -> object:
    space = {"epochs": {"low": 1, "high": 2}}
    return gs.tune(_lesson(), space=space, data=folder, output=folder / "run", **{"trials": 1, **asked})


def _heads(**asked: Any) -> gs.Phantom:
    return gs.make_phantom("never written", **asked)


def _of_any(value: object) -> Any:
    """Return a value of a kind that no annotation lets through."""
    return value


NO_MODEL = r"a model is named by a path or by default, and this is a value of the type \w+; name a bundle"


def test_what_no_function_takes_is_refused_in_one_sentence_of_ours(tmp_path: Path, tiny_bundle: Path) -> None:
    (tmp_path / "empty").mkdir()
    row = gs.SeriesResult(path="a", status=gs.Status.FAILED)
    asked: list[tuple[Callable[[], object], str]] = [
        (lambda: gs.audit(_of_any(np.zeros((2, 2)))), "a value of the type ndarray; name a file or a folder"),
        (lambda: gs.write_table(_of_any(row), tmp_path / "a.csv"), "this is one; put it into a list"),
        (lambda: gs.classify(tmp_path, tiny_bundle, -1), "jobs must be 0 .* but it is -1"),
        (
            lambda: gs.classify(tmp_path, tiny_bundle, options=_of_any({"quote": "full"})),
            r"options is a value of the type dict; give gadoscope\.RunOptions\(\.\.\.\), whose names are jou",
        ),
        (lambda: list(gs.classify(tmp_path / "empty", tiny_bundle)), "there is no input in .*empty; name im"),
        (
            lambda: gs.evaluate("default", output=tmp_path / "report"),
            "name them with --data MANIFEST or FOLDER, in Python with data",
        ),
        (lambda: gs.evaluate(_of_any(3), output=tmp_path / "report"), NO_MODEL),
        (lambda: gs.explain(_of_any(3), "a.png"), NO_MODEL),
        (lambda: gs.open_bundle(_of_any(3)), NO_MODEL),
        (lambda: gs.Classifier(_of_any(3)), NO_MODEL),
        (lambda: gs.train(_lesson(), data=tmp_path, output=tmp_path / "run", init=_of_any(3)), NO_MODEL),
        (
            lambda: gs.evaluate("default", data=tmp_path, output=tmp_path / "report", rivals="majority"),
            r"rivals are several, and this is 'majority'; put it into a list",
        ),
        (lambda: gs.doctor(_of_any(3)), "a path is expected here, and this is a value of the type int"),
        (lambda: gs.import_keras(_of_any(3)), "a path is expected here, and this is a value of the type int"),
        (lambda: gs.import_keras("a.h5", output="a.h5"), r"output is a\.h5; a bundle's name ends in \.onnx"),
        (lambda: gs.make_phantom(_of_any(3)), "a path is expected here, and this is a value of the type int"),
        (lambda: _heads(form="niftii"), r"form is 'niftii'; expected .* \(did you mean nifti\?\)"),
        (lambda: _heads(subjects="six"), "subjects is 'six'; expected a whole number, 1 or more"),
        (lambda: _heads(matrix=4096), "matrix is 4096; expected a whole number, from 16 to 1024"),
        (lambda: _heads(lesions="few"), "lesions is 'few'; expected a number from 0 to 1"),
        (lambda: _heads(contrasts="t2"), r"contrasts are 't2'; expected a list, such as \['t1', 't2'\]"),
        (lambda: _heads(contrasts=["t3"]), "contrasts is 't3'; expected one of t1, t2"),
        (lambda: _heads(slice=3), r"make_phantom has no option slice; .* \(did you mean slices\?\)"),
        (
            lambda: gs.train(_lesson(), data=tmp_path, output=tmp_path / "run", **_of_any({"device": 2})),
            r"a training has no option device; .* \(did you mean devices\?\)",
        ),
        (lambda: _tune(tmp_path, trials=0), "trials is 0; expected a whole number, 1 or more"),
        (lambda: _tune(tmp_path, devices=2), "a search trains on one device, in one process"),
        (
            lambda: gs.train(_of_any(3), data=tmp_path, output=tmp_path / "run"),
            "of the type int; give a TOML",
        ),
    ]
    for ask, sentence in asked:
        with pytest.raises(UsageError, match=sentence):
            ask()


def test_a_config_may_be_a_dictionary_and_is_checked_as_a_file_is(tmp_path: Path) -> None:
    config = {"optimizer": {"learning_rate": 1}}
    with pytest.raises(gs.ConfigError, match="optimizer is not a setting; did you mean optimiser"):
        gs.train(config, data=tmp_path, output=tmp_path / "run")
    with pytest.raises(gs.ConfigError, match="epochs is 0; expected a number above 0"):
        gs.train({"epochs": 1}, data=tmp_path, output=tmp_path / "run", settings=["epochs=0"])


def test_nothing_named_gives_no_row_and_no_error(tiny_bundle: Path) -> None:
    assert list(gs.classify([], tiny_bundle)) == []


def test_heads_are_made_as_the_command_makes_them_and_their_manifest_is_named(tmp_path: Path) -> None:
    done = gs.make_phantom(tmp_path / "heads", subjects=3, slices=1, matrix=32)
    asked = [str(tmp_path / "same"), "--subjects", "3", "--slices", "1", "--matrix", "32", "--jobs", "1"]
    assert CliRunner().invoke(cli, ["phantom", *asked]).exit_code == 0
    made = sorted(path.relative_to(done.folder) for path in done.folder.rglob("*") if path.is_file())
    assert made
    for path in made:
        assert (done.folder / path).read_bytes() == (tmp_path / "same" / path).read_bytes()
    assert done.manifest == tmp_path / "heads" / "manifest.csv"
    assert done.n_rows == len(done.manifest.read_text().splitlines()) - 1


def test_a_checkup_is_plain_and_what_the_command_prints_as_json(tiny_bundle: Path) -> None:
    checkup = gs.doctor(tiny_bundle)
    said = json.loads(CliRunner().invoke(cli, ["doctor", "--model", str(tiny_bundle), "--json"]).output)
    assert list(said) == list(checkup) == list(gs.Checkup.__annotations__)
    assert said["model"].pop("seconds") >= 0
    plain = json.loads(json.dumps(checkup))
    plain["model"].pop("seconds")
    assert plain == said


def test_a_bundle_that_does_not_answer_is_a_note_of_the_checkup_and_no_error(tmp_path: Path) -> None:
    checkup = gs.doctor(tmp_path / "none.onnx")
    assert (checkup["well"], checkup["model"]["answers"]) == (False, False)
    assert "there is no bundle" in checkup["model"]["note"]


def test_weights_of_keras_become_a_bundle_whose_network_is_told_layer_by_layer(tmp_path: Path) -> None:
    done = gs.import_keras(KERAS2, output=tmp_path / "old.onnx")
    assert gs.open_bundle(done.bundle).model_id == done.model_id
    assert sum(layer.parameters for layer in done.layers) == done.n_parameters
    assert done.keras_version == "2.21.0"
