"""The pages that train, and others that show commands without their output: each command runs, in its order.

In small: few heads, few epochs. The quicker twin is test_commands.py: every command is understood.
"""

import csv
import re
import shlex
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import gadoscope as gs
from tests.docs.commands import NAMED_FILE, iter_shown
from tests.docs.console import in_shape, matches, read_blocks, run_shell
from tests.docs.test_commands import NOT_RUN, RUN_BY
from tests.support.commands import run_command
from tests.support.keras_files import KERAS2
from tests.support.paths import ROOT
from tests.support.quick_runs import train_quickly

LONGEST_S = 300
SMALL = {
    "train": ["--epochs", "1", "--set", "threads=1"],
    "evaluate": ["--cases", "0"],
    "audit": ["--cases", "0"],
}
"""What each command gets besides."""
ROOT_FOLDERS = ("/archive", "/shared")
"""Folders of a page that begin at the root lie in the test's folder."""


@dataclass(frozen=True)
class Page:
    """What the reader of a page brings, and what makes its commands small."""

    prepare: Callable[[Path], None]
    smaller: Mapping[str, Sequence[str]] = field(default_factory=lambda: SMALL)


def bring_slices(folder: Path, subjects: int = 24, slices: int = 2) -> None:
    """Make heads with a manifest of two sources, each of which holds both labels."""
    made = gs.make_phantom(folder / "slices", subjects=subjects, slices=slices, matrix=64, seed=1)
    rows = read_rows(made.manifest)
    for row in rows:
        # Three in a row are a subject of each kind: scanned before contrast, after it, and both.
        row["source"] = ("south", "north")[(int(row["subject_id"].removeprefix("sub-")) - 1) // 3 % 2]
    write_rows(made.manifest, rows)


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table))


def write_rows(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as table:
        writer = csv.DictWriter(table, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def bring_runs(folder: Path) -> None:
    """Train two runs to compare."""
    bring_slices(folder)
    for name in "ab":
        words = ("lesson", "--data", "slices", "--output", f"runs/{name}")
        assert run_command("train", *words, *SMALL["train"], folder=folder).returncode == 0


def bring_own(folder: Path) -> None:
    """Make a hospital of one's own, and images of others, T2 among them."""
    for name, seed, subjects, plane in (("own", 1, 24, "axial"), ("public", 2, 4, "axial")):
        made = gs.make_phantom(
            folder / name,
            subjects=subjects,
            slices=2,
            matrix=96,
            seed=seed,
            plane=plane,
            contrasts=("t1", "t2"),
        )
        rows = [
            {
                "path": f"{name}/{row['path']}",
                "subject_id": f"{name}-{row['subject_id']}",
                "label": row["label"],
                "plane": row["plane"],
                "source": name,
            }
            for row in read_rows(made.manifest)
        ]
        write_rows(folder / f"{name}.csv", rows)


def bring_archive(folder: Path) -> None:
    """Make a folder, a zip and a volume, some with a header that does not fit its pixels."""
    for name, form in (("archive", "dicom"), ("study", "dicom"), ("volume", "nifti")):
        gs.make_phantom(folder / name, form=form, subjects=1, slices=8, matrix=96, seed=3, header="wrong")
    with zipfile.ZipFile(folder / "study.zip", "w") as archive:
        for path in (folder / "study").rglob("*.dcm"):
            archive.write(path, path.relative_to(folder))
    shutil.copy(next((folder / "volume").rglob("*.nii.gz")), folder / "scan.nii.gz")


def bring_weights(folder: Path) -> None:
    bring_slices(folder)
    shutil.copy(KERAS2, folder / "SimpleGadClass.h5")


def bring_many(folder: Path) -> None:
    bring_slices(folder, subjects=240, slices=3)


PAGES = {
    "docs/explanation/what-a-figure-is-worth.md": Page(bring_runs),
    "docs/explanation/why-a-perfect-score-fails-next-door.md": Page(bring_slices),
    "docs/how-to/calibrate-and-abstain.md": Page(bring_many, {}),
    "docs/how-to/classify-an-archive.md": Page(bring_archive),
    "docs/how-to/find-label-errors.md": Page(bring_slices),
    "docs/how-to/fine-tune-the-default.md": Page(bring_own),
    "docs/how-to/import-keras-weights.md": Page(bring_weights),
    "docs/how-to/train-on-several-devices.md": Page(bring_slices),
    "docs/how-to/train-on-your-own-images.md": Page(bring_slices),
    "docs/how-to/tune-a-config.md": Page(bring_slices, {"tune": ["--trials", "2"]}),
}
OF_OTHER_TESTS = "pip install"
"""How commands begin that test_install.py runs."""


def run(line: str, folder: Path, smaller: Mapping[str, Sequence[str]]) -> str:
    """Run one command of a page in a folder, and return what it printed.

    Ours run within this process, each with more words; the others as a shell runs them, and so does what
    starts copies of itself: Lightning ends the whole process if one of them fails.
    """
    for name in ROOT_FOLDERS:
        line = line.replace(f" {name}", f" {folder}{name}")
    words = shlex.split(line)
    if words[0] == "gadoscope" and "--devices" not in words:
        ended = run_command(*words[1:], *smaller.get(words[1], []), folder=folder, together=True)
    else:
        line += "".join(f" {word}" for word in smaller["train"]) if "gadoscope train" in line else ""
        path = f"PYTHONPATH='{ROOT / 'src'}:{ROOT}'"
        ended = run_shell(f"{path}; export PYTHONPATH; {line}", folder, longest_s=LONGEST_S)
    assert ended.returncode == 0, f"$ {line}\n{ended.stdout}"
    return ended.stdout


def fold_digests(text: str) -> str:
    """Return the text with the digests of bundles folded, which are of other weights."""
    return re.sub(r"@[0-9a-f]{8}", "@#", text)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: Path(page).stem)
def test_every_command_of_the_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed is compared where the page shows it, but for its numbers."""
    train_quickly(monkeypatch)
    text = (ROOT / page).read_text(encoding="utf-8")
    for name, content in NAMED_FILE.findall(text):
        (tmp_path / name).write_text(content, encoding="utf-8")
    PAGES[page].prepare(tmp_path)
    shows = {" ".join(one.command.split()): one.expected for steps in read_blocks(text) for one in steps}
    for one in iter_shown(ROOT / page):
        if not one.is_block or one.line in NOT_RUN or one.line.startswith(OF_OTHER_TESTS):
            continue
        printed = run(one.line, tmp_path, PAGES[page].smaller)
        if one.line in shows:
            shown, said = (in_shape(fold_digests(part)) for part in (shows[one.line], printed))
            assert matches(shown, said), f"$ {one.line}\n{printed}\nexpected but for its numbers:\n{shown}"


def test_the_pages_that_are_said_to_be_run_here_are() -> None:
    assert set(PAGES) == {page for page, runner in RUN_BY.items() if runner == Path(__file__).name}
