"""What in a scan argued for which phase: the slices as the network saw them, tinted by occlusion."""

import threading
from collections import OrderedDict

import numpy as np

from gadoscope.classification.explained import ExplainedSlice, explain_slices
from gadoscope.imaging.slices import choose_slices
from gadoscope.imaging.volume import LazyVolume
from gadoscope.inference.session import Session

N_KEPT = 64
"""Scans whose evidence is kept: half a megabyte each."""


class Evidence:
    """Looks for evidence once, and keeps what was asked for last; for several threads.

    Parameters
    ----------
    session
        The bundle that is asked.
    jobs
        Threads that look; 0 takes one for each core.
    """

    def __init__(self, session: Session, *, jobs: int = 0) -> None:
        self.session = session
        self._jobs = jobs
        self._kept: OrderedDict[str, tuple[ExplainedSlice, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: str, volume: LazyVolume) -> tuple[ExplainedSlice, ...]:
        """Return the slices that the bundle reads of a volume, with their evidence.

        Parameters
        ----------
        key
            What stands for the content of the volume.
        volume
            Its voxels.

        Raises
        ------
        InputError
            If the bundle reads no slice of it.
        """
        with self._lock:  # one at a time: each takes all cores for a second or two
            if key not in self._kept:
                policy = self.session.bundle.metadata.slice_policy
                image_path = self.session.bundle.metadata.image_path
                pixels = np.stack(
                    [image_path.resize_slice(one) for one in choose_slices(volume, policy).pixels]
                )
                self._kept[key] = explain_slices(pixels, self.session, jobs=self._jobs)
            self._kept.move_to_end(key)
            while len(self._kept) > N_KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]
