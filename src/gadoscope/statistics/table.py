"""The table that every evaluation starts from: one row an image, its label and its score."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Bools, Floats
from gadoscope.errors import ManifestError
from gadoscope.files import write_text
from gadoscope.labels import Label, Plane, Split
from gadoscope.preparation.subjects import count_subjects, number_subjects
from gadoscope.sheets import PATH, SheetWriter, read_path, read_text

COLUMNS = ("path", "subject_id", "source", "plane", "split", "reference_label", "logit", "probability")
TEXTS = COLUMNS[:5]
ATTRIBUTES = ("series", "vendor", "field_strength", "sex", "age_band")
"""Further columns, where something is known: the name of the series, and what subgroups are made of."""
DAMAGED = "the network's weights are damaged: train again or use another bundle"


@dataclass(frozen=True, eq=False, kw_only=True)
class Predictions:
    """Scores of n images as columns, each of shape (n,); checked when they are put together.

    Parameters
    ----------
    subject_id
        Empty where the subject is unknown.
    is_post
        The reference label; of images labelled other it has no meaning.
    logit, probability
        Of post-contrast; the probability is calibrated as the bundle says.
    attributes
        Those of `ATTRIBUTES` that are known of any image; empty where one is unknown.
    t1_brain_logit
        The gate's; None of a network without one.
    picture_print
        uint8 (n, `PRINT_BYTES`), from `print_picture`; None where nobody made them.

    Raises
    ------
    ManifestError
        If the columns differ in length, or a score is not a finite number: the network, not the image, is
        at fault.
    """

    path: NDArray[np.str_]
    subject_id: NDArray[np.str_]
    source: NDArray[np.str_]
    plane: NDArray[np.str_]
    split: NDArray[np.str_]
    is_post: Bools
    logit: Floats
    probability: Floats
    attributes: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    t1_brain_logit: Floats | None = None
    picture_print: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        for name, column in self._columns().items():
            if len(column) != len(self):
                raise ManifestError(f"{len(self)} images, but {len(column)} entries of {name}: each has one.")
        damaged = ~(np.isfinite(self.logit) & (self.probability >= 0) & (self.probability <= 1))
        if damaged.any():
            raise ManifestError(
                f"{int(damaged.sum())} of {len(self)} images have a score that is not a number; {DAMAGED}."
            )
        if self.t1_brain_logit is not None and not np.isfinite(self.t1_brain_logit).all():
            n_bad = int((~np.isfinite(self.t1_brain_logit)).sum())
            raise ManifestError(f"of the gate {n_bad} of {len(self)} scores are not numbers; {DAMAGED}.")

    def __len__(self) -> int:
        return len(self.path)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "Predictions":
        """Return these rows alone."""
        attributes = {name: column[rows] for name, column in self.attributes.items()}
        columns = {name: column[rows] for name, column in self._columns().items() if name not in attributes}
        return replace(self, **columns, attributes=attributes)

    def _columns(self) -> dict[str, NDArray[Any]]:
        """Return every column there is, the attributes too."""
        named = {
            entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name != "attributes"
        }
        return {**self.attributes, **{name: column for name, column in named.items() if column is not None}}

    def with_split(self, split: Split) -> "Predictions":
        """Return the rows of one split."""
        return self.select(self.split == split.value)

    @property
    def n_post(self) -> int:
        """Number of post-contrast images."""
        return int(self.is_post.sum())

    @property
    def n_pre(self) -> int:
        """Number of pre-contrast images."""
        return len(self) - self.n_post

    @property
    def has_subjects(self) -> bool:
        """Whether the subject of every image is known."""
        return len(self) > 0 and bool((self.subject_id != "").all())

    @property
    def subject_group(self) -> Annotated[NDArray[np.int64], "n"]:
        """Number of each image's subject, shape (n,); where it is unknown that of its series, or its own."""
        series = self.attributes.get("series", [""] * len(self))
        own = [
            f"series {source}\0{name}" if name else f"row {row}"
            for row, (source, name) in enumerate(zip(self.source.tolist(), series, strict=True))
        ]
        return number_subjects(self.subject_id.tolist(), own, sources=self.source.tolist())

    @property
    def n_subjects(self) -> int | None:
        """Number of subjects, or None where one is unknown."""
        return count_subjects(self.subject_id.tolist())


