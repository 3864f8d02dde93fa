"""Whether a bundle is asked about images that it was made from."""

from collections.abc import Sequence

from gadoscope.evaluation.judges import Model, Verdict
from gadoscope.inference.bundle import Bundle
from gadoscope.preparation.items import UNKNOWN_SOURCE
from gadoscope.preparation.training_images import FEW_ALIKE, read_known
from gadoscope.records import Data
from gadoscope.report.finding import CAUTION, SERIOUS, finding
from gadoscope.statistics.table import Predictions
from gadoscope.wording import list_names, plural, short_name

MAX_LISTED = 100


def look_for_training_images(model: Model, verdict: Verdict) -> Data | None:
    """Return which of the verdict's images the bundle was made from; None where it does not say.

    Returns
    -------
    ``n_images`` of the table, ``n_identical`` files and ``n_alike`` pictures besides, ``names`` of some,
    ``sources`` of both, and ``n_known``, how many images the bundle knows of how many ``n_trained``.
    """
    bundle, predictions = model.session.bundle, verdict.table
    known = read_known(bundle)
    if known is None:
        return None
    if predictions.picture_print is None:
        raise ValueError("these images were scored without prints of their pictures.")
    prints = [row.tobytes() for row in predictions.picture_print]
    same, alike = known.find(verdict.list_digests(), prints)
    found = predictions.path[same | alike].tolist()
    return {
        "n_images": len(predictions),
        "n_identical": int(same.sum()),
        "n_alike": int((alike & ~same).sum()),
        "names": [short_name(path) for path in found[:MAX_LISTED]],
        # Of its own data a run has a test, which is of the same sources by design.
        "sources": [] if model.run else _list_sources(bundle, predictions),
        "n_known": len(known.rows),
        "n_trained": known.n_images,
    }


def _list_sources(bundle: Bundle, predictions: Predictions) -> Sequence[str]:
    trained = bundle.metadata.training.get("sources")
    names = set(predictions.source.tolist()) - {UNKNOWN_SOURCE}
    return sorted(names & set(map(str, trained))) if isinstance(trained, list) else []


def tell_seen(seen: Data | None) -> list[Data]:
    """Return that the bundle was made from images of the verdict: serious, and for the top of a report.

    Parameters
    ----------
    seen
        ``n_images``, ``n_identical``, ``n_alike``; None where the bundle does not know its images.
    """
    if seen is None:
        return []
    same, alike, n = seen["n_identical"], seen["n_alike"], seen["n_images"]
    if not same and alike <= FEW_ALIKE * n:
        return []
    parts = [
        *([f"{same:,} as the same file"] if same else []),
        *([f"{alike:,} as the same picture in another format, size or brightness"] if alike else []),
    ]
    at_least = "at least " if seen["n_known"] < seen["n_trained"] else ""
    text = (
        f"Of {plural(n, 'image')} here {at_least}{same + alike:,} went into its training or the choice of "
        f"its thresholds: {' and '.join(parts)}. It has seen these answers: the figures say nothing of new "
        "images. Evaluate on others."
    )
    return [finding(SERIOUS, "The model was made from these images", text)]


def tell_sources(seen: Data | None) -> list[Data]:
    """Return that images come from collections that the bundle was trained on."""
    if seen is None or not seen["sources"]:
        return []
    text = (
        f"It was trained on images of {list_names(list(seen['sources']))}: the same scanners, and perhaps "
        "the same people. Figures on these say little of another hospital."
    )
    return [finding(CAUTION, "The model knows where these images come from", text)]
