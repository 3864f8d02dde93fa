"""A tag is named by its keyword in the standard."""

import re

from pydicom.datadict import keyword_for_tag

from gadoscope.reading.dicom import tags


def test_every_tag_has_the_keyword_of_the_standard() -> None:
    named = {name: value for name, value in vars(tags).items() if name.isupper()}
    assert len(named) > 100
    for name, value in named.items():
        keyword = keyword_for_tag(value)
        assert keyword
        assert name.replace("_", "") == re.sub(r"\W", "", keyword).upper()
