"""What fine-tuning brought at home and cost elsewhere: a model beside the one that it began from.

Both are asked about the images of the verdict (``here``) and about images of other hospitals (``elsewhere``)
which the run has not learnt. Every decision counts: an image that a gate refuses is a wrong answer, since
nobody who asks is helped by it. Beside that stands what each refuses of images that are no T1 brain.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from gadoscope.arrays import Bools
from gadoscope.errors import UsageError
from gadoscope.evaluation.comparison import Rival, compare
from gadoscope.evaluation.judges import Model, Verdict, find_judges, open_model
from gadoscope.evaluation.scoring import score_images, score_readable
from gadoscope.inference.default import DEFAULT_BUNDLE, read_digest
from gadoscope.preparation.items import Item
from gadoscope.progress import OnProgress
from gadoscope.records import Data, to_plain
from gadoscope.report.finding import CAUTION, NOTE, finding
from gadoscope.statistics.paired import compare_shares
from gadoscope.statistics.shares import estimate_share
from gadoscope.statistics.table import Predictions
from gadoscope.wording import percent, short_name, signed_points

HERE, ELSEWHERE = "here", "elsewhere"
BY_CLASS, BY_IMAGE = "balanced_accuracy", "accuracy"
"""What is judged by: the second where images of one phase alone are there."""


def find_beginning(models: Sequence[Model]) -> Model:
    """Return the model that the first one began from: a further one, or the default where it began from that.

    Raises
    ------
    UsageError
        If nothing says which that is.
    """
    first, *further = models
    began = first.run.record.get("init_sha256") if first.run else None
    for model in further:
        if model.session.bundle.sha256 == began:
            return model
    if began and began == read_digest() and DEFAULT_BUNDLE.exists():
        return open_model(DEFAULT_BUNDLE)
    if further:
        return further[0]
    why = "began from a bundle that is not here" if began else "does not say what it began from"
    raise UsageError(
        f"{first.path} {why}, so nothing says what it could have forgotten; name that bundle after it: "
        f"gadoscope evaluate {first.path} BUNDLE --elsewhere DATA."
    )


def measure_forgetting(
    first: Model,
    began: Model,
    here: Verdict,
    elsewhere: Path,
    jobs: int,
    tell: OnProgress,
) -> Data:
    """Return the figures of both, here and elsewhere.

    Parameters
    ----------
    here
        The images of the verdict as ``first`` answered them.
    elsewhere
        A manifest or a folder; what ``first`` was trained on counts nowhere.

    Returns
    -------
    ``began``, the name of that model; ``origin``; and ``parts``: ``where``, what `compare` returns, and
    ``others``, which is None where no image is labelled so.
    """
    away = find_judges([first], elsewhere)
    score = partial(score_images, jobs=jobs, tell=tell, policy=first.session.bundle.metadata.slice_policy)
    refuse = partial(_refuse_others, (first, began), jobs=jobs, tell=tell)
    their_rows = away.division.evaluated
    return {
        "began": began.name,
        "origin": short_name(str(elsewhere)),
        "parts": [
            {
                "where": HERE,
                **_compare((first, here.table), (began, score(here.list_items(), began.session)[0])),
                "others": refuse(here.judges.others),
            },
            {
                "where": ELSEWHERE,
                **_compare(*((model, score(their_rows, model.session)[0]) for model in (first, began))),
                "others": refuse(away.others or find_judges([began], elsewhere).others),
            },
        ],
    }


def _compare(first: tuple[Model, Predictions], began: tuple[Model, Predictions]) -> Data:
    return compare(first[1], _decide(*first), [_decide(*began)])


def _decide(model: Model, table: Predictions) -> Rival:
    """Return the answers of a model, where what its gate refuses is the wrong one."""
    called_post = model.decision.of_slice.calls_post(table.probability)
    refused = _refuses(model, table)
    return Rival(
        name=model.name,
        meaning="every decision counted: what is refused is wrong",
        score=table.logit,
        called_post=np.where(refused, ~table.is_post, called_post),
    )


def _refuses(model: Model, table: Predictions) -> Bools:
    if table.t1_brain_logit is None:
        return np.zeros(len(table), dtype=np.bool_)
    return model.decision.refuses(table.t1_brain_logit)


def _refuse_others(
    models: Sequence[Model], others: Sequence[Item], *, jobs: int, tell: OnProgress
) -> Data | None:
    """Return the share of images of no T1 brain that each model refuses, and the first less the second."""
    policy = models[0].session.bundle.metadata.slice_policy
    tables = [
        score_readable(others, model.session, jobs, tell, "Asking the gate", policy=policy)[0]
        for model in models
    ]
    if not len(tables[0]):
        return None
    subject = tables[0].subject_group
    refused = [_refuses(model, table) for model, table in zip(models, tables, strict=True)]
    return {
        "n_images": len(tables[0]),
        "refused": [to_plain(estimate_share(one, subject)) for one in refused],
        "difference": to_plain(compare_shares(refused[0], refused[1], subject)),
    }


def tell_forgetting(forgetting: Data | None) -> list[Data]:
    """Return what was lost elsewhere, or that no loss was found; nothing where nobody looked."""
    if forgetting is None:
        return []
    part = next(part for part in forgetting["parts"] if part["where"] == ELSEWHERE)
    first, began = part["models"]
    name = name_figure(part)
    change = began["difference"][name]
    text = (
        f"Of {part['n_images']:,} images of elsewhere it gets {percent(first['figures'][name]['value'])} "
        f"right, and {forgetting['began']}, which it began from, {percent(began['figures'][name]['value'])}: "
        f"{_say(change)}."
    )
    found = [_judge(change, "Fine-tuning has made it worse elsewhere", "No loss elsewhere was found", text)]
    if part["others"] is not None:
        ours, theirs = part["others"]["refused"]
        text = (
            f"Of {part['others']['n_images']:,} images of elsewhere that are no T1 brain it refuses "
            f"{percent(ours['value'])}, and {forgetting['began']} {percent(theirs['value'])}: "
            f"{_say(part['others']['difference'])}."
        )
        found.append(
            _judge(
                part["others"]["difference"],
                "Fine-tuning has opened its gate",
                "Its gate refuses what it refused before",
                text,
            )
        )
    return found


def name_figure(part: Data) -> str:
    """Return the figure that a part is judged by."""
    has_both = part["models"][0]["figures"][BY_CLASS]["value"] is not None
    return BY_CLASS if has_both else BY_IMAGE


def _judge(change: Data, worse: str, alike: str, text: str) -> Data:
    is_worse = change["upper"] is not None and change["upper"] < 0
    return finding(CAUTION, worse, text) if is_worse else finding(NOTE, alike, text)


def _say(change: Data) -> str:
    return (
        f"{signed_points(change['value'])} points (95 %: {signed_points(change['lower'])} to "
        f"{signed_points(change['upper'])})"
    )
