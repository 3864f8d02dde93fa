"""The reference pages list what the code has: settings, columns, files, reasons, keys."""

import ast
import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

from gadoscope.cli.main import cli
from gadoscope.errors import ConfigError
from gadoscope.evaluation.run import evaluate
from gadoscope.evidence.sequence_words import IMAGE_TYPE_REASONS, OTHER_CONTRASTS, SOP_CLASS_REASONS
from gadoscope.evidence.series_words import NAMED_KINDS
from gadoscope.inference.bundle import BundleMetadata
from gadoscope.inference.session import Session
from gadoscope.labels import RESULT_COLUMNS, Status
from gadoscope.phantom.head.tissues import FIELD_STRENGTHS_T, RELAXATION, Tissue
from gadoscope.preparation.manifest import REQUIRED_COLUMNS
from gadoscope.reading.bids.names import OTHER_SUFFIXES
from gadoscope.reading.dicom.kinds import OTHER_KINDS
from gadoscope.records import to_plain
from gadoscope.run_folder import (
    BUNDLE_NAME,
    CONFIG_NAME,
    HTML_NAME,
    JSON_NAME,
    MANIFEST_NAME,
    METRICS_NAME,
    PREDICTIONS_NAME,
    PREPARED_NAME,
    RECORD_NAME,
    SPLIT_NAME,
)
from gadoscope.training.config import TrainingConfig, parse_config, read_config
from gadoscope.training.job import CURVES_NAME
from gadoscope.training.loop import CHECKPOINT_NAME
from gadoscope.training.record import FREE_SETTINGS
from tests.docs.pages import CODE, first_words, read_rows, read_section
from tests.support.bundles import write_gated_bundle
from tests.support.paths import DOCS, LESSON
from tests.support.syntax import iter_nodes, parse
from tests.support.tiny_run import write_run

