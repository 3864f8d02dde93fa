"""The examples of the Python page are executed, and it names everything that is offered."""

import doctest
import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import gadoscope as gs
from gadoscope.cli.main import cli
from tests.support.curves import no_curves
from tests.support.keras_files import KERAS2
from tests.support.paths import DOCS
from tests.support.quick_runs import draw_no_curves, explain_coarsely, grow_few_trees

PAGE = DOCS / "reference" / "python.md"
TEXT = PAGE.read_text(encoding="utf-8")
SESSION = re.compile(r"^```pycon\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that the page makes first; the tests stand in it."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(KERAS2, tmp_path / "SimpleGadClass.h5")
    (commands,) = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    for line in commands.splitlines():
        result = CliRunner().invoke(cli, [*shlex.split(line)[1:], "--jobs", "1"])
        assert result.exit_code == 0, result.output
    return tmp_path


def test_every_example_of_the_page_says_what_is_true(examples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_no_curves(monkeypatch)
    grow_few_trees(monkeypatch)
    explain_coarsely(monkeypatch)
    monkeypatch.setattr(
        "os.cpu_count", lambda: 1
    )  # of torch: more threads than this worker's wait for others
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    session = "\n".join(SESSION.findall(TEXT))
    test = doctest.DocTestParser().get_doctest(session, {}, PAGE.name, str(PAGE), 0)
    said: list[str] = []
    with no_curves():
        outcome = doctest.DocTestRunner(optionflags=options).run(test, out=said.append)
    assert outcome.failed == 0, "".join(said)
    assert outcome.attempted > 30
    assert (examples / "answers.csv").exists()


def test_the_page_names_everything_that_is_offered() -> None:
    examples = "\n".join(SESSION.findall(TEXT))
    for name in gs.__all__:
        assert re.search(rf"gs\.{name}\b", TEXT), name
        if not name.endswith("Error"):
            assert re.search(rf"gs\.{name}\b", examples) or name in _SHOWN_BY_ANOTHER, name


_SHOWN_BY_ANOTHER = {
    "DaskEngine",
    "SeriesResult",
    "PicturedResult",
    "Bundle",
    "BundleMetadata",
    "Progress",
    "HeaderEvidence",
}
"""What the examples have without naming it: what `classify`, `open_bundle` and the like return."""
