"""What the operating system says when a path cannot be read, in words for a person."""

import errno
from copy import copy

from gadoscope.errors import ReadError

_SENTENCES = {
    errno.ENOENT: ("missing", "there is no such file; check the path, or the target if it is a link."),
    errno.ENOTDIR: ("missing", "a part of this path is a file, not a folder; check the path."),
    errno.EACCES: ("no_permission", "no permission to read it; run `chmod u+r` on it or ask its owner."),
    errno.EPERM: ("no_permission", "no permission to read it; run `chmod u+r` on it or ask its owner."),
    errno.ELOOP: ("link_loop", "this link leads back to itself; remove it or point it at the file."),
    errno.ENAMETOOLONG: ("name_too_long", "the name is longer than the system allows; shorten it."),
}


class ExplainedOSError(OSError):
    """An error of a place that is no disk, which says itself what it means.

    Parameters
    ----------
    number
        The nearest one of the operating system's.
    meaning
        What its row says.
    """

    def __init__(self, number: int, meaning: ReadError) -> None:
        super().__init__(number, str(meaning))
        self.meaning = meaning


def explain_os_error(error: OSError) -> ReadError:
    """Return the ReadError that says what ``error`` means and what to do."""
    if isinstance(error, ExplainedOSError):
        return copy(error.meaning)  # which many may be raised for: each has its own traceback
    if error.errno in _SENTENCES:
        return ReadError(*_SENTENCES[error.errno])
    return ReadError(
        "io_error", f"the system could not read it ({error.strerror or error}); check the disk and try again."
    )


def explain_stumble(error: Exception) -> ReadError:
    """Return what stands for a fault of ours in one input: it must not lose the other 99,999.

    The type only: a message could quote the file's content.
    """
    return ReadError(
        "internal_error",
        f"Gadoscope itself stumbled over this file ({type(error).__name__}); "
        "please report it, with the file if you may share it.",
    )
