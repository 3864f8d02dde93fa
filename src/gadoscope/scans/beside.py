"""A NIfTI volume is opened with what lies beside it: a sidecar, b-values, and the words of its name."""

from dataclasses import dataclass, replace

from gadoscope.evidence.beside import check_beside
from gadoscope.reading.archives.places import Place
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.bids.dataset import check_suffix, find_sidecar_facts
from gadoscope.reading.bids.gradients import Gradients, find_b_value, read_gradients
from gadoscope.reading.nifti.series import open_nifti
from gadoscope.reading.series import Facts, ImageSeries


@dataclass(frozen=True)
class Beside:
    """What was found beside a volume."""

    facts: Facts | None
    warnings: tuple[str, ...]
    gradients: tuple[Gradients, ...]


def look_beside(place: Place) -> Beside:
    """Return what lies beside a volume.

    Raises
    ------
    RefusedError
        If its BIDS suffix says that it is no T1 image.
    """
    check_suffix(place)
    facts, warnings = find_sidecar_facts(place)
    return Beside(facts, warnings, read_gradients(place))


def open_beside(source: Source, beside: Beside) -> ImageSeries:
    """Open a volume with what was found beside it; errors as `open_nifti` and `check_beside`."""
    series = open_nifti(source, facts=beside.facts, warnings=beside.warnings)
    n_volumes = len(series.volumes)
    b_value = find_b_value(beside.gradients, n_volumes)
    said = check_beside(source.name, n_volumes, b_value, beside.facts)
    return replace(series, warnings=(*series.warnings, *said))
