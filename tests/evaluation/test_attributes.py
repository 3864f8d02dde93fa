import pytest

from gadoscope.evaluation.attributes import read_attributes


@pytest.mark.parametrize(
    ("column", "text", "attribute", "expected"),
    [
        ("manufacturer", "SIEMENS Healthineers", "vendor", "Siemens"),
        ("vendor", "GE MEDICAL SYSTEMS", "vendor", "GE"),
        ("manufacturer", "TOSHIBA", "vendor", "Canon"),
        ("manufacturer", "Somebody Else", "vendor", "Somebody Else"),
        ("field_strength_t", "1.494", "field_strength", "1.5 T"),
        ("field_strength", "2.89T", "field_strength", "3 T"),
        ("field_strength", "0.064", "field_strength", "0.1 T"),
        ("field_strength", "15000", "field_strength", ""),
        ("sex", "F", "sex", "female"),
        ("sex", "O", "sex", ""),
        ("age", "063Y", "age_band", "60-79"),
        ("age", "19.9", "age_band", "<20"),
        ("age", "006M", "age_band", "<20"),
        ("age", "101", "age_band", "80+"),
        ("age", "nan", "age_band", ""),
        ("age", "-3", "age_band", ""),
        ("seriesinstanceuid", "1.2.3", "series", "1.2.3"),
    ],
)
def test_what_scanners_write_becomes_one_word(column: str, text: str, attribute: str, expected: str) -> None:
    assert read_attributes({column: text})[attribute] == expected


def test_what_is_not_there_is_empty() -> None:
    assert set(read_attributes({}).values()) == {""}
