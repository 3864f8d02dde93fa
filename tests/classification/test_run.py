"""Paths to answers: every input becomes one row, in order, whatever is wrong with it."""

import io
import os
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from PIL import Image

from gadoscope.classification import inputs, local, run
from gadoscope.classification.run import iter_results
from gadoscope.errors import BundleError, UsageError
from gadoscope.inference import default
from gadoscope.inference.default import find_model
from gadoscope.inference.session import Answers, Session
from gadoscope.labels import Phase, Plane, SeriesResult, Status
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.discover import Found
from gadoscope.reading.images import SliceImage, decode_slice
from gadoscope.results.ledger import Ledger
from tests.support.bundles import TINY_SIZE, TINY_SLOPE, with_band, write_tiny_bundle


def _grey(brightness: float, *, side: int = 40) -> Image.Image:
    """Return a slice that is not constant and whose mean is about ``brightness`` of white."""
    noise = np.random.default_rng(0).normal(255 * brightness, 4, (side, side))
    return Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def slices(tmp_path: Path) -> Path:
    """Return a folder of 40 slices whose brightness rises with their number."""
    folder = tmp_path / "slices"
    folder.mkdir()
    for index in range(40):
        _grey(0.1 + 0.02 * index).save(folder / f"{index:02d}.png")
    return folder


def _classify(model: Path, *paths: Path, jobs: int = 2) -> list[SeriesResult]:
    return list(iter_results(paths, model=model, jobs=jobs))


def test_an_answer_is_that_of_the_formula(tmp_path: Path, tiny_bundle: Path) -> None:
    image = _grey(0.6, side=TINY_SIZE)
    image.save(tmp_path / "x.png")
    (result,) = _classify(tiny_bundle, tmp_path / "x.png")
    logit = TINY_SLOPE * (np.asarray(image).mean() / 255 - 0.5)
    assert result.probability == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-5)
    assert result.phase is Phase.POST_CONTRAST


def test_a_plain_image_is_a_series_of_one_slice_whose_header_is_silent(
    slices: Path, tiny_bundle: Path
) -> None:
    (result,) = _classify(tiny_bundle, slices / "00.png")
    assert result == SeriesResult(
        path=str(slices / "00.png"),
        plane=Plane.UNKNOWN,
        n_slices=1,
        n_slices_used=1,
        status=Status.ANSWERED,
        phase=Phase.PRE_CONTRAST,
        probability=result.probability,
        model=Session(tiny_bundle).bundle.model_id,
    )
    assert (result.header_state, result.header_quote, result.agreement) == ("silent", "", "silent")


@pytest.mark.parametrize("jobs", [1, 2, 7])
def test_results_come_in_the_order_of_the_inputs_and_do_not_depend_on_jobs(
    slices: Path, tiny_bundle: Path, jobs: int
) -> None:
    results = _classify(tiny_bundle, slices, jobs=jobs)
    assert [result.path for result in results] == [str(path) for path in sorted(slices.iterdir())]
    assert results == _classify(tiny_bundle, slices, jobs=1)


def test_inside_the_band_there_is_no_answer_but_a_probability_and_a_reason(
    tmp_path: Path, slices: Path
) -> None:
    model = write_tiny_bundle(tmp_path / "band.onnx", with_band(0.3, 0.7))
    results = _classify(model, slices)
    silent = [result for result in results if result.status is Status.INDETERMINATE]
    assert silent
    for result in silent:
        assert result.phase is Phase.INDETERMINATE
        assert result.probability is not None
        assert 0.3 <= result.probability < 0.7
        assert result.reason.startswith("inside_abstention_band: the probability 0.")
        assert "lies in [0.3, 0.7), where this model does not answer." in result.reason


def _write(name: str, content: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


def _link_to_itself(folder: Path) -> Path:
    (folder / "bad.png").symlink_to(folder / "bad.png")
    return folder / "bad.png"


def _link_to_nothing(folder: Path) -> Path:
    (folder / "bad.png").symlink_to(folder / "gone.png")
    return folder / "bad.png"


def _animated() -> bytes:
    stream = io.BytesIO()
    _grey(0.4).save(stream, "GIF", save_all=True, append_images=[_grey(0.6)])
    return stream.getvalue()


def _huge() -> bytes:
    """Return the beginning of a 20,000 x 20,000 PNG: its header, which is all that may be read."""
    header = bytearray(_png(_grey(0.5)))
    header[16:24] = (20_000).to_bytes(4, "big") * 2
    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4, "big")
    return bytes(header)


