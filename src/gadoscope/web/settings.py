"""How the server serves: what `gadoscope serve` was told, checked once."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from gadoscope.errors import UsageError

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8050
MEBIBYTE = 2**20
_LOCAL_NAMES = ("localhost",)
MAX_PORT = 65_535


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one request, and all of them together, may take; beyond it a clear answer of 4xx.

    Parameters
    ----------
    body_bytes
        Of an upload.
    unpacked_bytes
        Of what an upload holds, unpacked.
    files
        Of one upload, in a zip or not.
    inline_bytes
        Of an upload that is answered at once; a larger one becomes a job.
    at_once
        Uploads that are classified at the same time; 0 takes one for each core.
    waiting
        Uploads that wait for their turn.
    jobs
        Jobs of one caller that wait or run.
    job_seconds
        After which a job is ended.
    job_kept_seconds
        For which a job's answers are kept after its end.
    token_per_minute
        Requests of one token.
    """

    body_bytes: int = 1024 * MEBIBYTE
    unpacked_bytes: int = 4096 * MEBIBYTE
    files: int = 20_000
    inline_bytes: int = 256 * MEBIBYTE
    at_once: int = 0
    waiting: int = 64
    jobs: int = 4
    job_seconds: float = 3600.0
    job_kept_seconds: float = 3600.0
    token_per_minute: int = 6000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is served, where, and to whom.

    Parameters
    ----------
    store
        URL of the store, or its file.
    host, port
        Where to listen.
    model
        Bundle that classifies uploads.
    roots
        Folders below which a path may be named to `POST /classify`; none by default.
    access
        File of users and tokens; without it nobody is asked who they are, and only this machine is served.
    certificate, key
        Files of TLS, in PEM.
    proxies
        Addresses of the proxies whose ``X-Forwarded-*`` headers are believed.
    limits
        Of requests.
    spool
        Folder in which uploads lie while they are answered; ``None`` takes the one for temporary files.
    cases
        Folders of reports whose doubtful cases open in the room.
    show_identity
        Show what headers, paths and descriptions say of patients.

    Raises
    ------
    UsageError
        If they do not fit each other: nobody but this machine is served without users or tokens.
    """

    store: str
    host: str = LOOPBACK
    port: int = DEFAULT_PORT
    model: str = "default"
    roots: tuple[Path, ...] = ()
    access: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    proxies: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    spool: Path | None = None
    cases: tuple[Path, ...] = ()
    show_identity: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.port <= MAX_PORT:
            raise UsageError(f"port = {self.port}; expected one from 1 to {MAX_PORT}.")
        if (self.certificate is None) != (self.key is None):
            raise UsageError("TLS takes a certificate and its key; give both --certificate and --key.")
        if self.access is None and not self.is_loopback:
            raise UsageError(
                f"{self.host} can be reached from other machines, and nobody is asked who they are; name a "
                "file of users or tokens with --access (`gadoscope access` makes one), or leave --host out."
            )
        if self.access is None and self.proxies:
            raise UsageError(
                "behind a proxy everybody comes from its address, and nobody is asked who they are; name a "
                "file of users or tokens with --access (`gadoscope access` makes one)."
            )
        for root in self.roots:
            if not root.is_dir():
                raise UsageError(f"--root {root} is no folder; name one that is there.")

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can reach the server."""
        if self.host in _LOCAL_NAMES:
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_secure(self) -> bool:
        """Tell whether the server itself speaks TLS."""
        return self.certificate is not None
