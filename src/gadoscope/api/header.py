"""What the header of a DICOM instance says of contrast, without its pixels."""

import os
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from gadoscope.errors import UsageError
from gadoscope.evidence.reconcile import HeaderEvidence
from gadoscope.evidence.reconcile import read_evidence as weigh
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom.facts import read_facts
from gadoscope.reading.given import is_dataset, read_file
from gadoscope.reading.remote.naming import locate
from gadoscope.reading.series import Facts

if TYPE_CHECKING:
    from typing import BinaryIO

    from pydicom.dataset import Dataset

    Header: TypeAlias = "Dataset | str | os.PathLike[str] | BinaryIO | Facts"


def read_evidence(header: "Header", study: "Iterable[Header]" = ()) -> HeaderEvidence:
    """Return what the header of a series says of contrast, with the words that it rests on.

    Parameters
    ----------
    header
        One instance of the series: a dataset of pydicom, a path, a file opened with ``'rb'``; or the
        ``facts`` of an `ImageSeries`. Pixels are not looked at, and may be missing.
    study
        An instance of each MR series of its study: an agent stays given.

    Returns
    -------
    HeaderEvidence
        ``state`` and ``quote``. Silent with a quote where the header contradicts itself.

    Raises
    ------
    InputError
        If it is no DICOM, or damaged.
    UsageError
        If it is nothing that has a header.
    """
    return weigh(_read(header), [_read(other) for other in study])


def _read(header: "Header") -> Facts:
    if isinstance(header, Mapping):
        return header
    if isinstance(header, (str, os.PathLike)):
        with Source(locate(header) if isinstance(header, str) else Path(header)).open() as file:
            return read_facts(file)
    if is_dataset(header):
        from gadoscope.reading.dicom.written import write_header

        return read_facts(BytesIO(write_header(header)))
    if not hasattr(header, "read"):
        raise UsageError(
            f"cannot read the header of a value of the type {type(header).__name__}; give a dataset of "
            "pydicom, a path, a file opened with 'rb', or the facts of a series."
        )
    return read_facts(BytesIO(read_file(cast("BinaryIO", header))))
