"""Strong augmentation: training slices as other scanners, hospitals and archives would show them.

The lesson's own knobs are in `gadoscope.training.augment`; these are the default network's.
"""

from gadoscope.training.augmentation.distort import distort_batch
from gadoscope.training.augmentation.settings import StrongAugmentation

__all__ = ["StrongAugmentation", "distort_batch"]
