"""What a run that starts from a bundle is not to be judged by: images that this bundle has learnt."""

from collections.abc import Sequence

from gadoscope.inference.bundle import Bundle
from gadoscope.preparation.store import Store
from gadoscope.preparation.training_images import FEW_ALIKE, TrainingImages, read_known
from gadoscope.wording import plural


def find_known(start: Bundle | None) -> TrainingImages | None:
    """Return the images that a bundle was made from; None without a bundle, or where it does not say."""
    return read_known(start) if start else None


def tell_known(known: TrainingImages | None, validation: Store, start: Bundle | None) -> Sequence[str]:
    """Return that images of ``validation`` are among those that the bundle has learnt; else nothing.

    To show such images again in training is no fault: that keeps them from being forgotten. A threshold that
    is chosen on them rests on answers that the network knows, and so does every figure.
    """
    n = len(validation.items)
    if known is None or start is None or not n:
        return ()
    same, alike = known.find(validation.digests, validation.prints)
    n_known = int((same | alike).sum())
    if not same.any() and n_known <= FEW_ALIKE * n:
        return ()
    return (
        f"{n_known} of {plural(n, 'validation image')} went into {start.path.name}, which this run starts "
        "from: threshold, calibration and figures rest on answers that it knows, and say nothing of new "
        "patients; leave such images out, or call them train in a column `split`.",
    )
