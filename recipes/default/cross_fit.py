"""What networks of the recipe say of the images that each had not seen, as one table to freeze a decision on.

    python -m recipes.default.cross_fit runs/half1 runs/half2 --output held-out.csv
    gadoscope train DATA/recipe.toml --data DATA/manifest.csv --output runs/default --held-out held-out.csv

A run that holds out one half of a hospital (`recipes.default.data --hold-out-half SOURCE`, and that with
`--other-half`) learns from the other. Both together have asked each of its images of a network that never
saw the subject, for the price of two trainings. What each run kept for validation comes with it. An image
that several runs held out is told by the first.
"""

import argparse
from pathlib import Path

import numpy as np

from gadoscope.errors import ManifestError
from gadoscope.evaluation.scoring import score_images
from gadoscope.inference.session import Session
from gadoscope.labels import Split
from gadoscope.parallel import count_jobs
from gadoscope.preparation.manifest import read_manifest
from gadoscope.progress import say_nothing
from gadoscope.run_folder import read_run
from gadoscope.statistics.table import Predictions, join, write_predictions


def main() -> None:
    """Ask, join and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="+", help="folders made by `gadoscope train`")
    parser.add_argument("--output", type=Path, required=True, help="CSV of the answers")
    arguments = parser.parse_args()
    table = keep_first(join([ask_held_out(run) for run in arguments.runs]))
    write_predictions(table, arguments.output)
    print(f"{arguments.output}: {len(table)} images, {table.n_subjects} subjects")


def ask_held_out(folder: Path) -> Predictions:
    """Return what a run's bundle says of the labelled images that it did not learn from.

    Raises
    ------
    ManifestError
        If it learned from all of them.
    """
    run = read_run(folder)
    held_out = [
        item for item in read_manifest(run.manifest).labelled().items if item.split is not Split.TRAIN
    ]
    if not held_out:
        raise ManifestError(f"the run {folder} held out no image: it learned from all of them.")
    return score_images(held_out, Session(run.bundle), count_jobs(0), say_nothing)[0]


def keep_first(table: Predictions) -> Predictions:
    """Return each image once: the row that comes first."""
    return table.select(np.sort(np.unique(table.path, return_index=True)[1]))


if __name__ == "__main__":
    main()
