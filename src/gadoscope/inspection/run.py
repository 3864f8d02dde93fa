"""Are these data fit to train on: labelled images become an audit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import ManifestError
from gadoscope.files import refuse_file, write_text
from gadoscope.inspection import DEFAULT_CASES
from gadoscope.inspection.copies import CopyGroup, group_copies
from gadoscope.inspection.counts import find_two_sided
from gadoscope.inspection.measure import Measurement, measure_items
from gadoscope.inspection.notebook import draw_audit, read_figures
from gadoscope.inspection.page import draw_pictures, render_html
from gadoscope.inspection.report import Audited, build_report
from gadoscope.inspection.shortcuts import judge_predictors
from gadoscope.labels import Label
from gadoscope.preparation.data_digest import digest_files, digest_labelled
from gadoscope.preparation.manifest import Item, read_manifest
from gadoscope.preparation.name_blocks import number_blocks
from gadoscope.preparation.slices import digest_item
from gadoscope.preparation.subjects import number_subjects
from gadoscope.progress import OnProgress, say_nothing
from gadoscope.report.finding import Finding, list_caveats, read_findings
from gadoscope.run_folder import HTML_NAME
from gadoscope.statistics.intervals import Measured

JSON_NAME = "audit.json"


@dataclass(frozen=True)
class Audit:
    """What an audit leaves behind: the content of audit.json, and where the files are."""

    report: dict[str, Any] = field(repr=False)
    folder: Path | None

    @property
    def figures(self) -> Mapping[str, Mapping[str, Measured]]:
        """How well each trivial predictor tells the label, by its name, the best first.

        ``auc`` and ``balanced_accuracy``, each with its 95 % interval; 0.5 tells nothing. Predictors that
        could not be measured are not there.
        """
        return read_figures(self.report)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that was found, gravest first."""
        return read_findings(self.report["findings"])

    @property
    def caveats(self) -> tuple[Finding, ...]:
        """The findings that would limit what a figure on these data is worth, gravest first."""
        return list_caveats(self.report["findings"])

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the best trivial predictors, and the findings."""
        return draw_audit(self.report, self.folder)


def audit(
    data: Path,
    *,
    output: Path | None,
    labels: Path | None = None,
    jobs: int = 0,
    n_cases: int = DEFAULT_CASES,
    on_progress: OnProgress | None = None,
) -> Audit:
    """Look for leaks, copies and giveaways among labelled images.

    Parameters
    ----------
    data
        A manifest or a folder of labelled images.
    labels
        A CSV with the label of what lies in ``data``; as of `read_manifest`.
    output
        A folder for report.html and audit.json, which replace those of an earlier audit; or None.
    jobs
        Threads; 0 means one for each core that the process may use.
    n_cases
        At most so many groups of copies, and so many images with text, are shown.

    Raises
    ------
    ManifestError
        If the data cannot be listed, or no image can be read.
    OutputError
        If a file cannot be written.
    """
    if output is not None:
        refuse_file(output, "the audit")
    tell = on_progress or say_nothing
    manifest = read_manifest(data, labels)
    looked_at = measure_items(
        manifest.items,
        n_shown=n_cases if output else 0,
        jobs=jobs,
        on_progress=lambda done, n: tell("Reading images", done, n),
    )
    items, results = looked_at.items, looked_at.results
    measured = {index: one for index, one in enumerate(results) if isinstance(one, Measurement)}
    if not measured:
        raise ManifestError(
            f"none of the {len(items)} images of {manifest.origin} can be read; the first: {results[0]}"
        )
    digest_of = {items[index].path: one.digest for index, one in measured.items()}
    tell("Comparing images", 0, 1)
    copies = group_copies(items, measured, jobs=jobs)
    tell("Comparing images", 1, 1)
    audited = Audited(
        manifest=replace(manifest, items=items),
        results=results,
        copies=copies,
        two_sided=find_two_sided(items),
        predictors=_judge_predictors(items, measured, copies, tell),
        sha256=digest_files(digest_of.values()),
        labelled_sha256=_digest_labelled(manifest.items, digest_of),
    )
    report = build_report(audited, n_cases)
    if output is not None:
        pictures = draw_pictures(audited, report, n_cases)
        write_text(output / JSON_NAME, json.dumps(report, indent=1, allow_nan=False) + "\n")
        write_text(output / HTML_NAME, render_html(report, pictures))
    return Audit(report=report, folder=output)


def _judge_predictors(
    items: Sequence[Item],
    measured: dict[int, Measurement],
    copies: Sequence[CopyGroup],
    tell: OnProgress,
) -> list[dict[str, Any]]:
    """Return how well each trivial predictor tells the two phases apart."""
    labelled = [index for index in measured if items[index].label is not Label.OTHER]
    return judge_predictors(
        [items[index] for index in labelled],
        [measured[index] for index in labelled],
        _number_subjects(items, copies)[labelled],
        on_progress=lambda done, n: tell("Trying trivial predictors", done, n),
    )


def _number_subjects(items: Sequence[Item], copies: Sequence[CopyGroup]) -> NDArray[np.int64]:
    """Return a number for each image's subject; subjects that share a copy of a picture count as one.

    A predictor that has seen the copy would otherwise know the label of the original. Where the subject is
    unknown, its block of names stands in, and a copy goes with the picture that it repeats.
    """
    first = {other: group.members[0] for group in copies for other in group.members}
    block = number_blocks([item.path for item in items])
    originals = [items[first.get(index, index)] for index in range(len(items))]
    blocks = [block[first.get(index, index)] for index in range(len(items))]
    links = [
        (group.members[0], other)
        for group in copies
        for other in group.members[1:]
        if items[group.members[0]].subject_id and items[other].subject_id
    ]
    return number_subjects(
        [item.subject_id or original.subject_id for item, original in zip(items, originals, strict=True)],
        [f"block {number}" for number in blocks],
        links=links,
    )


def _digest_labelled(items: Sequence[Item], digest_of: Mapping[Path, str]) -> str:
    return digest_labelled(items, [digest_of.get(item.path) or digest_item(item) for item in items])
