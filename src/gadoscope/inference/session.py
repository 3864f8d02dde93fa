"""A bundle in ONNX Runtime: refused with one sentence where it does not fit, else images to logits."""

import hashlib
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from gadoscope.errors import BundleError
from gadoscope.inference.bundle import INPUT_NAME, METADATA_KEY, Bundle, BundleMetadata
from gadoscope.inference.default import find_model
from gadoscope.inference.onnx_content import check_content

BATCH = 1
"""Images in one run of the network.

One image's activations stay in the cache: measured on two cores with the lesson's network, one
thread each, 1 image 1,290 a second at 91 MB, 4 images 900 at 178 MB, 16 images 885 at 523 MB. And
an answer cannot depend on which other images happened to be in its batch.
"""

MAX_BUNDLE_BYTES = 2**28
"""The largest network here takes 40 MB; a longer file is not read into memory."""

MAX_NETWORK_BYTES = 2**32
"""Memory of all networks of a process, weights and activations: one image of the lesson takes 90 MB. A forged
bundle asks for terabytes, some of it while ONNX Runtime simplifies the network before its first run."""

_LOG_FATAL_ONLY = 4
"""ONNX Runtime also raises what it would log; the user gets our sentence instead of its log line."""

_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoModel,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)

_HOW_TO_MAKE_ONE = "Make a bundle with `gadoscope train` or `gadoscope import-keras`."


@dataclass(frozen=True)
class Answers:
    """What the network says of n images.

    Parameters
    ----------
    phase
        Logits of POST_CONTRAST, shape (n,), float64.
    t1_brain
        Logits of "a T1 brain", shape (n,), float64; None of a bundle without a gate.
    kinds
        Logits of what else the image is, shape (n, n_kinds), float64, in the order of the gate's kinds; None
        of a bundle that cannot say.
    """

    phase: NDArray[np.float64]
    t1_brain: NDArray[np.float64] | None = None
    kinds: NDArray[np.float64] | None = None


