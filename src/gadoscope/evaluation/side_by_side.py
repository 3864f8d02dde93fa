"""The rivals side by side on the same images, and where scans are judged on whole series, by plane."""

from collections.abc import Mapping, Sequence
from functools import partial

from gadoscope.evaluation.comparison import Rival, compare
from gadoscope.evaluation.judges import Model, Verdict
from gadoscope.evaluation.rivals import answer_without
from gadoscope.evaluation.scoring import score_images
from gadoscope.evaluation.summary import Cases, gather_level
from gadoscope.labels import Level, Plane
from gadoscope.progress import OnProgress
from gadoscope.records import Data, to_plain
from gadoscope.statistics.shares import estimate_share
from gadoscope.statistics.table import Predictions

Columns = Mapping[str, Mapping[str, str]]
"""Path to the manifest's further columns of that image."""


def compare_with_rivals(
    models: Sequence[Model], names: Sequence[str], verdict: Verdict, jobs: int, tell: OnProgress
) -> Data | None:
    """Return how the first model stands beside the rivals, on ``verdict``; None if it stands alone.

    Parameters
    ----------
    models, names
        The first and the further models; which of `rivals.RIVALS` answer besides.

    Returns
    -------
    dict
        From `compare`, and under ``series`` what `compare_series` returns.
    """
    first, *further = models
    if not further and not names:
        return None
    table = verdict.table
    columns = {path: row.extra for path, row in zip(table.path.tolist(), verdict.rows, strict=True)}
    tables = [table, *_score(further, first, verdict, jobs, tell)]
    of_slices = [
        _as_rival(model, Cases(table, model.decision.of_slice))
        for model, table in zip(models, tables, strict=True)
    ]
    unaided = [answer_without(name, table, columns) for name in names]
    return {
        **compare(table, of_slices[0], [*of_slices[1:], *unaided]),
        "series": compare_series(models, tables, names, columns),
    }


def compare_series(
    models: Sequence[Model], tables: Sequence[Predictions], names: Sequence[str], columns: Columns
) -> Data | None:
    """Return how the same models stand on whole series; None where those are unknown, or one image each.

    Parameters
    ----------
    tables
        What each model said of the same images, in the same order.

    Returns
    -------
    dict
        ``n_series``, ``n_subjects`` and ``models`` as of `compare`; and ``planes``: for each plane ``plane``,
        ``n_pre``, ``n_post``, and ``right``, the share of its series that each model calls rightly.
    """
    cases = [
        gather_level(table, Level.SERIES, model.decision) for model, table in zip(models, tables, strict=True)
    ]
    if cases[0] is None or len(cases[0].table) == len(tables[0]):
        return None
    series = cases[0].table
    rivals = [_as_rival(model, one) for model, one in zip(models, cases, strict=True) if one is not None]
    rivals += [answer_without(name, series, columns) for name in names]
    compared = compare(series, rivals[0], rivals[1:])
    return {
        "n_series": len(series),
        "n_subjects": compared["n_subjects"],
        "models": compared["models"],
        "planes": [
            _describe_plane(plane, series, rivals) for plane in Plane if (series.plane == plane.value).any()
        ],
    }


def _describe_plane(plane: Plane, series: Predictions, rivals: Sequence[Rival]) -> Data:
    is_of = series.plane == plane.value
    part = series.select(is_of)
    return {
        "plane": plane.value,
        "n_pre": part.n_pre,
        "n_post": part.n_post,
        "right": [
            None
            if rival.called_post is None
            else to_plain(estimate_share(rival.called_post[is_of] == part.is_post, part.subject_group))
            for rival in rivals
        ],
    }


def _score(
    models: Sequence[Model], first: Model, verdict: Verdict, jobs: int, tell: OnProgress
) -> list[Predictions]:
    """Return what further models say of the images: of scans the slices that the first looks at."""
    policy = first.session.bundle.metadata.slice_policy
    score = partial(score_images, verdict.list_items(), jobs=jobs, tell=tell, policy=policy)
    return [score(session=model.session)[0] for model in models]


def _as_rival(model: Model, cases: Cases) -> Rival:
    return Rival(
        name=model.name,
        meaning=f"the network {model.session.bundle.metadata.network}",
        score=cases.table.logit,
        called_post=cases.called_post,
    )