def from_rows(rows: Sequence[Mapping[str, object]]) -> Predictions:
    """Return the rows, mappings with the keys `COLUMNS` and any of `ATTRIBUTES`, as a table.

    Raises
    ------
    ManifestError
        As `Predictions` does.
    """
    logit = np.array([row["logit"] for row in rows], dtype=np.float64)
    probability = np.array([row["probability"] for row in rows], dtype=np.float64)
    return Predictions(
        path=_write(rows, "path"),
        subject_id=_write(rows, "subject_id"),
        source=_write(rows, "source"),
        plane=_write(rows, "plane"),
        split=_write(rows, "split"),
        is_post=np.array([row["reference_label"] == Label.POST.value for row in rows], dtype=np.bool_),
        logit=logit,
        probability=probability,
        attributes=list_attributes(rows),
    )


def list_attributes(rows: Sequence[Mapping[str, object]]) -> dict[str, NDArray[np.str_]]:
    """Return those of `ATTRIBUTES` that are known of any image, as columns."""
    return {key: _write(rows, key) for key in ATTRIBUTES if any(row.get(key) for row in rows)}


def _write(rows: Sequence[Mapping[str, object]], key: str) -> NDArray[np.str_]:
    return np.array([str(row.get(key) or "") for row in rows], dtype=np.str_)


def join(tables: Sequence[Predictions]) -> Predictions:
    """Return the rows of all tables, one table after the other; of the optional columns the attributes."""
    optional = {"attributes", "t1_brain_logit", "picture_print"}
    columns = {
        entry.name: np.concatenate([getattr(table, entry.name) for table in tables])
        for entry in fields(Predictions)
        if entry.name not in optional
    }
    names = dict.fromkeys(name for table in tables for name in table.attributes)
    return Predictions(
        **columns,
        attributes={name: np.concatenate([_attribute(table, name) for table in tables]) for name in names},
    )


def _attribute(table: Predictions, name: str) -> NDArray[np.str_]:
    return table.attributes.get(name, np.full(len(table), "", dtype=np.str_))


def write_predictions(predictions: Predictions, path: Path) -> None:
    """Write the table as CSV: `COLUMNS`, then the attributes it has; numbers keep every digit."""
    text = io.StringIO()
    sheet = SheetWriter(text, [*COLUMNS, *predictions.attributes])
    for row in range(len(predictions)):
        label = Label.POST if predictions.is_post[row] else Label.PRE
        sheet.write(
            [
                *(str(getattr(predictions, key)[row]) for key in TEXTS),
                label.value,
                repr(float(predictions.logit[row])),
                repr(float(predictions.probability[row])),
                *(str(column[row]) for column in predictions.attributes.values()),
            ]
        )
    write_text(path, text.getvalue())


def read_predictions(path: Path) -> Predictions:
    """Read a table that `write_predictions` wrote, or one of the same columns.

    Raises
    ------
    ManifestError
        If the file is missing, a column is missing, an image stands there twice, or a value does
        not fit; the sentence names the row.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ManifestError(
                    f"{path} lacks the column {', '.join(missing)}; expected {', '.join(COLUMNS)}."
                )
            rows = [_parse_row(row, number, path) for number, row in enumerate(reader, start=2)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"cannot read the predictions {path}: {error}.") from error
    _check_unique([str(row["path"]) for row in rows], path)
    return from_rows(rows)


def _parse_row(row: Mapping[str, str | None], number: int, path: Path) -> dict[str, object]:
    parsed: dict[str, object] = {key: read_text(row.get(key) or "") for key in (*COLUMNS, *ATTRIBUTES)}
    parsed[PATH] = read_path(row.get(PATH) or "")
    allowed = {
        "reference_label": (Label.PRE.value, Label.POST.value),
        "split": tuple(split.value for split in Split),
        "plane": tuple(plane.value for plane in Plane),
    }
    for key, values in allowed.items():
        if parsed[key] not in values:
            raise ManifestError(
                f"row {number} of {path}: {key} is {parsed[key]!r}; expected {' or '.join(values)}."
            )
    for key in ("logit", "probability"):
        try:
            parsed[key] = float(row[key] or "")
        except ValueError:
            parsed[key] = math.nan
        if math.isnan(parsed[key]):  # type: ignore[arg-type]  # a float, by the line above
            raise ManifestError(f"row {number} of {path}: {key} is {row[key]!r}, not a number.")
    return parsed


def _check_unique(paths: Sequence[str], origin: Path) -> None:
    seen: set[str] = set()
    twice = sorted({path for path in paths if path in seen or seen.add(path)})  # type: ignore[func-returns-value]  # add returns None: false
    if twice:
        raise ManifestError(
            f"{origin} holds {len(twice)} images more than once, first {twice[0]}; "
            "each image may count once: remove the repeated rows."
        )
