"""The same training under several seeds: how far threshold, accuracy and AUC depend on luck.

The lesson's own conclusion was that they vary each time. One seed gives the same figures every time;
this says how far to trust the figures of one seed.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gadoscope.evaluation.run import evaluate
from gadoscope.experiments.parts import name_part, naming
from gadoscope.experiments.spread import Cell, Spread
from gadoscope.files import write_text
from gadoscope.progress import OnProgress, say_nothing
from gadoscope.run_folder import PREPARED_NAME
from gadoscope.training.config import tell_defaults
from gadoscope.training.job import Job, Warn, Watch, check_folder
from gadoscope.training.run import train

REPORT_NAME = "report"
SPREAD_NAME = "spread.json"


def repeat(
    job: Job,
    n_seeds: int,
    *,
    watch: Watch,
    on_progress: OnProgress = say_nothing,
    warn: Warn = lambda _sentence: None,
    on_part: Callable[[str], None] = lambda _part: None,
) -> Spread | None:
    """Train ``n_seeds`` seeds from the config's on, evaluate each, and write the spread.

    Each run lies in ``job.run/seed-N``; they share the decoded images. ``resume`` goes on with the
    seed that was interrupted; of the finished ones the last checkpoint is read.
    """
    check_folder(job.run, resume=job.resume)
    prepared = job.run / PREPARED_NAME
    rows: list[dict[str, Cell]] = []
    for number, seed in enumerate(range(job.config.seed, job.config.seed + n_seeds), start=1):
        run = job.run / f"seed-{seed}"
        name = name_part("run", number, n_seeds, f"seed {seed}")
        part = replace(job, config=job.config.with_values(seed=seed), run=run, prepared=prepared, part=name)
        on_part(name)
        with naming(name):
            trained = train(part, watch=watch, on_progress=on_progress, warn=warn)
        if trained is not None:
            report = evaluate(run, data=None, output=run / REPORT_NAME, defaults=tell_defaults).report
            rows.append({"seed": seed, **_select_figures(report)})
    if not rows:
        return None
    shutil.rmtree(prepared, ignore_errors=True)
    figures = tuple(name for name in rows[0] if name != "seed")
    spread = Spread(unit="seed", rows=tuple(rows), figures=figures)
    write_text(job.run / SPREAD_NAME, json.dumps(spread.to_dict(), indent=2) + "\n")
    return spread


def _select_figures(report: Mapping[str, Any]) -> dict[str, float]:
    """Return the threshold, and accuracy and AUC of each split that has images of both classes."""
    figures = {"threshold": float(report["model"]["operating_point"]["threshold"])}
    for name, summary in report["splits"].items():
        if summary is not None and summary["auc"]["value"] is not None:
            figures[f"{name} accuracy"] = summary["at_operating_point"]["accuracy"]["value"]
            figures[f"{name} AUC"] = summary["auc"]["value"]
    return figures
