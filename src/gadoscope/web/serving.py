"""The server: listens, answers, and ends politely, so that no request is cut in two."""

import logging
import os
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from gadoscope.errors import OutputError, UsageError
from gadoscope.web.app import make_app
from gadoscope.web.log import JsonLines, Log
from gadoscope.web.settings import Settings

GRACE_SECONDS = 20
"""For requests that are under way when the server is asked to end."""
KEEP_ALIVE_SECONDS = 75
"""Longer than a proxy keeps its connections, 60 s for nginx: else it would send into one that just closed."""
_LIBRARIES = ("uvicorn", "uvicorn.error", "asyncio")


def serve(settings: Settings, *, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; a second one ends at once.

    Parameters
    ----------
    settings
        What is served, where, and to whom.
    say
        Takes the address, once somebody may ask there.

    Raises
    ------
    UsageError
        If the store, the model or the file of users cannot be used, or nobody can listen there.
    """
    log = Log()
    for name in _LIBRARIES:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [JsonLines(log)], False
    with _listen(settings) as listener:
        app = make_app(settings, log=log)
        server = _Server(_configure(app, settings))
        say(f"{spell_address(settings, listener)} (Ctrl-C ends it)")
        server.run(sockets=[listener])
    if not server.started:
        raise OutputError("the server could not start; its log above says why.")


class _Server(uvicorn.Server):
    """Ends politely, and with no signal sent once more to whoever started it: this is the whole command."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True


def spell_address(settings: Settings, listener: socket.socket) -> str:
    """Return the address at which a listener is reached."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{'https' if settings.is_secure else 'http'}://{host}:{listener.getsockname()[1]}/"


def _listen(settings: Settings) -> socket.socket:
    """Return a socket that listens."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen()  # from now on whoever asks waits until the model is loaded, and is not sent away
    except OSError as error:
        listener.close()
        raise UsageError(
            f"cannot listen at {settings.host}, port {settings.port}: {error.strerror}; name another with "
            "--host or --port."
        ) from None
    return listener


def _configure(app: object, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        log_level="warning",
        access_log=False,  # ours is better: it names no value
        server_header=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=list(settings.proxies),
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
        ws="none",
    )
