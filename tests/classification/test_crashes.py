"""A picture that crashes its decoder: of a rare format it costs that file; else the next run goes past it."""

import faulthandler
import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from gadoscope.reading.decoding import apart
from gadoscope.results.journal import Journal, journal_path
from gadoscope.results.under_way import REMEMBERED, SUFFIX, UnderWay, under_way_path
from tests.support.commands import run_command
from tests.support.copies import start_with_files

SIZE, CRASHING_SIZE = (48, 48), (48, 40)
N_GOOD = 12
# Pillow with a decoder that crashes of pictures of one size, in the processes that decode for a run.
CRASHING = f"""
import signal, sys
from PIL import ImageFile
whole = ImageFile.ImageFile.load
def load(image):
    if image.size == {CRASHING_SIZE}:
        signal.raise_signal(signal.SIGSEGV)
    return whole(image)
ImageFile.ImageFile.load = load
"""
APART = CRASHING + "from gadoscope.reading.decoding import decoder_process; decoder_process.main()"


def _write_slices(folder: Path, ending: str, n_good: int = N_GOOD) -> Path:
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(1)
    for index in range(n_good):
        pixels = random.integers(0, 255, SIZE[::-1], dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:02d}.{ending}")
    Image.fromarray(random.integers(0, 255, CRASHING_SIZE[::-1], dtype=np.uint8)).save(
        folder / f"05b.{ending}"
    )
    return folder


def _crash(folder: Path, *arguments: object) -> None:
    """Run in a copy of this process, which the picture ends."""

    def crash() -> None:
        faulthandler.disable()  # the crash is meant
        ImageFile.ImageFile.load = load  # type: ignore[method-assign, assignment]  # in a copy, which ends

    whole = ImageFile.ImageFile.load

    def load(image: ImageFile.ImageFile) -> Any:
        if image.size == CRASHING_SIZE:
            signal.raise_signal(signal.SIGSEGV)
        return whole(image)

    ended = start_with_files(("classify", *arguments), folder, before=crash).wait()
    assert ended == -signal.SIGSEGV, (folder / "stderr").read_text()


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Yield what classifies in this process: whoever decodes the picture here learns it from an exception.

    In the processes that decode for it the picture is a crash.
    """
    whole = ImageFile.ImageFile.load

    def load(image: ImageFile.ImageFile) -> object:
        assert image.size != CRASHING_SIZE, "here it would have crashed"
        return whole(image)

    apart.close_decoders()
    monkeypatch.setattr(apart, "COMMAND", ("-c", APART))
    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    yield lambda *arguments: run_command("classify", *map(str, arguments))
    apart.close_decoders()


@pytest.mark.parametrize(
    "endings",
    [("tif", "webp"), pytest.param(("tif", "bmp", "gif", "webp"), marks=pytest.mark.slow)],
    ids=["two", "all"],
)
def test_a_decoder_of_a_rare_format_that_crashes_costs_its_file(
    run: Run, tmp_path: Path, tiny_bundle: Path, endings: tuple[str, ...]
) -> None:
    """Of every rare format; in small, of two of them."""
    n_good = 3
    for ending in endings:
        _write_slices(tmp_path / "slices", ending, n_good)
    ended = run(tmp_path / "slices", "--model", tiny_bundle, "--jobs", 2, "--json")
    assert ended.returncode == 3, ended.stderr
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    failed = [row for row in rows if row["status"] == "failed"]
    assert all(row["reason"].startswith("decoder_crashed: ") for row in failed)
    assert {Path(row["path"]).name for row in failed} == {f"05b.{ending}" for ending in endings}
    assert len(rows) == len(endings) * (n_good + 1)
    assert len(failed) == len(endings)


RESUME = ("--resume",)
RESUMED_FIRST, ANEW_FIRST = (RESUME, RESUME, ()), ((), RESUME, RESUME)


# The slow ones' quicker twin is the first, which resumes, forgets and resumes as they do.
@pytest.mark.parametrize(
    ("jobs", "later"),
    [
        pytest.param(1, RESUMED_FIRST, id="1-resumed"),
        pytest.param(2, ANEW_FIRST, id="2-anew", marks=pytest.mark.slow),
        pytest.param(1, ANEW_FIRST, id="1-anew", marks=pytest.mark.slow),
        pytest.param(2, RESUMED_FIRST, id="2-resumed", marks=pytest.mark.slow),
    ],
)
def test_after_a_crash_the_next_run_goes_past_the_file_and_so_do_all_after_it(
    run: Run, tmp_path: Path, tiny_bundle: Path, jobs: int, later: tuple[tuple[str, ...], ...]
) -> None:
    """Whether a file is under suspicion or not: all other rows are those of a run without the picture."""
    slices, table, other = (tmp_path / name for name in ("slices", "table.csv", "other.csv"))
    _write_slices(slices, "png")
    whole = slices / "05b.png"
    aside = whole.rename(tmp_path / "aside.png")
    assert run(slices, "--model", tiny_bundle, "--output", other).returncode == 0
    expected = other.read_text(encoding="utf-8").splitlines()
    aside.rename(whole)
    arguments = (slices, "--model", tiny_bundle, "--output", table, "--jobs", jobs)
    _crash(tmp_path / "crash", *arguments)
    assert not table.exists()
    for more in later:
        ended = run(*arguments, *more)
        assert ended.returncode == 3, ended.stderr
        lines = table.read_text(encoding="utf-8").splitlines()
        assert [line.partition(",")[0][-7:-4] for line in lines if "decoder_crashed" in line] == ["05b"]
        assert len(lines) == N_GOOD + 2
        assert [line for line in lines if "05b" not in line] == expected
        assert not list(tmp_path.glob(f".*{SUFFIX}"))


def test_a_journal_remembers_what_was_under_way_and_the_last_few_before(tmp_path: Path) -> None:
    digests = [f"{index:064x}" for index in range(1, 12)]
    path = journal_path(tmp_path / "table.csv")
    under_way = UnderWay(under_way_path(path))
    with under_way.note(digests[0]):  # a slow one; another thread takes the others
        for digest in digests[1:]:
            with under_way.note(digest):
                pass
        assert under_way.read() == {digests[0], *digests[-REMEMBERED:]}
        with Journal(path, is_resuming=True) as journal:
            journal.begin(model="m", version="v")
            assert [journal.is_suspect(digest) for digest in digests[:4]] == [True, False, False, True]


def test_what_is_no_file_of_ours_suspects_nobody(tmp_path: Path) -> None:
    path = tmp_path / f"x{SUFFIX}"
    assert UnderWay(path).read() == set()
    path.write_bytes(b"text" * 400_000)
    assert UnderWay(path).read() == set()
    path.unlink()
    path.mkdir()
    assert UnderWay(path).read() == set()
