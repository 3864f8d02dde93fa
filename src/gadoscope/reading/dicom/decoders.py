"""Compressed frames are decoded in processes of their own: what crashes there is one frame, not the run.

One frame at a time is under way in a process, so a process that dies has named the culprit. It is tried
once more in a fresh process, for an earlier frame may have spoilt the memory that this one stumbled over.
Processes are started when the first compressed frame comes, one for each thread that decodes at a time, and
end when nobody holds the other end of their pipes. See docs/decisions/0026.
"""

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
from typing import IO

import numpy as np

from gadoscope.errors import ReadError, RefusedError
from gadoscope.reading.dicom.codecs import COMPRESSED_SYNTAXES, StoredFrame, decode_stream
from gadoscope.reading.dicom.decoder_process import REFUSED, REQUEST, RESPONSE, VALUES

# -P: a module that lies in the current folder is not imported in the place of the real one.
COMMAND = ("-P", "-m", "gadoscope.reading.dicom.decoder_process")
PATIENCE_S = 60.0
"""On the wall, for one frame: a decoder that sleeps uses none of the processor's time that is limited."""
PIPE_BYTES = 2**20
"""A frame in one go, instead of 64 KiB by turns."""
_F_SETPIPE_SZ = 1031  # fcntl's number on Linux
_TIMED_OUT = -getattr(signal, "SIGXCPU", 0)


class _DiedError(Exception):
    """A process ended, or was ended, instead of answering."""

    def __init__(self, *, is_time_up: bool) -> None:
        super().__init__()
        self.is_time_up = is_time_up


class _Decoder:
    """One process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [sys.executable, *COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            process_group=0,  # Ctrl-C is for the parent alone
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise OSError("a process without pipes")  # not with the arguments above
        self._requests, self._responses = self._process.stdin, self._process.stdout
        for pipe in (self._requests, self._responses):
            _widen(pipe)

    def decode(
        self, stream: bytes, uid: str, rows: int, columns: int, bits_allocated: int
    ) -> tuple[StoredFrame, int]:
        """Have one frame decoded; errors as `decode_stream`, and `_DiedError`."""
        request = REQUEST.pack(uid.encode(), rows, columns, bits_allocated, len(stream)) + stream
        try:
            self._send(request)
            kind, name, bits, n_bytes = RESPONSE.unpack(self._receive(RESPONSE.size))
            payload = self._receive(n_bytes)
        except (OSError, EOFError):
            raise _DiedError(is_time_up=self._process.wait() == _TIMED_OUT) from None
        if kind == VALUES:
            values = np.frombuffer(payload, np.dtype(name.decode())).reshape(rows, columns)
            return values, bits
        reason, sentence = json.loads(payload)
        raise RefusedError(reason, sentence) if kind == REFUSED else ReadError(reason, sentence)

    def _send(self, request: bytes) -> None:
        rest = memoryview(request)
        while rest:
            rest = rest[self._requests.write(rest) :]

    def _receive(self, n_bytes: int) -> bytearray:
        received = bytearray(n_bytes)
        rest = memoryview(received)
        while rest:
            self._await()
            n_read = self._responses.readinto(rest)  # type: ignore[attr-defined] # unbuffered, so raw
            if not n_read:
                raise EOFError
            rest = rest[n_read:]
        return received

    def _await(self) -> None:
        if not hasattr(select, "poll"):
            return
        poll = select.poll()
        poll.register(self._responses, select.POLLIN)
        if not poll.poll(PATIENCE_S * 1000):
            self._process.kill()
            self._process.wait()
            raise _DiedError(is_time_up=True)

    def close(self) -> None:
        """End the process."""
        for pipe in (self._requests, self._responses):
            pipe.close()
        self._process.kill()
        self._process.wait()


_idle: list[_Decoder] = []
_lock = threading.Lock()


def decode_apart(
    stream: bytes, uid: str, rows: int, columns: int, bits_allocated: int
) -> tuple[StoredFrame, int]:
    """Decode one compressed frame in another process; parameters, returns and errors as `decode_stream`.

    Raises
    ------
    ReadError
        Also ``decoder_crashed``, where the decoder crashed or came to no end.
    """
    for is_last in (False, True):
        with _lock:
            decoder = _idle.pop() if _idle else None
        try:
            decoder = decoder or _Decoder()
        except OSError:  # the system gives no more processes
            return decode_stream(stream, uid, rows, columns, bits_allocated)
        try:
            decoded = decoder.decode(stream, uid, rows, columns, bits_allocated)
        except _DiedError as error:
            decoder.close()
            if is_last or error.is_time_up:
                raise _crashed(uid, is_time_up=error.is_time_up) from None
            continue
        except (ReadError, RefusedError):
            _give_back(decoder)
            raise
        except BaseException:  # interrupted between request and answer: the next answer would be another's
            decoder.close()
            raise
        _give_back(decoder)
        return decoded
    raise _crashed(uid, is_time_up=False)


def _give_back(decoder: _Decoder) -> None:
    with _lock:
        _idle.append(decoder)


def _crashed(uid: str, *, is_time_up: bool) -> ReadError:
    what = "kept their decoder busy without end" if is_time_up else "crashed their decoder"
    return ReadError(
        "decoder_crashed",
        f"its compressed pixels ({COMPRESSED_SYNTAXES[uid]}) {what}; copy the file again from its source.",
    )


def close_decoders() -> None:
    """End the processes that nobody uses now."""
    with _lock:
        idle, _idle[:] = list(_idle), []
    for decoder in idle:
        decoder.close()


def _widen(pipe: IO[bytes]) -> None:
    try:
        import fcntl  # noqa: PLC0415 — not everywhere

        if sys.platform == "linux":
            fcntl.fcntl(pipe, _F_SETPIPE_SZ, PIPE_BYTES)
    except (ImportError, OSError):
        return


atexit.register(close_decoders)
if hasattr(os, "register_at_fork"):  # a forked child must not speak with its parent's processes
    os.register_at_fork(after_in_child=_idle.clear)
