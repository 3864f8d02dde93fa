"""The page to look at after a run: what it counts, what it shows first, and that it stays small."""

import io
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gadoscope.classification.page import MAX_SHOWN, N_LEAST_CERTAIN, N_SAMPLE, Page, measure_margin
from gadoscope.labels import ONE_PHASE, Phase, PicturedResult, Plane, Status
from tests.support.commands import run_command
from tests.support.slices import grey_values


def draw_png() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(grey_values(160, 160, seed=1)).save(buffer, "PNG")
    return buffer.getvalue()


SURE = PicturedResult(
    path="archive/sub-1/t1",
    plane=Plane.SAGITTAL,
    n_slices_used=5,
    status=Status.ANSWERED,
    phase=Phase.POST_CONTRAST,
    probability=0.999,
    picture=draw_png(),
    band=(0.2, 0.8),
)
SILENT = replace(
    SURE,
    status=Status.INDETERMINATE,
    phase=Phase.INDETERMINATE,
    probability=0.5,
    reason="inside_abstention_band: it is.",
)


class Reader(HTMLParser):
    """Collects the sections' titles, and whatever a page would load or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.titles: list[str] = []
        self.loaded: list[str] = []
        self._is_title = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_title = tag == "h2"
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href")]
        assert tag != "script"

    def handle_data(self, data: str) -> None:
        if self._is_title:
            self.titles.append(data)
            self._is_title = False


def write(page: Page, path: Path) -> str:
    page.write(path, "a model")
    return path.read_text(encoding="utf-8")


def test_conflicts_come_first_then_contradictions_silence_doubt_warnings_and_samples(tmp_path: Path) -> None:
    page = Page()
    for number in range(60):
        page.add(replace(SURE, path=f"a/{number}", probability=0.9 + number / 1000))
    page.add(replace(SURE, path="warned", warnings=("odd: it is",), probability=0.9999))
    page.add(SILENT)
    page.add(replace(SURE, path="conflict", agreement="conflict", header_state="pre", header_quote="ohne KM"))
    page.add(replace(SURE, path="contradiction", warnings=(ONE_PHASE,)))
    page.add(replace(SURE, path="refused", status=Status.REFUSED, phase=None, reason="not_t1_brain: a knee."))
    titles = Reader(write(page, tmp_path / "p.html")).titles
    first = titles.index("Look at these first")
    assert [title.split()[0] for title in titles[first + 1 : -1]] == [
        "Header", "Their", "No", "The", "Answered", "A", "A",
    ]  # fmt: skip
    groups = {group.title: group for group in page.list_groups()}
    least = groups["The least certain answers"]
    assert [result.path for result in least.shown] == [f"a/{number}" for number in range(N_LEAST_CERTAIN)]
    assert groups["A sample of the sure answers"].n == 60 - N_LEAST_CERTAIN
    assert len(groups["A sample of the sure answers"].shown) == N_SAMPLE


def test_the_margin_is_measured_in_logits_from_the_nearer_edge_of_the_band() -> None:
    assert measure_margin(replace(SURE, probability=0.8)) == pytest.approx(0)
    assert measure_margin(replace(SURE, probability=0.1)) == pytest.approx(np.log(9) - np.log(4))
    assert measure_margin(replace(SURE, probability=1.0, band=None)) == pytest.approx(np.log(1e6), rel=1e-3)


def test_what_a_header_says_is_shown_and_never_markup_and_the_page_loads_nothing(tmp_path: Path) -> None:
    page = Page()
    page.add(replace(SURE, path="s/<script>x</script>", agreement="conflict", header_quote="<b>GD</b>"))
    text = write(page, tmp_path / "p.html")
    assert "&lt;b&gt;GD&lt;/b&gt;" in text
    assert all(one.startswith(("data:image/webp;base64,", "#")) for one in Reader(text).loaded)


def test_the_page_names_the_bundle_and_says_of_no_answer_that_it_is_none(tmp_path: Path) -> None:
    page = Page()
    page.add(replace(SURE, model="mine@01234567", reason="resolved_by_study: it is."))
    text = write(page, tmp_path / "p.html")
    assert "answers of <code>mine@01234567</code>" in text
    assert "By reason" in Reader(text).titles
    assert "no answer" not in text.partition('id="first"')[0].lower()


def test_a_page_of_ten_thousand_series_is_small_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    page = Page()
    for number in range(10_000):
        page.add(
            replace(SILENT if number % 10 == 0 else SURE, path=f"archive/sub-{number:05}/anat/t1w.nii.gz")
        )
    text = write(page, tmp_path / "p.html")
    assert len(text) < 20_000_000
    assert text.count("data:image/webp") == MAX_SHOWN + N_LEAST_CERTAIN + N_SAMPLE
    assert f"{MAX_SHOWN} of 1,000 are shown" in text
    assert text.count("anat/<wbr>t1w.nii.gz") >= 10_000


def test_the_command_writes_it_beside_the_same_table_and_takes_rows_of_an_earlier_run(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    for seed in range(4):
        Image.fromarray(grey_values(40, 48, seed=seed)).save(tmp_path / f"{seed}.png")
    plain, both = tmp_path / "plain.csv", tmp_path / "both.csv"
    words: list[str | Path] = [
        "classify",
        *(tmp_path / f"{seed}.png" for seed in range(4)),
        "--model",
        tiny_bundle,
    ]
    assert run_command(*words, "--output", plain).returncode == 0
    done = run_command(*words, "--output", both, "--report", tmp_path / "p.html")
    assert done.returncode == 0, done.stderr
    assert both.read_bytes() == plain.read_bytes()
    assert "4 inputs: 4 answered" in (tmp_path / "p.html").read_text()
    resumed = run_command(*words, "--output", both, "--report", tmp_path / "p.html", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert "4 inputs: 4 answered" in (tmp_path / "p.html").read_text()
    assert "taken over from an earlier run, without a picture" in (tmp_path / "p.html").read_text()


def test_a_page_of_another_name_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    done = run_command("classify", tmp_path, "--report", tmp_path / "page.pdf")
    assert done.returncode == 2
    assert "give it a name that ends in .html" in done.stderr
