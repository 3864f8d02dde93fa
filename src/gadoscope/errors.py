"""Everything that Gadoscope raises on purpose.

::

    GadoscopeError
    ├── UsageError          an argument or a path is wrong
    ├── ConfigError         a TOML file or a --set value
    ├── ManifestError       a manifest or a folder of images
    │   └── LeakError       one subject on two sides of a split
    ├── InputError          one image; becomes a row, never ends a run
    │   ├── RefusedError    readable, but not what the bundle was made for
    │   └── ReadError       cannot be read
    ├── BundleError         an .onnx file that is no bundle, or does not fit
    ├── WeightsError        old Keras weights of another architecture
    ├── CheckpointError     a checkpoint that is damaged or of another run
    ├── TrainingError       training cannot go on (NaN loss, a class missing)
    ├── OutputError         a file could not be written (disk full, no permission)
    └── ClusterError        the cluster that did the work is gone

Each message says what is wrong, with which value, where, and what to do. None holds patient data.
"""

from gadoscope.labels import Status


class GadoscopeError(Exception):
    """The root: one sentence for the user, and the exit code of the command it ends."""

    exit_code = 2

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows, by IPython's name for it: the sentence, and not how it came there."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(GadoscopeError):
    """An argument or a path is wrong."""


class ConfigError(GadoscopeError):
    """A configuration file or value does not fit."""


class ManifestError(GadoscopeError):
    """A manifest or a folder of images cannot be used."""


class LeakError(ManifestError):
    """The same subject stands on two sides of a split."""


class InputError(GadoscopeError):
    """One input has no answer.

    Parameters
    ----------
    reason
        Machine-readable word, such as ``truncated``.
    sentence
        What is wrong and what to do, for a person.
    """

    status = Status.FAILED

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence

    def __str__(self) -> str:
        return f"{self.reason}: {self.sentence}"

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, str]]:
        return type(self), (self.reason, self.sentence)  # so that it can come from another process


class RefusedError(InputError):
    """Readable, but not what the bundle was made for."""

    status = Status.REFUSED


class ReadError(InputError):
    """Cannot be read."""


class BundleError(GadoscopeError):
    """An .onnx file that is no Gadoscope bundle, or one that does not fit."""


class WeightsError(GadoscopeError):
    """Old weights that cannot be taken over."""


class CheckpointError(GadoscopeError):
    """A checkpoint that is damaged, or that belongs to another run."""


class TrainingError(GadoscopeError):
    """Training cannot go on."""

    exit_code = 1


class OutputError(GadoscopeError):
    """A result could not be written."""

    exit_code = 1


class ClusterError(GadoscopeError):
    """The workers of a cluster are gone, or its scheduler."""

    exit_code = 1
