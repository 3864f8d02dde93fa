"""Every command that a page shows: in a block for a shell, behind a prompt, or in the text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs.menu import FENCE
from tests.support.paths import DOCS, ROOT

GENERATED = {DOCS / "reference" / "cli.md", DOCS / "reference" / "api.md"}
"""Made of what the code says of itself."""
OF_THE_PAST = {DOCS / "log.md", ROOT / "CHANGELOG.md", *(DOCS / "decisions").glob("*.md")}
"""Say what was run or decided on a day; commands may be others since."""
PAGES = sorted({*ROOT.glob("*.md"), *DOCS.rglob("*.md")} - GENERATED - OF_THE_PAST)
PROGRAMS = {
    *("conda", "docker", "gadoscope", "make", "mlflow", "pip", "pipx", "podman", "python", "python3"),
    *("snakemake", "tensorboard", "torchrun", "uv"),
}
BLOCK = re.compile(r"^```(sh|console|text|)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAMED_FILE = re.compile(r"^```\w+\n# ([\w.-]+\.\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
"""A file whose first line is its name."""
CODE = re.compile(r"`([^`]+)`")
PROMPT = "$ "


@dataclass(frozen=True)
class Shown:
    """A command as a page shows it."""

    page: Path
    line: str
    """The whole line, its continuations joined."""
    is_block: bool
    """Whether a reader copies it; in the text it may be a name with a hint of what follows it."""

    @property
    def where(self) -> str:
        return str(self.page.relative_to(ROOT))


def iter_shown(page: Path) -> Iterator[Shown]:
    """Yield each command of a page, blocks first."""
    text = page.read_text(encoding="utf-8")
    for kind, block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            command = _read_line(kind, line)
            if command:
                yield Shown(page, " ".join(command.split()), is_block=True)
    for code in CODE.findall(FENCE.sub("", text)):
        words = code.split()
        if words and words[0] in PROGRAMS:
            yield Shown(page, " ".join(words), is_block=False)


def _read_line(kind: str, line: str) -> str | None:
    """Return the command of a line: behind a prompt, of a known program, or in a block for a shell."""
    if line.startswith(PROMPT):
        return line.removeprefix(PROMPT)
    first = line.partition(" ")[0]
    is_command = first in PROGRAMS or (kind == "sh" and not line.startswith(("#", " ")))
    return line.partition("  #")[0] if line and is_command else None


def list_shown() -> list[Shown]:
    """Return each command of all pages."""
    return [one for page in PAGES for one in iter_shown(page)]