ROOT = DOCS.parent
SOURCE = ROOT / "src" / "gadoscope"
CODE_BLOCK = re.compile(r"^```(?:sh|console|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CELLS_OF_AN_EFFECT = 5
"""In the table of effects, each of which has two settings; in all others four cells are one setting."""
SPOKEN_REASON = re.compile(r"([a-z_]+): ")


def flatten(config: TrainingConfig) -> dict[str, Any]:
    """Return every setting by the name that `--set` takes."""
    flat: dict[str, Any] = {}
    for name, value in to_plain(config).items():
        flat.update(
            {f"{name}.{key}": list(v) if isinstance(v, tuple) else v for key, v in value.items()}
            if isinstance(value, dict)
            else {name: value}
        )
    return flat


def read_settings() -> dict[str, tuple[str, str]]:
    """Return default and possible values of each setting on the pages, both as the page has them."""
    found = {}
    for page in ("config", "config-distort", "config-answers"):
        for cells in read_rows((DOCS / "reference" / f"{page}.md").read_text(encoding="utf-8")):
            name = CODE.findall(cells[0])[0]
            if len(cells) == CELLS_OF_AN_EFFECT:
                found[f"distort.{name}_chance"] = cells[1], "0 to 1"
                found[f"distort.{name}_range"] = cells[2], cells[3]
            else:
                found[name] = cells[1], cells[2]
    return found


def test_every_setting_stands_on_its_page_with_its_default() -> None:
    shown = {
        name: tomllib.loads(f"value = {CODE.findall(default)[0]}")["value"]
        for name, (default, _) in read_settings().items()
    }
    assert shown == flatten(TrainingConfig())


def test_the_bounds_of_an_effect_on_the_page_are_those_that_the_config_takes() -> None:
    for setting, (_, bounds) in read_settings().items():
        between = re.fullmatch(r"(\d[\d.]*) to (\d[\d.]*)", bounds)
        if setting.startswith("distort.") and between:
            name = setting.removeprefix("distort.")
            for bound in between.groups():
                assert flatten(parse_config({"distort": {name: float(bound)}}))[setting] == float(bound)
            with pytest.raises(ConfigError):
                parse_config({"distort": {name: float(between[2]) + 0.01}})


def test_the_words_that_a_setting_may_be_are_those_that_the_config_takes() -> None:
    for setting, (_, words) in read_settings().items():
        *sections, name = setting.split(".")
        for word in CODE.findall(words):
            value = {"true": True, "false": False}.get(word, word)
            table: dict[str, Any] = {name: value}
            for section in sections:
                table = {section: table}
            assert flatten(parse_config(table))[setting] == value


def test_the_lessons_config_differs_from_the_defaults_as_its_page_says() -> None:
    lesson, defaults = flatten(read_config(LESSON)), flatten(TrainingConfig())
    assert {name for name in defaults if lesson[name] != defaults[name]} == {
        "split.method",
        "calibration.method",
        "aggregation.method",
    }


def test_the_settings_that_may_change_on_resume_are_those_of_the_page() -> None:
    named = CODE.findall(read_section("reference/config.md", "On `--resume`").partition(" may change")[0])
    assert {word.strip("[]") for word in named} == set(FREE_SETTINGS)


def test_the_result_table_has_the_columns_of_the_page_in_its_order() -> None:
    assert tuple(first_words(read_section("reference/results.md", "Result table"))) == RESULT_COLUMNS


def test_the_manifest_has_the_columns_of_the_page() -> None:
    rows = read_rows(read_section("reference/labelled-images.md", "Manifest"))
    required = tuple(CODE.findall(row[0])[0] for row in rows if row[1].startswith("required"))
    assert required == REQUIRED_COLUMNS


def test_a_run_leaves_the_files_of_the_page() -> None:
    table = read_section("reference/runs-and-reports.md", "Run folder").partition("With `--repeat`")[0]
    assert set(first_words(table)) == {
        BUNDLE_NAME,
        RECORD_NAME,
        CONFIG_NAME,
        MANIFEST_NAME,
        SPLIT_NAME,
        METRICS_NAME,
        CURVES_NAME,
        CHECKPOINT_NAME,
        f"{PREPARED_NAME}/",
    }


def test_a_report_has_the_files_and_the_keys_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gadoscope.evaluation.run.draw_figures", lambda *_: {})  # no key
    (tmp_path / "run").mkdir()
    run = write_run(tmp_path / "run")
    write_gated_bundle(run / "model.onnx")
    done = evaluate(run, data=None, output=tmp_path / "report", n_cases=0)
    files, keys = read_section("reference/runs-and-reports.md", "Report folder").split(
        "Keys of `report.json`:"
    )
    assert set(first_words(files)) == {HTML_NAME, JSON_NAME, PREDICTIONS_NAME}
    keys, of_splits = keys.split("Of each split, besides the counts:")
    of_splits, of_gate = of_splits.split("Of the gate, which")
    assert set(first_words(keys)) == done.report.keys()
    assert set(first_words(of_splits)) < done.report["splits"]["test"].keys()
    assert set(first_words(of_gate)) == done.report["gate"].keys()


def test_a_bundle_has_the_keys_of_the_page_and_of_its_example(tiny_bundle: Path) -> None:
    section = read_section("reference/bundle.md", "Bundle")
    keys = json.loads(Session(tiny_bundle).bundle.metadata.to_json()).keys()
    assert set(first_words(section)) == keys
    example = section.partition("```json\n")[2].partition("```")[0]
    assert json.loads(example).keys() == keys
    assert BundleMetadata.from_json(example).n_parameters == 109_073


READERS = (
    *("reading", "imaging", "evidence", "decision", "scans"),
    *("preparation", "classification", "inference", "cluster"),
)


def collect_reasons() -> set[tuple[str, str]]:
    """Return (reason, status) of every input error that the source can raise or write."""
    found = {(word, Status.REFUSED.value) for word in TABLED_REASONS}
    for path in (path for folder in READERS for path in (SOURCE / folder).rglob("*.py")):
        tree = parse(path)
        names = {
            node.targets[0].id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in iter_nodes(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("ReadError", "RefusedError"):
                status = Status.FAILED if getattr(node.func, "id", "") == "ReadError" else Status.REFUSED
                first = [names.get(getattr(argument, "id", ""), argument) for argument in node.args[:1]]
                found |= {(word, status.value) for word in _words(first)}
            elif isinstance(node, ast.Dict) and path.name == "os_errors.py":
                pairs = [value.elts[:1] for value in node.values if isinstance(value, ast.Tuple)]
                found |= {(word, Status.FAILED.value) for pair in pairs for word in _words(pair)}
            elif isinstance(node, ast.JoinedStr) and "classification" in path.parts:
                spoken = [SPOKEN_REASON.match(word) for word in _words(node.values[:1])]
                found |= {(match[1], _SPOKEN_STATUS[match[1]].value) for match in spoken if match}
    return found


# Reasons that stand in a table of words, not where they are raised.
TABLED_REASONS = {
    *SOP_CLASS_REASONS,
    *IMAGE_TYPE_REASONS,
    *(kind.reason for kind in NAMED_KINDS),
    *OTHER_CONTRASTS.values(),
    *OTHER_SUFFIXES,
    *(reason for reason, _ in OTHER_KINDS.values()),
}
# These are written into a row without an exception; another one would be a KeyError here.
_SPOKEN_STATUS = {
    "inside_abstention_band": Status.INDETERMINATE,
    "internal_error": Status.FAILED,
    "mixed": Status.ANSWERED,
    "resolved_by_study": Status.ANSWERED,
    "contradicted_by_study": Status.INDETERMINATE,
}


def _words(nodes: list[ast.expr]) -> list[str]:
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def test_every_reason_that_the_code_gives_stands_on_the_page_with_its_status() -> None:
    rows = read_rows(read_section("reference/reasons.md", "Reasons"))
    assert {(CODE.findall(row[0])[0], row[1]) for row in rows} == collect_reasons()


def test_the_tissues_on_the_page_are_those_of_the_phantom() -> None:
    names = {
        "CSF" if t is Tissue.CSF else t.name.lower().replace("_", " "): t
        for t in Tissue
        if t is not Tissue.AIR
    }
    rows = read_rows(read_section("reference/phantom.md", "Tissues"))
    assert {row[0] for row in rows} == names.keys()
    for row in rows:
        low, high = (RELAXATION[names[row[0]], field] for field in FIELD_STRENGTHS_T)
        for cell, field in zip(row[1:4], ("t1_ms", "t2_ms", "t2_star_ms"), strict=True):
            assert cell == f"{getattr(low, field):g} / {getattr(high, field):g}", row
        assert row[4] == f"{low.proton_density:g}" == f"{high.proton_density:g}", row


def list_commands() -> list[tuple[str, str]]:
    """Return (page, command line) of every `gadoscope ...` in the pages' blocks."""
    found = []
    for page in sorted(DOCS.rglob("*.md")):
        for block in CODE_BLOCK.findall(page.read_text(encoding="utf-8")):
            lines = block.replace("\\\n", " ").splitlines()
            commands = [line.removeprefix("$ ") for line in lines]
            found += [(page.name, line) for line in commands if re.match(r"gadoscope |torchrun ", line)]
    return found


@pytest.mark.parametrize(("page", "line"), list_commands())
def test_every_command_on_a_page_has_only_options_that_exist(page: str, line: str) -> None:
    words = shlex.split(line)
    name, *arguments = words[words.index("gadoscope") + 1 :]
    group = click.Context(cli, **cli.context_settings)
    command = cli.get_command(group, name)
    assert command is not None, f"{page}: {line}"
    context = click.Context(command, parent=group)
    command.make_parser(context).parse_args(arguments)
