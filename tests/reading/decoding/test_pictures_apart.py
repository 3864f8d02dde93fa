"""A decoder that crashes, hangs or takes all memory costs one frame, and neither the run nor the next one."""

import io
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from gadoscope.classification.run import iter_results
from gadoscope.errors import ReadError
from gadoscope.reading.decoding import apart
from gadoscope.reading.dicom.pixels import decode_frame
from tests.support.commands import run_command
from tests.support.dicom_bytes import file_bytes
from tests.support.dicom_files import POST, PRE, classic_series, stored_pixels

MARK = b"crash here"
# The decoding process with a decoder that does what the stream's tail asks for.
CRASHING = """
import os, signal, time
from gadoscope.reading.decoding import decoder_process
from gadoscope.reading.dicom import codecs
whole = codecs.decode_stream
def decode(stream, *rest):
    if b"crash here" in stream:
        os.kill(os.getpid(), signal.SIGSEGV)
    if b"sleep here" in stream:
        time.sleep(600)
    if b"spin here" in stream:
        while True: pass
    if b"eat here" in stream:
        bytearray(2**34)
    return whole(stream, *rest)
codecs.decode_stream = decode
decoder_process.main()
"""


@pytest.fixture(autouse=True)
def _crashing(monkeypatch: pytest.MonkeyPatch) -> object:
    apart.close_decoders()
    monkeypatch.setattr(apart, "COMMAND", ("-c", CRASHING))
    yield
    apart.close_decoders()


def _marked(data: bytes, mark: bytes = MARK) -> bytes:
    """Return a file whose compressed pixels hold a mark, behind all that the decoder reads."""
    end = data.rindex(b"\xfe\xff\xdd\xe0")
    at = data.rindex(b"\xfe\xff\x00\xe0", 0, end)
    stream = data[at + 8 : end] + mark + bytes(len(mark) % 2)
    return data[: at + 4] + len(stream).to_bytes(4, "little") + stream + data[end:]


def _write_series(folder: Path, *, n_marked: int, mark: bytes = MARK) -> None:
    """Write two compressed series, one of them with frames that crash their decoder, and a plain one."""
    folder.mkdir()
    for name, series, syntax in (
        ("good", classic_series(POST, n_slices=3, matrix=32), JPEGLSLossless),
        ("bad", classic_series(PRE, n_slices=3, matrix=32), JPEG2000Lossless),
    ):
        for index, dataset in enumerate(series):
            data = file_bytes(dataset, syntax)
            is_marked = name == "bad" and index < n_marked
            (folder / f"{name}-{index}").write_bytes(_marked(data, mark) if is_marked else data)


def test_what_another_process_decodes_is_what_was_encoded() -> None:
    dataset = classic_series(POST, n_slices=1, matrix=32)[0]
    for syntax in (RLELossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless):
        decoded = decode_frame(io.BytesIO(file_bytes(dataset, syntax)))
        np.testing.assert_array_equal(decoded.values, stored_pixels(dataset), err_msg=syntax.name)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_decoder_that_crashes_costs_its_series_and_not_the_run(
    tmp_path: Path, tiny_bundle: Path, jobs: int
) -> None:
    _write_series(tmp_path / "scans", n_marked=3)
    rows = list(iter_results([tmp_path / "scans"], model=tiny_bundle, jobs=jobs))
    statuses = Counter((row.status.value, row.reason.partition(":")[0]) for row in rows)
    assert statuses == {("answered", ""): 1, ("failed", "decoder_crashed"): 1}


def test_the_next_frame_after_a_crash_is_decoded() -> None:
    data = file_bytes(classic_series(POST, n_slices=1, matrix=32)[0], JPEGLSLossless)
    with pytest.raises(ReadError, match="crashed their decoder") as caught:
        decode_frame(io.BytesIO(_marked(data)))
    assert caught.value.reason == "decoder_crashed"
    assert decode_frame(io.BytesIO(data)).values.shape == (32, 32)


def test_a_process_that_was_killed_idle_costs_nothing() -> None:
    data = file_bytes(classic_series(POST, n_slices=1, matrix=32)[0], JPEGLSLossless)
    decode_frame(io.BytesIO(data))
    apart._idle[0]._process.kill()
    assert decode_frame(io.BytesIO(data)).values.shape == (32, 32)


def test_a_decoder_that_takes_all_memory_costs_one_frame() -> None:
    data = file_bytes(classic_series(POST, n_slices=1, matrix=32)[0], JPEGLSLossless)
    with pytest.raises(ReadError) as caught:
        decode_frame(io.BytesIO(_marked(data, b"eat here")))
    assert caught.value.reason == "decoder_crashed"


@pytest.mark.parametrize("mark", [b"sleep here", b"spin here"])
def test_a_decoder_that_comes_to_no_end_is_ended(mark: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    source = CRASHING.replace("decoder_process.main()", "decoder_process.DECODING_SECONDS = 0") + (
        "\ndecoder_process.main()"
    )
    monkeypatch.setattr(apart, "COMMAND", ("-c", source))
    data = file_bytes(classic_series(POST, n_slices=1, matrix=32)[0], JPEGLSLossless)
    decode_frame(io.BytesIO(data))  # so that the process is there, and the patience is with the decoder alone
    monkeypatch.setattr(apart, "PATIENCE_S", 20.0 if mark == b"spin here" else 0.2)
    with pytest.raises(ReadError, match="busy without end"):
        decode_frame(io.BytesIO(_marked(data, mark)))


def test_a_crash_leaves_a_row_also_when_the_run_is_resumed(tmp_path: Path, tiny_bundle: Path) -> None:
    _write_series(tmp_path / "scans", n_marked=3)
    arguments = ("classify", tmp_path / "scans", "--model", tiny_bundle, "--output", tmp_path / "table.csv")
    for more in ((), ("--resume",)):
        run = run_command(*arguments, *more)
        assert run.returncode == 3, run.stderr
        table = (tmp_path / "table.csv").read_text(encoding="utf-8")
        assert table.count("decoder_crashed") == 1
        assert table.count("answered") == 1


def test_decoding_processes_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "scan").write_bytes(file_bytes(classic_series(POST, n_slices=1, matrix=32)[0], RLELossless))
    source = (
        "import sys, time\nfrom gadoscope.reading.decoding import apart\n"
        "from gadoscope.reading.dicom import pixels\n"
        "pixels.decode_frame(open(sys.argv[1], 'rb'))\n"
        "print(apart._idle[0]._process.pid, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", source, str(tmp_path / "scan")], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        decoder = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while _is_alive(decoder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_alive(decoder)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
