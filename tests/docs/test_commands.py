"""No page shows a command that nobody has tried: each is run by a test that is named here.

By default each is read as the command line reads it: options, extras, targets, modules exist. What runs them
stands beside each page; what no test can run has its reason.
"""

import importlib
import importlib.util
import re
import shlex
import tomllib
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import click
import pytest

from gadoscope.cli.main import COMMANDS
from gadoscope.training.config import read_config
from tests.docs.commands import PAGES, Shown, iter_shown, list_shown
from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
EXTRA = re.compile(r"(?:\.|gadoscope|\.whl)\[([\w,]+)\]")
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
SHELL = {"|", "||", ">", ">>", "<"}
"""Words behind which a command is no longer the one that began."""

RUN_BY = {
    "CONTRIBUTING.md": "test_duration.py",
    "README.md": "test_readme.py",
    "docs/explanation/what-a-figure-is-worth.md": "test_pages_run.py",
    "docs/explanation/why-a-perfect-score-fails-next-door.md": "test_pages_run.py",
    "docs/how-to/audit-your-data.md": "test_how_to.py",
    "docs/how-to/calibrate-and-abstain.md": "test_pages_run.py",
    "docs/how-to/classify-a-bids-dataset.md": "../reading/bids/test_page.py",
    "docs/how-to/classify-an-archive.md": "test_pages_run.py",
    "docs/how-to/classify-on-a-cluster.md": "../cluster/test_slurm.py",
    "docs/how-to/find-label-errors.md": "test_pages_run.py",
    "docs/how-to/fine-tune-the-default.md": "test_pages_run.py",
    "docs/how-to/import-keras-weights.md": "test_pages_run.py",
    "docs/how-to/install.md": "test_install.py",
    "docs/how-to/read-the-evidence.md": "test_how_to.py",
    "docs/how-to/score-on-tcia.md": "test_how_to.py",
    "docs/how-to/serve-a-review-room.md": "test_how_to.py",
    "docs/how-to/test-on-your-own-scans.md": "test_own_scans.py",
    "docs/how-to/train-on-several-devices.md": "test_pages_run.py",
    "docs/how-to/train-on-your-own-images.md": "test_pages_run.py",
    "docs/how-to/tune-a-config.md": "test_pages_run.py",
    "docs/how-to/use-in-a-pipeline.md": "test_how_to.py",
    "docs/reference/python.md": "test_python.py",
    "docs/tutorial/the-lesson.md": "conftest.py",
}
"""What runs the commands of a page's blocks; what begins with `pip` is test_install.py's."""

NOT_RUN = {
    "conda create --name gadoscope python=3.12 pip": "conda is no package of PyPI or Debian",
    "conda activate gadoscope": "the same; what follows inside of it is pip's line, which is run",
    "podman build --format docker --tag gadoscope .": "`make container` does it, with buildah",
    'podman run --rm --network none --volume "$PWD/scans:/scans:ro" gadoscope classify /scans '
    ">results.csv": "the same",
    "torchrun --nnodes 2 --nproc-per-node 4 --node-rank 0 --rdzv-backend c10d --rdzv-endpoint first:29500 "
    "-m gadoscope train lesson --data /shared/slices --output /shared/runs/many": "takes two machines",
    "gadoscope classify s3://hospital-archive/2024 --output results.csv": "tests/reading/remote has a bucket",
    "gadoscope classify s3://hospital-archive/export.zip https://host/scans/sub-01_T1w.nii.gz": "the same",
    "sqlite3 layout_index.sqlite \"SELECT path FROM files WHERE path LIKE '%_T1w.nii.gz'\" "
    "| gadoscope classify - --output results.csv": "pybids is no library of ours",
    "make demo": "test_readme.py runs its four commands, with the heads of the tutorial",
    "python -m benchmarks.saliency_regions demo/run/model.onnx "
    "--picture docs/images/what-the-network-looks-at.png": "takes a quarter of an hour; "
    "tests/benchmarks/test_saliency.py tries its parts",
    "make test": "runs the tests; CI runs it",
    "make check": "builds and installs the wheel; CI runs it",
    "make fuzz": "takes a minute on its own; CI runs it, and tests/fuzz its parts",
}
"""The commands of blocks that no test runs as they stand, each with the reason."""