BAD = [
    (_write("bad.png", b""), Status.FAILED, "empty_file"),
    (_write("bad.png", _png(_grey(0.5))[:-700]), Status.FAILED, "truncated"),
    (_write("bad.png", b"These are words, and no image at all.\n"), Status.REFUSED, "text_file"),
    (_write("bad.png", bytes(range(256))), Status.FAILED, "not_an_image"),
    (_write("bad.png", _animated()), Status.REFUSED, "animated"),
    (_write("bad.png", _huge()), Status.REFUSED, "too_large"),
    (_write("bad.png", _png(Image.new("L", (40, 40), 7))), Status.REFUSED, "blank"),
    (_write("bad.pdf", b"%PDF-1.7\n"), Status.REFUSED, "unsupported_format"),
    (_write("bad.dcm", bytes(128) + b"DICM" + bytes(99)), Status.FAILED, "damaged_header"),
    (_link_to_itself, Status.FAILED, "link_loop"),
    (_link_to_nothing, Status.FAILED, "missing"),
]


@pytest.mark.parametrize(
    ("make", "status", "code"), BAD, ids=[f"{code}-{n}" for n, (_, _, code) in enumerate(BAD)]
)
def test_a_bad_input_becomes_its_row_and_the_others_are_answered(
    slices: Path, tiny_bundle: Path, make: Callable[[Path], Path], status: Status, code: str
) -> None:
    bad = make(slices)
    results = _classify(tiny_bundle, slices)
    (row,) = [result for result in results if result.path == str(bad)]
    assert row.status is status
    assert row.reason.startswith(f"{code}: ")
    assert (row.phase, row.probability, row.n_slices_used) == (None, None, 0)
    ledger = Ledger()
    for result in results:
        ledger.add(result)
    assert ledger.n_inputs == len(list(slices.iterdir())) == 41
    assert ledger.by_status[Status.ANSWERED] == 40


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(np.arange(1600, dtype=np.uint16).reshape(40, 40) * 40),
        _grey(0.5).quantize(16),
        Image.merge("LA", (_grey(0.5), _grey(0.9))),
        Image.merge("RGBA", (_grey(0.3), _grey(0.5), _grey(0.5), _grey(0.9))),
    ],
    ids=["16-bit", "palette", "grey-alpha", "colour-alpha"],
)
def test_what_was_repaired_is_answered_and_its_warnings_travel_into_the_row(
    tmp_path: Path, tiny_bundle: Path, image: Image.Image
) -> None:
    image.save(tmp_path / "x.png")
    (result,) = _classify(tiny_bundle, tmp_path / "x.png")
    assert result.status is Status.ANSWERED
    assert result.warnings


def test_a_cmyk_image_is_answered(tmp_path: Path, tiny_bundle: Path) -> None:
    Image.merge("CMYK", (_grey(0.2), _grey(0.3), _grey(0.4), _grey(0.5))).save(tmp_path / "x.jpg")
    (result,) = _classify(tiny_bundle, tmp_path / "x.jpg")
    assert result.status is Status.ANSWERED
    assert result.warnings


def test_names_in_any_script_any_bytes_and_of_any_length_are_kept(tmp_path: Path, tiny_bundle: Path) -> None:
    names = [b"\xe9t\xe9.png", "été 脳 🧠.png".encode(), b"n" * 251 + b".png", b"two\nlines.png", b"=1+1.png"]
    folder = tmp_path / "names"
    folder.mkdir()
    for name in names:
        (folder / os.fsdecode(name)).write_bytes(_png(_grey(0.5)))
    results = _classify(tiny_bundle, folder)
    assert {os.fsencode(Path(result.path).name) for result in results} == set(names)
    assert {result.status for result in results} == {Status.ANSWERED}


def test_a_name_longer_than_the_system_allows_is_a_row(tmp_path: Path, tiny_bundle: Path) -> None:
    (result,) = _classify(tiny_bundle, tmp_path / ("n" * 5000))
    assert result.reason.startswith("name_too_long: ")


def test_a_path_that_does_not_exist_is_a_row(slices: Path, tiny_bundle: Path) -> None:
    first, second = _classify(tiny_bundle, slices / "none.png", slices / "00.png")
    assert first.reason.startswith("missing: ")
    assert second.status is Status.ANSWERED


