"""What every file of ours that can be read from any place has in common."""

import io


class SeekableFile(io.RawIOBase):
    """Some bytes as a file that is read from any place; what fills the buffer, a subclass says.

    Parameters
    ----------
    name
        Of the file: pydicom asks every buffered file for it.
    n_bytes
        Its length.
    """

    def __init__(self, name: str, n_bytes: int) -> None:
        self.name, self._n_bytes, self._at = name, n_bytes, 0

    def readable(self) -> bool:
        """Return true."""
        return True

    def seekable(self) -> bool:
        """Return true."""
        return True

    def tell(self) -> int:
        """Return the place that is read next."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Choose the place that is read next; nothing is read for it."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._n_bytes}[whence]
        if start + offset < 0:
            raise ValueError(f"cannot seek to {start + offset}.")
        self._at = start + offset
        return self._at
