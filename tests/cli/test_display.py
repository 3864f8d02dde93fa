"""One display: bars on a terminal, nothing but lines elsewhere."""

import os
import pty
import subprocess
import sys

import pytest

from gadoscope.cli.display import Display

PROGRAM = """
from gadoscope.cli.display import Display
with Display(stays={stays}) as display:
    display.tell("Reading images", 0, 12)
    display.tell("Reading images", 12, 12)
    display.show("training", "epoch 1/2", 3, 6, "loss 0.7000")
    display.say("a line \\x1b[2J")
"""


def show_on_terminal(program: str) -> str:
    """Return what the program writes to a terminal that stands in for the standard error."""
    ours, theirs = pty.openpty()
    try:
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
        subprocess.run([sys.executable, "-c", program], stderr=theirs, env=environment, check=True)
        os.set_blocking(ours, False)
        return os.read(ours, 1 << 20).decode()
    finally:
        os.close(theirs)
        os.close(ours)


@pytest.mark.parametrize("stays", [True, False])
def test_each_step_has_a_bar_on_a_terminal_and_lines_stand_above_them(stays: bool) -> None:
    seen = show_on_terminal(PROGRAM.format(stays=stays))

    for said in ("Reading images", "12/12", "epoch 1/2", "loss 0.7000", "a line"):
        assert said in seen
    assert "\x1b[2J" not in seen, "what a terminal obeys is shown and not obeyed"


def test_elsewhere_there_are_lines_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with Display() as display:
        display.tell("Reading images", 1, 2)
        display.say("a line")

    captured = capsys.readouterr()
    assert captured.err == "a line\n"
    assert captured.out == ""
    assert display.find_speed("Reading images") == 0


def test_elsewhere_a_long_step_says_each_minute_how_far_it_is_and_how_long_it_takes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("gadoscope.cli.display.monotonic", lambda: now[0])
    with Display() as display:
        for second, done in ((0, 0), (30, 60), (61, 122), (90, 180), (122, 244)):
            now[0] = second
            display.tell("Scoring images", done, 500)
        display.show("looking", "looking", 10, None, "10 files")
        now[0] = 200
        display.show("looking", "looking", 78, None, "78 files")
    assert capsys.readouterr().err.splitlines() == [
        "Scoring images: 122/500, 2.0 a second, 3:09 left",
        "Scoring images: 244/500, 2.0 a second, 2:08 left",
        "looking: 78 files, 1.0 a second",
    ]


def test_a_quiet_one_shows_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("gadoscope.cli.display.monotonic", lambda: now[0])
    with Display(is_quiet=True, is_shown=True) as display:
        display.tell("Scoring images", 0, 500)
        now[0] = 1000
        display.tell("Scoring images", 9, 500)
    assert capsys.readouterr().err == ""


def test_without_a_terminal_the_library_of_bars_is_not_loaded() -> None:
    program = f"import sys\n{PROGRAM.format(stays=False)}\nassert 'rich' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, stderr=subprocess.PIPE)
