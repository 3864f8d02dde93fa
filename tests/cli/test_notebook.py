"""`gadoscope notebook` writes the lesson out, and nobody's work over."""

from pathlib import Path

from gadoscope.api.installation import find_missing
from gadoscope.extras import install_command
from tests.support.commands import run_command
from tests.support.notebooks import read_text


def test_the_notebook_is_written_where_one_stands_with_what_comes_next(tmp_path: Path) -> None:
    ended = run_command("notebook", folder=tmp_path)
    assert ended.returncode == 0
    assert (tmp_path / "the-lesson.ipynb").read_text(encoding="utf-8") == read_text()
    first, *hint, last = ended.stdout.splitlines()
    assert (first, last) == ("notebook: the-lesson.ipynb", "next:     jupyter lab the-lesson.ipynb")
    is_whole = find_missing("notebook") is None and find_missing("train") is None
    assert hint == ([] if is_whole else [f"install:  {install_command('notebook')}"])


def test_a_notebook_that_somebody_worked_in_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine.ipynb").write_text("my answers")
    ended = run_command("notebook", "mine.ipynb", folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr == ("Error: mine.ipynb exists already; name another file, or move that one away.\n")
    assert (tmp_path / "mine.ipynb").read_text() == "my answers"


def test_a_name_that_jupyter_would_not_open_is_refused(tmp_path: Path) -> None:
    ended = run_command("notebook", "lesson.txt", folder=tmp_path)
    assert (ended.returncode, list(tmp_path.iterdir())) == (2, [])
    assert ended.stderr == "Error: lesson.txt is no name of a notebook; end it in .ipynb.\n"