def test_folders_that_link_in_a_circle_end(slices: Path, tiny_bundle: Path) -> None:
    (slices / "again").symlink_to(slices, target_is_directory=True)
    results = _classify(tiny_bundle, slices)
    assert sum(result.status is Status.ANSWERED for result in results) == 40
    assert len(results) <= 41


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user"
)
def test_files_and_folders_without_permission_become_rows(slices: Path, tiny_bundle: Path) -> None:
    nobody = 65534
    (slices / "00.png").chmod(0)
    (slices / "closed").mkdir(mode=0)
    script = (
        "import os, sys; from pathlib import Path; from gadoscope.classification.run import iter_results\n"
        "list(iter_results([Path('01.png')], model=Path(sys.argv[1]), jobs=1))  # loads what it needs\n"
        "results = iter_results([Path('.')], model=Path(sys.argv[1]), jobs=1)\n"
        f"os.seteuid({nobody})\n"
        "[print(Path(r.path).name, r.status, r.reason.partition(':')[0]) for r in results]"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, tiny_bundle], capture_output=True, text=True, check=True, cwd=slices
    )
    rows = ended.stdout.splitlines()
    assert "00.png failed no_permission" in rows
    assert "closed failed no_permission" in rows
    assert sum(row.split()[1] == "answered" for row in rows) == 39


def test_a_fault_of_ours_in_one_file_is_a_row_with_its_kind_and_not_its_words(
    slices: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(file: BinaryIO) -> SliceImage:
        if Path(file.name).name == "07.png":
            raise ZeroDivisionError("Jane Doe, born 1970")
        return decode_slice(file)

    monkeypatch.setattr(inputs, "decode_slice", stumble)
    results = _classify(tiny_bundle, slices)
    assert [result.path for result in results if result.status is not Status.ANSWERED] == [
        str(slices / "07.png")
    ]
    assert results[7].status is Status.FAILED
    assert results[7].reason.startswith("internal_error: ")
    assert "ZeroDivisionError" in results[7].reason
    assert "Jane" not in results[7].reason


def test_a_network_that_answers_no_number_gives_no_answer(
    slices: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Answers(np.array([np.nan]))
    monkeypatch.setattr(Session, "slice_answers", lambda _session, _slices: nothing)
    (result,) = _classify(tiny_bundle, slices / "00.png")
    assert result.status is Status.FAILED
    assert result.reason.startswith("no_number: ")


def test_a_bundle_that_does_not_fit_is_refused_before_any_input_is_read(tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        iter_results([tmp_path], model=tmp_path / "none.onnx")


def test_a_negative_number_of_jobs_is_refused(tmp_path: Path, tiny_bundle: Path) -> None:
    with pytest.raises(UsageError, match="it is -1"):
        iter_results([tmp_path], model=tiny_bundle, jobs=-1)


def test_inputs_are_taken_only_as_results_leave(
    slices: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = 0

    def endless(_: Sequence[Path]) -> Iterator[Found]:
        nonlocal taken
        while True:
            taken += 1
            yield Found(Source(slices / "00.png"))

    monkeypatch.setattr(run, "iter_inputs", endless)
    results = iter_results([slices], model=tiny_bundle, jobs=2)
    for _ in range(100):
        next(results)
    results.close()
    assert taken <= 100 + (2 * local.GROUPS_PER_JOB + 1) * local.INPUTS_PER_GROUP


def test_the_default_model_is_used_where_none_is_named(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(default, "DEFAULT_BUNDLE", tiny_bundle)
    assert find_model(None) == tiny_bundle


def test_a_model_that_is_named_comes_before_the_default(tiny_bundle: Path) -> None:
    assert find_model(tiny_bundle) == tiny_bundle


def test_classifying_never_imports_torch_nor_anything_that_it_can_do_without(
    slices: Path, tiny_bundle: Path
) -> None:
    script = (
        "import sys; sys.argv = ['gadoscope', 'classify', sys.argv[2], '--model', sys.argv[1]]\n"
        "from gadoscope.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "heavy = {'torch', 'scipy', 'pydicom', 'nibabel', 'sklearn', 'pandas', 'matplotlib', 'onnx'}\n"
        "heavy |= {'rich', 'pyarrow'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", script, tiny_bundle, slices], capture_output=True, check=True)


def test_real_slices_are_all_answered(shared: Path, tiny_bundle: Path) -> None:
    folder = shared / "data" / "ixi"
    images = sorted(folder.rglob("*.png"))[:20]
    results = _classify(tiny_bundle, *images)
    assert [result.path for result in results] == [str(image) for image in images]
    assert {result.status for result in results} == {Status.ANSWERED}