class Session:
    """A loaded bundle. Its methods may be called from several threads at once.

    Parameters
    ----------
    path
        The .onnx file.
    threads
        Threads that one run of the network may use. Where images are many, give each worker thread
        one; several threads on one small image fight for the cores.

    Raises
    ------
    BundleError
        If the file is not ONNX, is no Gadoscope bundle, keeps weights in another file, has another
        input or output than a bundle has, or cannot be run.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        content = _read_bytes(path)
        self._session = _load(path, content, threads)
        self.bundle = Bundle(
            path=path,
            sha256=hashlib.sha256(content).hexdigest(),
            metadata=_read_metadata(path, self._session),
        )
        self._outputs = self.bundle.metadata.outputs
        size = self.bundle.metadata.image_path.size
        _check_signature(path, self._session, size, self._outputs)
        # What cannot run is told once and now, instead of in each row.
        self._run(np.zeros((BATCH, 1, size, size), dtype=np.float32))

    def answers(self, images: NDArray[np.float32]) -> Answers:
        """Run the network.

        Parameters
        ----------
        images
            Shape (n, 1, size, size), float32, in [0, 1], as ``ImagePath.scale`` makes them.

        Raises
        ------
        ValueError
            If the shape or dtype is another.
        """
        size = self.bundle.metadata.image_path.size
        if images.ndim != 4 or images.shape[1:] != (1, size, size) or images.dtype != np.float32:  # noqa: PLR2004 — (n, channel, row, column)
            raise ValueError(
                f"images must be float32 of shape (n, 1, {size}, {size}), "
                f"but they are {images.dtype} of shape {images.shape}."
            )
        return self._gather(
            len(images), (images[start : start + BATCH] for start in range(0, len(images), BATCH))
        )

    def _run(self, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        try:
            logits: list[NDArray[np.float32]] = self._session.run(list(self._outputs), {INPUT_NAME: batch})
        except _ERRORS as error:
            raise BundleError(
                f"{self.bundle.path} cannot be run: its network does not fit together, or takes more than "
                f"{MAX_NETWORK_BYTES / 2**30:g} GiB of memory. {_HOW_TO_MAKE_ONE}"
            ) from error
        shapes = [(len(batch), *_lengths(shape)) for shape in self._outputs.values()]
        if [one.shape for one in logits] != shapes:
            raise BundleError(
                f"{self.bundle.path} does not give one answer for each image. {_HOW_TO_MAKE_ONE}"
            )
        return logits

    def _gather(self, n: int, batches: Iterable[NDArray[np.float32]]) -> Answers:
        """Run the network on ``n`` images, batch after batch."""
        found = [np.empty((n, *_lengths(shape)), dtype=np.float64) for shape in self._outputs.values()]
        start = 0
        for batch in batches:
            for whole, part in zip(found, self._run(batch), strict=True):
                whole[start : start + len(batch)] = part
            start += len(batch)
        return Answers(*found)

    def logits(self, images: NDArray[np.float32]) -> Annotated[NDArray[np.float64], "n"]:
        """Return the logits of POST_CONTRAST alone, shape (n,), as `answers` does."""
        return self.answers(images).phase

    def slice_answers(self, slices: Annotated[NDArray[np.uint8], "n row column"]) -> Answers:
        """Take resized slices, shape (n, size, size), uint8 0..255, through the bundle's image path.

        One slice at a time, so that memory does not grow with ``n``.
        """
        scale = self.bundle.metadata.image_path.scale
        return self._gather(len(slices), (scale(slices[index : index + 1]) for index in range(len(slices))))

    def slice_logits(
        self, slices: Annotated[NDArray[np.uint8], "n row column"]
    ) -> Annotated[NDArray[np.float64], "n"]:
        """Return the logits of POST_CONTRAST alone, shape (n,), as `slice_answers` does."""
        return self.slice_answers(slices).phase


def open_bundle(model: str | Path = "default") -> Bundle:
    """Return what a bundle says of itself; it was loaded, so it can be run.

    Parameters
    ----------
    model
        The .onnx file, or ``default``.

    Raises
    ------
    BundleError
        As `Session`.
    UsageError
        If this installation lacks the default bundle.
    """
    return Session(find_model(model)).bundle


def _read_bytes(path: Path) -> bytes:
    try:
        status = path.stat()
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise BundleError(f"{path} is a pipe, a socket or a device, and no file. {_HOW_TO_MAKE_ONE}")
        size = status.st_size
        if size > MAX_BUNDLE_BYTES:
            raise BundleError(f"{path} has {size:,} bytes; a bundle has at most {MAX_BUNDLE_BYTES:,}.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise BundleError(f"there is no bundle {path}. {_HOW_TO_MAKE_ONE}") from error
    except OSError as error:
        raise BundleError(
            f"cannot read the bundle {path}: {error.strerror or error}. Name a readable .onnx file."
        ) from error


def _load(path: Path, content: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _LOG_FATAL_ONLY
    # The arena stays on: without it every run page-faults its activations in again, which costs
    # 10 % of the speed at one image and twice the memory (measured with the lesson's network).
    options.enable_cpu_mem_arena = True
    _limit_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    # Waiting threads sleep instead of spinning: spinning ones take the core that decodes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Weights in other files are looked for below the bundle, which is a file: never found, so refused.
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(path.absolute() / "refused")
    )
    try:
        check_content(content)
    except BundleError as error:
        raise BundleError(f"{path} {error}. {_HOW_TO_MAKE_ONE}") from error
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except _ERRORS as error:
        if "External data" in str(error):
            raise BundleError(
                f"{path} keeps its weights in another file; a bundle is one file. "
                "Export it again with external_data=False."
            ) from error
        raise BundleError(
            f"{path} is not an ONNX file that this ONNX Runtime ({onnxruntime.__version__}) can load. "
            f"{_HOW_TO_MAKE_ONE}"
        ) from error


@cache
def _limit_memory() -> None:
    """Give every network of this process one arena that ends somewhere."""
    as_usual = -1
    arena = onnxruntime.OrtArenaCfg(
        {
            "max_mem": MAX_NETWORK_BYTES,
            "arena_extend_strategy": as_usual,
            "initial_chunk_size_bytes": as_usual,
            "max_dead_bytes_per_chunk": as_usual,
        }
    )
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(memory, arena)


def _read_metadata(path: Path, session: onnxruntime.InferenceSession) -> BundleMetadata:
    try:
        entries = session.get_modelmeta().custom_metadata_map
    except UnicodeDecodeError as error:
        raise BundleError(f"{path} is damaged: its metadata are no text; copy the file again.") from error
    if METADATA_KEY not in entries:
        raise BundleError(
            f"{path} is an ONNX file but no Gadoscope bundle: it has no metadata entry "
            f"{METADATA_KEY!r}, so its preprocessing and threshold are unknown. {_HOW_TO_MAKE_ONE}"
        )
    try:
        return BundleMetadata.from_json(entries[METADATA_KEY])
    except BundleError as error:
        raise BundleError(f"{path}: {error}") from error


def _lengths(shape: Sequence[str | int]) -> list[int]:
    """Return the lengths that an output's shape states: all but the batch's."""
    return [length for length in shape if isinstance(length, int)]


def _check_signature(
    path: Path,
    session: onnxruntime.InferenceSession,
    size: int,
    outputs: Mapping[str, tuple[str | int, ...]],
) -> None:
    expected = [(INPUT_NAME, "tensor(float)", ["batch", 1, size, size])]
    found = [_describe(node) for node in session.get_inputs()]
    if found != expected:
        raise BundleError(_misfit(path, "input", found, expected))
    expected = [(name, "tensor(float)", list(shape)) for name, shape in outputs.items()]
    found = [_describe(node) for node in session.get_outputs()]
    if found != expected:
        raise BundleError(_misfit(path, "output", found, expected))


def _describe(node: onnxruntime.NodeArg) -> tuple[str, str, list[str | int]]:
    """Return name, type and shape; whatever the free first axis is called, it is the batch."""
    shape: list[str | int] = list(node.shape)
    if shape and not isinstance(shape[0], int):
        shape[0] = "batch"
    return node.name, node.type, shape


def _misfit(path: Path, role: str, found: list[tuple[str, str, list[str | int]]], expected: object) -> str:
    return f"{path} does not fit: its {role} is {_join(found)}; expected {_join(expected)}. Export it again."


def _join(nodes: object) -> str:
    if not isinstance(nodes, list) or not nodes:
        return "none"
    return " and ".join(f"{name!r} {kind} {shape}" for name, kind, shape in nodes)
