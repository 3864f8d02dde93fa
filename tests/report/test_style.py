"""The style of all pages: letters that can be read, light and dark, and a figure that follows it."""

import re

import pytest

from gadoscope.report.figures import follow_page
from gadoscope.report.page import render_page

LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3, for letters of usual size."""
LEAST_OF_DRAWINGS = 3.0
"""WCAG 2.2, success criterion 1.4.11."""
PAIRS = [
    *((ink, "paper") for ink in ("ink", "soft", "faint", "pre-text", "post-text", "serious", "link")),
    *((ink, "wash") for ink in ("ink", "soft", "pre-text", "post-text", "serious", "note")),
    ("serious", "serious-wash"),
    ("ink", "serious-wash"),
    ("link", "serious-wash"),
    ("caution", "caution-wash"),
    ("ink", "caution-wash"),
]  # fmt: skip
DRAWN = ("pre", "post", "train", "validation", "test")


def read_style() -> str:
    return render_page("gadoscope.report", "house.css", {})


def read_themes() -> dict[str, dict[str, str]]:
    """Return the variables of the light and of the dark page."""
    light, dark = (
        dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})\b", block, re.IGNORECASE))
        for block in re.findall(r":root \{(.*?)\}", read_style(), re.DOTALL)[:2]
    )
    return {"light": light, "dark": {**light, **dark}}


def measure_luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def measure_contrast(one: str, other: str) -> float:
    bright, dim = sorted((measure_luminance(one), measure_luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_letters_and_lines_stand_out_from_their_ground(theme: str) -> None:
    colours = read_themes()[theme]
    faint = {
        f"{ink} on {ground}": round(measure_contrast(colours[ink], colours[ground]), 2)
        for least, pairs in (
            (LEAST_CONTRAST, PAIRS),
            (LEAST_OF_DRAWINGS, [(name, "paper") for name in DRAWN]),
        )
        for ink, ground in pairs
        if measure_contrast(colours[ink], colours[ground]) < least
    }
    assert not faint


def test_the_contrast_is_that_of_wcag() -> None:
    assert measure_contrast("#000000", "#ffffff") == pytest.approx(21)
    assert measure_contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_only_a_screen_is_dark_and_paper_has_no_grey_blocks() -> None:
    style = read_style()
    assert "@media screen and (prefers-color-scheme:dark)" in style
    printed = style[style.index("@media print") :]
    assert "--wash:#fff" in printed
    assert "break-before:page" not in style


def test_on_paper_a_heading_holds_what_it_stands_above_and_no_section_holds_the_next() -> None:
    """Of a last child, a break that is avoided behind it is avoided behind its section too."""
    printed = read_style().partition("@media print")[2]
    assert "h2, h3, :is(h2, h3) + p:not(:last-child) { break-after:avoid; }" in printed


def test_a_colour_of_a_figure_is_that_of_the_page_and_words_stay() -> None:
    svg = '<path style="fill: none; stroke: #1d2430"/><text style="fill: #7a3e9d">stroke: #1d2430</text>'
    assert follow_page(svg) == (
        '<path style="fill: none; stroke: var(--ink)"/><text style="fill: var(--test)">stroke: #1d2430</text>'
    )


def test_every_variable_of_a_figure_is_one_of_the_style() -> None:
    known = set(re.findall(r"--([\w-]+):", read_style()))
    used = set(re.findall(r"var\(--([\w-]+)\)", read_style()))
    assert used - {"share"} <= known