def explain_fault(command: Shown) -> str | None:
    """Say what a command names that does not exist; None if all does."""
    words = list(takewhile(lambda word: word not in SHELL, shlex.split(command.line)))
    program, rest = words[0].removeprefix("gadoscope-env/bin/"), words[1:]
    if program == "gadoscope" and rest:
        return explain_words(rest, is_whole=command.is_block)
    if program == "make":
        return next((f"no target {name}" for name in rest if "=" not in name and name not in TARGETS), None)
    if program in ("python", "python3", "torchrun") and "-m" in rest:
        module = rest[rest.index("-m") + 1]
        return None if importlib.util.find_spec(module) else f"no module {module}"
    extras = [name for found in EXTRA.findall(command.line) for name in found.split(",")]
    return next((f"no extra {name}" for name in extras if name not in EXTRAS), None)


def explain_words(words: list[str], *, is_whole: bool) -> str | None:
    """Say what our own command does not understand: its name, an option, a word, a setting."""
    if words[0] in ("--version", "--help"):
        return None
    if words[0] not in COMMANDS:
        return f"no command {words[0]}"
    command = importlib.import_module(f"gadoscope.cli.{words[0].replace('-', '_')}").command
    context = click.Context(command)
    try:
        options, *_ = command.make_parser(context).parse_args(words[1:])
        for parameter in command.params:
            if isinstance(parameter.type, click.Choice | click.IntRange) and parameter.name in options:
                parameter.type_cast_value(context, options[parameter.name])
        if is_whole and options.get("settings") and "CONFIG" not in options:
            read_config(Path(words[1]), options["settings"])
    except click.BadOptionUsage as error:  # in the text an option may stand without its value
        return str(error) if is_whole else None
    except Exception as error:  # whatever it is, the page is wrong
        return str(error)
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_shows_is_one_that_exists(page: Path) -> None:
    faults = {one.line: explain_fault(one) for one in iter_shown(page)}
    assert {line: fault for line, fault in faults.items() if fault} == {}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("gadoscope clasify scans", "no command clasify"),
        ("gadoscope classify scans --ouptut a.csv", "No such option"),
        ("gadoscope phantom heads --form tiff", "'tiff' is not"),
        ("gadoscope train lesson --data a --output b --set epoch=3", "epoch"),
        ("make everything", "no target everything"),
        ("python -m benchmarks.absent", "no module benchmarks.absent"),
        ("pip install '.[training]'", "no extra training"),
    ],
)
def test_a_command_that_does_not_exist_is_noticed(line: str, fault: str) -> None:
    assert fault in str(explain_fault(Shown(ROOT / "README.md", line, is_block=True)))


def list_unrun() -> Iterator[str]:
    """Yield the commands of blocks that no test runs and for which no reason is given."""
    for command in list_shown():
        if command.is_block and command.line not in NOT_RUN and command.where not in RUN_BY:
            yield f"{command.where}: {command.line}"


def test_every_command_of_a_block_is_run_by_a_test_or_says_why_not() -> None:
    assert list(list_unrun()) == []


def test_what_runs_a_page_names_it() -> None:
    for page, runner in RUN_BY.items():
        text = (Path(__file__).parent / runner).read_text(encoding="utf-8")
        assert Path(page).stem in text, f"{runner} does not run {page}"


def test_no_reason_outlives_its_command() -> None:
    assert set(NOT_RUN) - {command.line for command in list_shown()} == set()
    assert set(RUN_BY) - {command.where for command in list_shown() if command.is_block} == set()
