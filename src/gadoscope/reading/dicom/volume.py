"""A volume whose slices lie in DICOM files, decoded one by one when they are asked for."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import InputError, ReadError
from gadoscope.imaging.volume import Geometry
from gadoscope.reading.ahead import with_pixels_ahead
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom.pixels import DecodedFrame, PixelHeader, decode_frame, read_pixel_header
from gadoscope.reading.dicom.volumes import FramePlace


class DicomVolume:
    """One volume; see `gadoscope.imaging.volume.LazyVolume`.

    Parameters
    ----------
    geometry
        Where the voxels lie.
    slices
        For each slice the frame that it is; ``None`` where it is missing.
    files
        Where the instances lie.
    pixel_headers
        Of instances decoded before; shared by the volumes of a series, which may lie in one instance.
    """

    def __init__(
        self,
        geometry: Geometry,
        slices: Sequence[FramePlace | None],
        files: Sequence[Source],
        pixel_headers: dict[int, PixelHeader],
    ) -> None:
        self.geometry = geometry
        self._slices = slices
        self._files = files
        self._headers = pixel_headers
        self._warnings: dict[str, None] = {}
        self._middle: DecodedFrame | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Repairs that were made while slices were decoded so far."""
        return tuple(self._warnings)

    @property
    def window(self) -> tuple[float, float] | None:
        """Values that the middle slice wants shown as black and as white; windows of others may differ."""
        try:
            return self._decode(self._middle_index).window
        except InputError:  # the slice says so itself when it is read
            return None

    def read_slices(self, indices: Sequence[int]) -> NDArray[np.float32]:
        """Decode some slices.

        Parameters
        ----------
        indices
            Along the first axis of ``geometry``.

        Returns
        -------
        numpy.ndarray
            Shape (len(indices), row, column), float32, after the file's rescaling; larger is brighter.

        Raises
        ------
        ReadError
            ``missing_slice``, ``changed``, or why the file cannot be read or decoded.
        RefusedError
            If the pixels are written in a way that is not read.
        """
        _, n_rows, n_columns = self.geometry.shape
        voxels = np.empty((len(indices), n_rows, n_columns), np.float32)
        frames = [self._slices[index] for index in indices]
        ahead = iter(with_pixels_ahead([self._files[frame.instance] for frame in frames if frame]))
        for place, (index, frame) in enumerate(zip(indices, frames, strict=True)):
            if frame is not None:
                next(ahead)
            values = self._decode(index).values
            if values.shape != (n_rows, n_columns):
                raise ReadError("changed", "the file changed while it was read; run again when it is still.")
            voxels[place] = values
        return voxels

    @property
    def _middle_index(self) -> int:
        present = [index for index, frame in enumerate(self._slices) if frame is not None]
        return present[len(present) // 2]

    def _decode(self, index: int) -> DecodedFrame:
        frame = self._slices[index]
        if frame is None:
            raise ReadError("missing_slice", "this slice is missing in the series; copy the series again.")
        if index == self._middle_index and self._middle is not None:
            return self._middle
        with self._files[frame.instance].open() as file:
            header = self._headers.get(frame.instance)
            if header is None:
                header = self._headers[frame.instance] = read_pixel_header(file)
            decoded = decode_frame(file, frame.index, header)
        self._warnings.update(dict.fromkeys(decoded.warnings))
        if index == self._middle_index:
            self._middle = decoded
        return decoded
