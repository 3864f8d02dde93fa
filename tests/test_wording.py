import pytest

from gadoscope import wording


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.98424, "98.4\xa0%"),
        (1.0, "100.0\xa0%"),
        (0.99999, ">99.9\xa0%"),
        (0.0, "0.0\xa0%"),
        (0.0001, "<0.1\xa0%"),
        (None, "\u2013"),
    ],
)
def test_only_a_perfect_share_reads_as_perfect(share: float | None, text: str) -> None:
    assert wording.percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.99689, "0.9969"), (1.0, "1.0000"), (0.999999, ">0.9999"), (None, "\u2013")]
)
def test_only_a_perfect_area_reads_as_perfect(value: float | None, text: str) -> None:
    assert wording.area(value) == text


@pytest.mark.parametrize(("value", "text"), [(1e-9, "<0.0001"), (1 - 1e-9, ">0.9999"), (0.4169, "0.4169")])
def test_a_probability_never_reads_as_certain(value: float, text: str) -> None:
    assert wording.probability(value) == text


def test_counts_names_and_points_read_as_words() -> None:
    assert [wording.plural(n, "image") for n in (0, 1, 1200)] == ["0 images", "1 image", "1,200 images"]
    assert wording.list_names(["a", "b", "c"]) == "a, b and c"
    assert wording.list_names(["a"]) == "a"
    assert wording.points(0.0317) == "3.2 points"
