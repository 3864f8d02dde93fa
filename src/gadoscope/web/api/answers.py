"""A row of results as the API says it."""

from pydantic import Field

from gadoscope.labels import RESULT_COLUMNS, Phase, Plane, SeriesResult, Status
from gadoscope.web.api.schemas import Said


class Answer(Said):
    """The answer for one input: the columns of a table of results.

    `path` is what the sender called it; of what a store holds it is null unless the server shows identities,
    and so is a quote empty that holds the full text of a header; the list of series has none.
    """

    path: str | None = Field(examples=["sub-01_T1w.nii.gz"])
    study_instance_uid: str | None = Field(examples=["2.25.113"])
    series_instance_uid: str | None = Field(examples=["2.25.114"])
    volume_index: int | None = Field(examples=[None])
    plane: Plane
    n_slices: int = Field(examples=[176])
    n_slices_used: int = Field(examples=[5])
    status: Status
    phase: Phase | None = Field(examples=["POST_CONTRAST"])
    probability: float | None = Field(description="P(post-contrast) by the pixels alone.", examples=[0.983])
    reason: str = Field(
        description="A word, a colon and a sentence; empty where it is answered.", examples=[""]
    )
    header_state: str = Field(examples=["administered"])
    header_quote: str = Field(examples=["ContrastBolusAgent: Gadovist"])
    agreement: str = Field(examples=["agree"])
    model: str = Field(examples=["default@7fd5920f"])
    warnings: tuple[str, ...] = ()


class Answers(Said):
    """The answers to an upload, one for each input, and for several volumes one for each of them too."""

    answers: list[Answer]


def to_answer(row: SeriesResult) -> Answer:
    """Return a row as the API says it."""
    return Answer(**{name: getattr(row, name) for name in RESULT_COLUMNS})
