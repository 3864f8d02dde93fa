"""What may crash is decoded in processes of their own: what dies there is one frame or slice, not the run.

One picture at a time is under way in a process, so a process that dies has named the culprit. It is tried
once more in a fresh process, for an earlier one may have spoilt the memory that this one stumbled over.
Processes are started when the first picture comes, one for each thread that decodes at a time, and end when
nobody holds the other end of their pipes. See docs/decisions/0026.
"""

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO, Any

from gadoscope.errors import ReadError, RefusedError
from gadoscope.reading.decoding.decoder_process import REFUSED, REQUEST, RESPONSE, VALUES

# -P: a module that lies in the current folder is not imported in the place of the real one.
COMMAND = ("-P", "-m", "gadoscope.reading.decoding.decoder_process")
PATIENCE_S = 60.0
"""On the wall, for one picture: a decoder that sleeps uses none of the processor's time that is limited."""
PIPE_BYTES = 2**20
"""A picture in one go, instead of 64 KiB by turns."""
_F_SETPIPE_SZ = 1031  # fcntl's number on Linux
_TIMED_OUT = -getattr(signal, "SIGXCPU", 0)


class DiedError(Exception):
    """A process ended, or was ended, instead of answering; ``is_time_up``: it came to no end."""

    def __init__(self, *, is_time_up: bool) -> None:
        super().__init__()
        self.is_time_up = is_time_up


class NoProcessError(Exception):
    """The system gives no more processes."""


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

    def ask(self, kind: bytes, about: bytes, data: bytes) -> tuple[Any, bytearray]:
        """Have one picture decoded; errors as `decode_apart`."""
        try:
            self._send(REQUEST.pack(kind, len(about), len(data)) + about)
            self._send(data)
            kind, n_about, n_bytes = RESPONSE.unpack(self._receive(RESPONSE.size))
            said, payload = json.loads(self._receive(n_about)), self._receive(n_bytes)
        except (OSError, EOFError):
            raise DiedError(is_time_up=self._process.wait() == _TIMED_OUT) from None
        if kind == VALUES:
            return said, payload
        raise (RefusedError if kind == REFUSED else ReadError)(*said)

    def _send(self, data: bytes) -> None:
        rest = memoryview(data)
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
            raise DiedError(is_time_up=True)

    def close(self) -> None:
        """End the process."""
        for pipe in (self._requests, self._responses):
            pipe.close()
        self._process.kill()
        self._process.wait()


_idle: list[_Decoder] = []
_lock = threading.Lock()


def decode_apart(kind: bytes, about: Sequence[object], data: bytes) -> tuple[Any, bytearray]:
    """Decode one picture in another process.

    Parameters
    ----------
    kind
        `FRAME` or `SLICE`.
    about, data
        What `decoder_process` says of that kind.

    Returns
    -------
    tuple
        What is said of the values, and the values.

    Raises
    ------
    InputError
        As the decoder raised it.
    DiedError
        If the decoder crashed or came to no end, also in a fresh process.
    NoProcessError
        If there is no process to ask.
    """
    text = json.dumps(about).encode()
    for is_last in (False, True):
        with _lock:
            decoder = _idle.pop() if _idle else None
        try:
            decoder = decoder or _Decoder()
        except OSError as error:
            raise NoProcessError from error
        try:
            decoded = decoder.ask(kind, text, data)
        except DiedError as error:
            decoder.close()
            if is_last or error.is_time_up:
                raise
            continue
        except (ReadError, RefusedError):
            _give_back(decoder)
            raise
        except BaseException:  # interrupted between request and answer: the next answer would be another's
            decoder.close()
            raise
        _give_back(decoder)
        return decoded
    raise DiedError(is_time_up=False)


def close_decoders() -> None:
    """End the processes that nobody uses now."""
    with _lock:
        idle, _idle[:] = list(_idle), []
    for decoder in idle:
        decoder.close()


def _give_back(decoder: _Decoder) -> None:
    with _lock:
        _idle.append(decoder)


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
