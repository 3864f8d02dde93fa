"""The README's first screen is what a newcomer sees: `make demo`, whose commands are the tutorial's.

The tutorial runs them with fewer heads and epochs, in folders of other names; one run serves both pages. By
default that run is smaller still: the numbers are others, the lines are the same.
"""

import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from scipy import stats

import gadoscope as gs
from gadoscope.results.ledger import Ledger
from gadoscope.results.terminal import open_terminal_table, print_summary
from tests.docs.conftest import Lesson
from tests.docs.console import matches, read_blocks
from tests.support.commands import run_command
from tests.support.paths import DOCS, ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURE = "before-and-after.webp"
DESCRIPTION = 0x010E
"""ImageDescription, of EXIF: of which bundle the picture is."""
TERMINAL_WIDTH = 96
MOST_WORDS, MOST_BYTES, MOST_PIXELS = 1200, 100_000, 1600
"""What one reads in a few minutes, and what loads at once."""


def demo_commands() -> list[list[str]]:
    """Return the commands of ours that `make demo` runs, as make itself says."""
    folder = Path(sys.executable).parent
    plan = subprocess.run(
        ["make", "--dry-run", "demo", f"BIN={folder}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [shlex.split(line) for line in plan.stdout.splitlines() if line.startswith(f"{folder}/gadoscope ")]


def readme_output(command: str) -> list[str]:
    """Return the lines that the README shows under ``$ command``, without what it leaves out."""
    match = re.search(rf"```console\n\$ {re.escape(command)}\n(.*?)```", README, re.DOTALL)
    assert match is not None
    return [line for line in match[1].splitlines() if line.strip() not in ("", "...")]


def without_numbers(line: str) -> str:
    """Return the line with every number, digest and space folded: they differ from run to run."""
    line = re.sub(r"sha256 [0-9a-f]{64}", "sha256 #", line)
    line = re.sub(r"\d+(\.\d+)?(e-?\d+)?|\u2013", "#", line)
    return re.sub(r"\s+", " ", line).strip()


NAMES = {
    "slices": "demo/slices",
    "runs/first": "demo/run",
    "report": "demo/report",
    "answers.csv": "demo/answers.csv",
}
"""What the tutorial calls what the demo makes."""


def name_path(word: str) -> str:
    """Return a path of the tutorial with the demo's name; any other word as it is."""
    theirs = next((name for name in NAMES if word == name or word.startswith(f"{name}/")), None)
    return word if theirs is None else NAMES[theirs] + word.removeprefix(theirs)


def name_paths(line: str) -> str:
    """Return a line that the tutorial's commands print with the demo's names, where a word is a path."""
    words = line.split()
    return " ".join(
        name_path(word.removesuffix(":")) + word[len(word.removesuffix(":")) :]
        if "/" in word or word.endswith(":")
        else word
        for word in words
    )


def in_small(words: list[str]) -> list[str]:
    """Return a command of the demo with the heads and the epochs of the tutorial."""
    small = ["12" if word == "60" else word for word in words[1:]]
    return [*small, "--epochs", "3"] if "train" in small else small


def demo_lines(lesson: Lesson) -> set[str]:
    """Return what the demo's commands print, as the tutorial has run them, without numbers."""
    ran = {tuple(map(name_path, shlex.split(step.command)[1:])): printed for step, printed in lesson[::-1]}
    printed = "\n".join(ran[tuple(in_small(words))] for words in demo_commands())
    return {without_numbers(name_paths(line)) for line in printed.splitlines()}


def list_unprinted(printed: set[str]) -> list[str]:
    """Return the lines of the README's demo that neither the demo's commands nor the Makefile print."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    shown = readme_output("make demo")
    return [line for line in shown if without_numbers(line) not in printed and line not in makefile]


def test_the_demo_runs_the_four_commands_of_the_lesson() -> None:
    assert [words[1] for words in demo_commands()] == ["phantom", "train", "evaluate", "classify"]


@pytest.mark.slow
def test_every_line_of_the_readme_s_demo_is_printed_by_the_demo(lesson: Lesson) -> None:
    """Its twin is the next: the same lines, of the same commands with smaller images."""
    assert list_unprinted(demo_lines(lesson)) == []


def test_every_line_of_the_readme_s_demo_is_printed_by_the_demo_in_small(small_lesson: Lesson) -> None:
    assert list_unprinted(demo_lines(small_lesson)) == []


def test_the_intervals_of_the_readme_s_demo_are_by_subject_and_so_wider_than_by_image() -> None:
    counted = re.compile(r"([\d.]+)\s%  95\s%: ([\d.]+)\s% to ([\d.]+)\s%  \((\d+) of (\d+)\)")
    rows = [found for line in readme_output("make demo") if (found := counted.search(line))]
    assert len(rows) == 3
    for row in rows:
        share, low, high = (float(row[place]) / 100 for place in (1, 2, 3))
        n_right, n_images = int(row[4]), int(row[5])
        assert share == pytest.approx(n_right / n_images, abs=0.0005)
        by_image = stats.binomtest(n_right, n_images).proportion_ci(method="wilson")
        assert low < by_image.low < share < by_image.high < high


def test_the_answer_of_the_first_screen_is_what_the_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal, for which a text stands in."""
    monkeypatch.chdir(tmp_path)
    (steps,) = (one for one in read_blocks(README) if one[0].command.startswith("gadoscope"))
    make, classify = (shlex.split(step.command)[1:] for step in steps)
    assert run_command(*make, "--jobs", "1").returncode == 0
    assert classify == ["classify", "my_scan"]
    ledger, printed = Ledger(), io.StringIO()
    with open_terminal_table(printed, width=TERMINAL_WIDTH) as write:
        for row in gs.classify(classify[1], jobs=1):
            write(row)
            ledger.add(row)
    printed.write("\n")
    print_summary(ledger, printed)
    assert matches(steps[1].expected, printed.getvalue()), printed.getvalue()


def test_the_figures_and_the_picture_are_of_the_bundle_that_ships() -> None:
    ships = gs.open_bundle("default").model_id
    card = (DOCS / "model-card.md").read_text(encoding="utf-8")
    assert set(re.findall(r"default@[0-9a-f]{8}", README)) == {ships}
    assert f"This card is of `{ships}`." in card, "the card, and then the README's figures, are of another"
    with Image.open(DOCS / "images" / PICTURE) as picture:
        made_of = picture.getexif()[DESCRIPTION]
        assert picture.width <= MOST_PIXELS
    assert made_of == ships, "run `python -m website.first_picture`"
    assert (DOCS / "images" / PICTURE).stat().st_size <= MOST_BYTES


def test_the_picture_s_words_for_who_cannot_see_it_are_the_answer_that_is_printed() -> None:
    (spoken,) = re.findall(rf"!\[([^\]]*)\]\(docs/images/{PICTURE}\)", README)
    printed = re.findall(r"answered +(\w+) +([\d.]+)$", README, re.MULTILINE)
    assert len(printed) == 2
    for phase, probability in printed:
        assert f"{phase} with P(post) {probability}" in " ".join(spoken.split())


def test_the_readme_s_first_screen_comes_first_and_the_whole_is_short() -> None:
    headings = re.findall(r"^## (.*)$", README, re.MULTILINE)
    assert headings[:3] == ["Who it is for", "How good is it?", "Limits"]
    assert len(README.split()) <= MOST_WORDS


def test_the_readme_says_that_it_is_not_a_medical_device() -> None:
    assert "Not a medical device" in README
