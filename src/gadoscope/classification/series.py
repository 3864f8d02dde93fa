"""A series of one or more volumes becomes rows: first the header is asked, then the network."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from gadoscope.classification.dynamic import summarise_volumes
from gadoscope.classification.rows import empty_row, judged_row, keep_going, with_picture, with_seen
from gadoscope.classification.spread import MANY_VOLUMES, refuse_all, spread_indices
from gadoscope.evidence.file_name import FILE_NAME, read_file_name
from gadoscope.evidence.reconcile import HeaderState, compare, read_evidence
from gadoscope.imaging.slices import choose_slices
from gadoscope.imaging.volume import LazyVolume
from gadoscope.inference.session import Session
from gadoscope.labels import QuoteMode, SeriesResult
from gadoscope.reading.archives.sources import INSIDE
from gadoscope.reading.series import Facts, ImageSeries, SeriesVolume
from gadoscope.scans.admission import admit_series, admit_volume, check_extent

Ask = Callable[[SeriesResult, Facts | None], SeriesResult]
"""Adds to a row what a header says of contrast."""


def answer_series(
    open_series: Callable[[], ImageSeries],
    base: SeriesResult,
    session: Session,
    *,
    facts: Facts | None,
    study: Sequence[Facts] = (),
    file_name: str = "",
    quote: QuoteMode = QuoteMode.WORDS,
) -> tuple[SeriesResult, ...]:
    """Return the rows of a series.

    Parameters
    ----------
    open_series
        Opens it; an ``InputError`` becomes its one row.
    base
        The row as far as it is known.
    facts
        The header of the series; ``None`` where there is none.
    study
        The headers of the MR series of its study.
    file_name
        Of an image that somebody named; empty where the name says nothing, as of a DICOM instance.
    quote
        How much of the header the row quotes.

    Returns
    -------
    tuple of SeriesResult
        One row; for several volumes one for each, ``volume_index`` from 0, and one for the series. One row
        also where every one of a few volumes, spread over a long series, is refused.
    """
    ask = partial(with_evidence, study=study, file_name=file_name, quote=quote)
    base = ask(base, facts)
    opened = keep_going(lambda: admit_series(open_series, facts), base)
    if isinstance(opened, SeriesResult):
        return (opened,)
    series, gate_warnings = opened
    if series.facts is not facts:  # opening may have counted the volumes
        facts = series.facts
        base = ask(base, facts)
    base = replace(base, warnings=(*series.warnings, *gate_warnings))
    if len(series.volumes) == 1:
        return (_answer_volume(series.volumes[0], base, session, facts, ask)[0],)
    n_volumes = len(series.volumes)

    def answer(index: int, *, is_peek: bool = False) -> tuple[SeriesResult, float | None]:
        volume = series.volumes[index]
        if is_peek and volume.peek is not None:
            volume = replace(volume, open=volume.peek)
        return _answer_volume(volume, replace(base, volume_index=index), session, facts, ask)

    # Of many volumes in one gzip file the first ones; to be refused, the rest need not be whole.
    is_dear = n_volumes >= MANY_VOLUMES and all(volume.peek for volume in series.volumes)
    spread = spread_indices(n_volumes, is_dear=is_dear)
    looked_at = {index: answer(index, is_peek=is_dear) for index in spread}
    refused = refuse_all([row for row, _ in looked_at.values()], n_volumes)
    if refused is not None:
        return (with_agreement(refused),)
    if is_dear:
        looked_at = {}
    answers = [looked_at.get(index) or answer(index) for index in range(n_volumes)]
    rows = tuple(row for row, _ in answers)
    logits = [logit for _, logit in answers if logit is not None]
    summary = keep_going(lambda: summarise_volumes(rows, logits, base, session), base)
    return (*rows, with_agreement(summary))


def answer_opened(
    series: ImageSeries,
    session: Session,
    *,
    study: Sequence[Facts] = (),
    quote: QuoteMode = QuoteMode.WORDS,
    kind: type[SeriesResult] = SeriesResult,
) -> tuple[SeriesResult, ...]:
    """Return the rows of a series that was opened before, as `answer_series` does.

    Parameters
    ----------
    series
        From wherever it comes; its voxels are read now.
    study
        The headers of the MR series of its study; it may be among them.
    quote, kind
        How much of the header the row quotes, and whether it has a picture.
    """
    base = replace(
        empty_row(series.path, session, kind),
        study_instance_uid=series.study_instance_uid,
        series_instance_uid=series.series_instance_uid,
    )
    is_dicom = "SOPClassUID" in (series.facts or {})  # whose files are named by machines
    return answer_series(
        lambda: series,
        base,
        session,
        facts=series.facts,
        study=study,
        file_name="" if is_dicom else series.path.replace(INSIDE, "/").rpartition("/")[2],
        quote=quote,
    )


def _answer_volume(
    volume: SeriesVolume, base: SeriesResult, session: Session, facts: Facts | None, ask: Ask
) -> tuple[SeriesResult, float | None]:
    """Return the row of one volume, and the logit where it has one."""
    own = {**(facts or {}), **volume.facts}
    if volume.facts:
        base = ask(base, own)
    base = replace(base, warnings=(*base.warnings, *volume.warnings))
    opened = keep_going(lambda: admit_volume(volume, own), base)
    if isinstance(opened, SeriesResult):
        return with_agreement(opened), None
    lazy_volume, gate_warnings = opened
    base = replace(
        base,
        plane=lazy_volume.geometry.plane,
        n_slices=lazy_volume.geometry.shape[0],
        warnings=(*base.warnings, *gate_warnings),
    )
    answered = keep_going(lambda: _look(check_extent(lazy_volume, own), base, session), base)
    if isinstance(answered, SeriesResult):
        return with_agreement(answered), None
    row, logit = answered
    return with_agreement(row), logit


def _look(volume: LazyVolume, base: SeriesResult, session: Session) -> tuple[SeriesResult, float | None]:
    metadata = session.bundle.metadata
    chosen = choose_slices(volume, metadata.slice_policy)
    resized = np.stack([metadata.image_path.resize_slice(pixels) for pixels in chosen.pixels])
    looked_at = replace(
        base,
        n_slices_used=len(chosen.pixels),
        warnings=tuple(dict.fromkeys((*base.warnings, *chosen.warnings))),
    )
    looked_at = with_seen(with_picture(looked_at, resized), resized)
    return judged_row(looked_at, session.slice_answers(resized), session)


def with_evidence(
    base: SeriesResult,
    facts: Facts | None,
    *,
    study: Sequence[Facts] = (),
    file_name: str = "",
    quote: QuoteMode = QuoteMode.WORDS,
) -> SeriesResult:
    """Return ``base`` with what the header, and the name of the file, say of contrast."""
    if facts is not None:
        evidence = read_evidence({**facts, FILE_NAME: file_name} if file_name else facts, study)
    elif file_name:
        evidence = read_file_name({FILE_NAME: file_name})
    else:
        return base
    return replace(base, header_state=evidence.state.value, header_quote=evidence.render(quote))


def with_agreement(row: SeriesResult) -> SeriesResult:
    """Return ``row`` with how its header and its pixels agree."""
    return replace(row, agreement=compare(HeaderState(row.header_state), row.phase).value)
