import json
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gadoscope import wording
from gadoscope.decision.calibration import Calibration
from gadoscope.decision.decision import Decision, LevelDecision
from gadoscope.decision.operating_point import Promise
from gadoscope.evaluation.caveats import Context
from gadoscope.evaluation.examples import choose_examples
from gadoscope.evaluation.page import Case, draw_figures, look_up, render_html
from gadoscope.evaluation.report import Evaluated, build_report
from gadoscope.evaluation.summary import Summary, summarise
from gadoscope.evaluation.wrong import describe_wrong, list_wrong
from gadoscope.inference.bundle import Bundle
from gadoscope.labels import Split
from gadoscope.records import to_plain
from gadoscope.statistics.table import Predictions
from gadoscope.wording import short_name
from tests.support.bundles import TINY_METADATA
from tests.support.tables import DECISION, decided, make_predictions

PIXEL = "data:image/png;base64,iVBORw0KGgo="
VOID = {"meta", "img", "br", "link", "hr", "input"}
BY_KIND = (
    wording.percent,
    wording.area,
    wording.probability,
    wording.points,
    wording.signed_points,
    wording.signed_area,
    wording.p_value,
)


class Page(HTMLParser):
    """What a page holds: its numbers, figures, pictures, links, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.numbers: list[tuple[str, str, str]] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.identifiers: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name in ("src", "href", "xlink:href", "action", "data", "srcset"):
            if found.get(name):
                self.addresses.append(str(found[name]))
        if found.get("id"):
            self.identifiers.append(str(found["id"]))
        if tag == "data":
            self.numbers.append((str(found["data-json"]), str(found["value"]), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data
        if self.open and self.open[-1] == "data":
            path, value, text = self.numbers[-1]
            self.numbers[-1] = (path, value, text + data)


def table(n: int = 40) -> Predictions:
    generator = np.random.default_rng(2)
    is_post = np.arange(n) % 2 == 1
    probability = np.clip(generator.normal(0.35 + 0.3 * is_post, 0.2), 0.001, 0.999)
    return make_predictions(
        is_post, probability, split=["test" if row % 3 else "validation" for row in range(n)]
    )


def bundle(decision: Decision = DECISION) -> Bundle:
    metadata = replace(TINY_METADATA, network="siim", n_parameters=109_073, decision=decision)
    return Bundle(path=Path("tiny.onnx"), sha256="c" * 64, metadata=metadata)


def evaluated(decision: Decision = DECISION, **changes: Any) -> Evaluated:
    split = {"split": "test", "n_images": 1, "n_subjects": None, "n_pre": 1, "n_post": 0, "used_for": ""}
    data = {"origin": "somewhere", "splits": [split], "unread": [], "notices": []}
    training = {
        "layers": [{"name": "conv1", "output_shape": [329, 329, 16], "parameters": 448}],
        "settings": [["seed", "1020"]],
        "machine": [["Python", "3.11"]],
        "history": [{"epoch": 1, "train_loss": 0.5, "train_accuracy": 0.7}],
        "kept_epoch": None,
    }
    return Evaluated(bundle=bundle(decision), data={**data, **changes}, training=training)


def build_unjudged(
    about: Evaluated, predictions: Predictions, splits: dict[Split, Summary], split: str, n_cases: int
) -> dict[str, Any]:
    """Return the report of scores of which nothing else is known."""
    wrong = list_wrong(predictions, about.bundle.metadata.decision.of_slice.point.threshold)
    return build_report(about, splits, Context(split=split), describe_wrong(predictions, wrong, n_cases))


def render(
    predictions: Predictions,
    *,
    about: Evaluated | None = None,
    split: str = "test",
    figures: dict[str, str] | None = None,
) -> tuple[dict[str, Any], Page, str]:
    """Return report and page; ``figures`` instead of its own, whose drawing takes nine tenths of the time."""
    about = about or evaluated()
    splits = summarise(predictions, about.bundle.metadata.decision)
    report = build_unjudged(about, predictions, splits, split, 4)
    cases = [Case(PIXEL, PIXEL)] * report["wrong"]["n_shown"]
    if figures is None:
        figures = draw_figures(report, splits, about.bundle.metadata.decision)
    page = render_html(report, figures, cases, about.bundle.metadata.decision)
    return report, Page(page), page


def of_split(split: str) -> Predictions:
    predictions = table()
    return predictions.select(predictions.split == split)


def one_class() -> Predictions:
    """Return scores of post-contrast images alone, five of them right: few figures are drawn."""
    return make_predictions([1] * 10, [0.9] * 5 + [0.2] * 5)


@cache
def render_class_once() -> tuple[dict[str, Any], Page, str]:
    return render(one_class(), about=untrained())


def untrained() -> Evaluated:
    """Return what is known of a bundle alone: no learning curves."""
    return replace(evaluated(), training=None)


@cache
def render_once() -> tuple[dict[str, Any], Page, str]:
    return render(table())


def test_every_number_of_the_page_is_that_of_the_json() -> None:
    report, page, _ = render_once()

    assert len(page.numbers) > 100
    for path, value, text in page.numbers:
        expected = look_up(report, path)
        assert json.loads(value) == expected, path
        if isinstance(expected, float):
            assert text in {write(expected) for write in BY_KIND}, path
        elif expected is not None:
            assert text == f"{expected:,}", path


def test_every_figure_of_the_lesson_is_there() -> None:
    _, page, text = render_once()

    for name in ("roc", "precision-recall", "histogram", "sweep"):
        for split in ("test", "validation"):
            assert f'id="{name}-{split}-title"' in text
    for name in ("roc-both", "learning-loss", "learning-accuracy"):
        assert f'id="{name}-title"' in text
    assert text.count('class="plot"') == 13
    assert "tuned on these very test images" in page.words
    assert "109,073" in page.words
    assert "329 × 329 × 16" in page.words  # noqa: RUF001  # the sign of multiplication, on purpose
    assert "Not a medical device" in page.words


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    _, page, text = render_once()

    assert page.addresses
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in page.addresses)
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert "@import" not in text
    outside = text.replace('"http://www.w3.org/', "")  # the names of SVG's namespaces, which nobody fetches
    assert "http:" not in outside
    assert "https:" not in outside


NO_BAND = "has no abstention band"


def with_bands(slice_band: tuple[float, float], series_band: tuple[float, float]) -> str:
    """Return the words of a report by series, for a bundle with these bands."""
    decision = Decision(of_slice=decided(band=slice_band), of_series=decided(band=series_band))
    pairs = replace(table(), subject_id=np.array([f"s{row // 6}" for row in range(40)]))
    return " ".join(render(pairs, about=evaluated(decision), figures={})[1].words.split())


def test_no_abstention_band_is_said_only_where_no_level_has_one() -> None:
    none, band = (0.5, 0.5), (0.3, 0.7)
    assert NO_BAND in with_bands(none, none)
    of_slices = with_bands(band, none)
    assert NO_BAND not in of_slices
    assert "of slices alone it does not: between 0.3000 and 0.7000" in of_slices
    of_series = with_bands(none, band)
    assert NO_BAND not in of_series


def test_the_top_states_the_figure_at_the_threshold_and_what_classify_leaves_unanswered() -> None:
    words = with_bands((0.3, 0.7), (0.5, 0.5))
    top = words[: words.index("What this figure is worth")]
    assert "These figures answer every slice." in top
    assert (
        "abstains where the probability is in the bundle's abstention band, from 0.3000 up to 0.7000" in top
    )
    assert "Of those that it answers," in top
    assert "abstains" not in with_bands((0.5, 0.5), (0.5, 0.5))


def test_what_makes_a_figure_worthless_stands_at_the_top_of_page_and_data() -> None:
    strong = {"name": "image size", "nature": "circumstance", "verdict": "strong"}
    shortcuts = {
        "n_images": 40,
        "n_measured": 40,
        "paired_sources": [],
        "predictors": [{**strong, "auc": {"value": 1.0, "lower": 0.9, "upper": 1.0}}],
    }
    seen = {"n_images": 27, "n_identical": 27, "n_alike": 0, "n_known": 9, "n_trained": 9, "sources": []}
    about = replace(evaluated(), shortcuts=shortcuts, seen=seen)
    report, page, text = render(table(), about=about, figures={})
    titles = ["The model was made from these images", "Image size alone gives the label away"]
    assert [one["title"] for one in report["warnings"]] == titles
    assert report["worth"][:2] == report["warnings"]
    top = text[: text.index('class="cards"')]
    assert [title in top for title in titles] == [True, True]
    assert page.open == []


def test_every_element_is_closed_and_no_identifier_stands_twice() -> None:
    _, page, _ = render_once()

    assert page.open == []
    assert len(page.identifiers) == len(set(page.identifiers))


def test_every_link_of_the_page_leads_somewhere() -> None:
    _, page, _ = render_once()
    inside = {address[1:] for address in page.addresses if address.startswith("#")}

    assert inside <= set(page.identifiers)


def test_hostile_names_are_shown_and_never_run() -> None:
    predictions = one_class()
    hostile = '<script>alert(1)</script>"onload="x&.png'
    paths = np.array([f"/data/{row}{hostile}" for row in range(len(predictions))])
    sources = np.array(["</title><img src=x onerror=alert(2)>"] * len(predictions))
    object.__setattr__(predictions, "path", paths)
    object.__setattr__(predictions, "source", sources)
    unread = [{"name": hostile, "reason": "truncated", "sentence": "<b>bold</b>"}]
    about = evaluated(unread=unread, notices=["<i>note</i>"], origin=hostile)
    _, page, _ = render(predictions, about=about)

    assert page.tags.count("svg") == 4 + 4  # figures, of which one names the sources, and a bar on each card
    assert "script" not in page.tags
    assert page.tags.count("img") == 8  # four cases, two pictures each
    assert all(address.startswith(("data:image/png", "#")) for address in page.addresses)
    assert hostile in page.words
    assert "<b>bold</b>" in page.words
    assert "</title><img src=x onerror=alert(2)>" in page.words


def test_two_renderings_are_the_same_bytes() -> None:
    again = render(one_class(), about=untrained())[2]
    assert again == render_class_once()[2]
    assert again.count('class="plot"') == 2


@pytest.mark.slow
def test_two_renderings_of_all_figures_are_the_same_bytes() -> None:
    """In small: `test_two_renderings_are_the_same_bytes`."""
    assert render(table())[2] == render_once()[2]


@pytest.mark.parametrize("missing", ["test", "validation"])
def test_a_missing_split_is_said_plainly(missing: str) -> None:
    other = "validation" if missing == "test" else "test"
    names = [f"{name}-{other}" for name in ("roc", "precision-recall", "histogram", "sweep")]
    names += ["learning-loss", "learning-accuracy", "reliability", "risk-coverage"]
    _, page, text = render(of_split(other), split=other, figures=dict.fromkeys(names, "<svg></svg>"))

    assert f"There are no {missing} images" in page.words
    assert text.count('class="plot"') == 8


def count_figures(text: str) -> tuple[int, int, int]:
    """Return how many figures are of the test, of the validation, and of both or none."""
    kinds = [text.count(f'-{split}-title">') for split in ("test", "validation")]
    return kinds[0], kinds[1], text.count('class="plot"') - sum(kinds)


@pytest.mark.slow
def test_no_figure_of_missing_test_images_is_drawn() -> None:
    """In small, of missing validation images: `test_a_perfect_network_gets_a_page_too`."""
    assert count_figures(render(of_split("validation"), split="validation")[2]) == (0, 4, 4)


def test_one_class_alone_gives_dashes_and_a_sentence_in_place_of_curves() -> None:
    report, page, _ = render_class_once()

    assert report["splits"]["test"]["auc"]["value"] is None
    assert ("splits.test.auc.value", "null", "\N{EN DASH}") in page.numbers
    assert "ROC, precision-recall, AUC and the threshold sweep are not defined" in page.words


def test_a_perfect_network_gets_a_page_too() -> None:
    report, page, text = render(make_predictions([0, 1] * 10, [0.1, 0.9] * 10), about=untrained())

    assert "no evaluated image was answered wrongly" in page.words
    assert report["splits"]["test"]["auc"]["lower"] < 1
    assert count_figures(text) == (4, 0, 2)


def test_more_wrong_answers_than_shown_are_counted() -> None:
    predictions = make_predictions([0, 1] * 10, [0.9, 0.1] * 10)
    report, page, _ = render(predictions, figures={})

    assert (report["wrong"]["n"], report["wrong"]["n_shown"]) == (20, 4)
    assert "16 more stand in predictions.csv" in page.words
    assert page.tags.count("img") == 8


def test_wrong_answers_on_test_images_come_before_those_on_validation() -> None:
    predictions = make_predictions([0, 0, 1], [0.99, 0.6, 0.4], split=["validation", "test", "test"])

    assert [predictions.split[row] for row in list_wrong(predictions, 0.5)] == ["test", "test", "validation"]


def test_a_bundle_alone_has_no_section_on_its_training() -> None:
    _, page, _ = render(table(), about=untrained(), figures={})

    assert "How it was trained" not in page.words


def test_the_band_of_indeterminate_answers_is_told() -> None:
    about = replace(evaluated(Decision(of_slice=decided(band=(0.3, 0.7)))), training=None)
    _, page, text = render(one_class(), about=about)

    assert "the bundle answers indeterminate" in " ".join(page.words.split())
    assert ">With the band<" in text  # its place on the risk-coverage curve


def test_a_name_keeps_its_last_folder_only() -> None:
    assert short_name("/home/someone/data/with_gad/1.png") == "with_gad/1.png"
    assert short_name("C:\\data\\1.png") == "data/1.png"


def test_calibration_before_and_after_and_the_promise_and_its_limits_are_shown() -> None:
    promise = Promise(
        max_risk=0.05,
        confidence=0.95,
        is_promised=True,
        coverage=0.9,
        sentence="At most 5 % silent errors.",
    )
    calibration = Calibration(method="temperature", parameters={"temperature": 2.0})
    point = replace(decided(band=(0.4, 0.6)).point, promise=promise)
    decision = Decision(of_slice=LevelDecision(point=point, calibration=calibration))
    scored = replace(table(), probability=calibration.apply(table().logit))
    report, page, _ = render(scored, about=evaluated(decision), figures={})

    trust = report["splits"]["test"]["trust"]
    assert report["promise"] == to_plain(promise)
    assert trust["calibration"]["before"]["brier"] != trust["calibration"]["after"]["brier"]
    words = " ".join(page.words.split())
    for said in (
        "Before",
        "At most 5 % silent errors.",
        "No such figure or promise survives a change of scanner, hospital or patients",
        "the bundle answers indeterminate",
    ):
        assert said in words


def test_settings_that_differ_from_the_default_are_shown_and_the_rest_is_folded() -> None:
    about = evaluated()
    settings = [["epochs", "3"], ["seed", "1020"], ["image.size", "331"]]
    about = replace(about, training={**(about.training or {}), "settings": settings})
    predictions = table()
    splits = summarise(predictions, DECISION)
    report = build_unjudged(about, predictions, splits, "test", 0)
    page = render_html(
        report, {}, [], DECISION, defaults={"epochs": 15, "seed": 1020, "image": {"size": 331}}
    )
    shown, folded = page[page.index("Those that differ") :].split("<details>")[:2]
    assert "epochs" in shown
    assert "2 settings at the default" in folded
    assert "image.size" in folded
    assert "epochs" not in folded
    unknown = render_html(report, {}, [], DECISION)
    assert "3 settings</summary>" in unknown
    assert "Those that differ" not in unknown


def test_each_card_has_the_threshold_and_unsure_and_right_answers_stand_beside_the_wrong_ones() -> None:
    predictions = of_split("test")
    splits = summarise(predictions, DECISION)
    report = build_unjudged(evaluated(), predictions, splits, "test", 2)
    examples = choose_examples(predictions, 0.5, 4)
    cases = [Case(f"{PIXEL}{number}", PIXEL) for number in range(2 + len(examples.names))]
    page = render_html(report, {}, cases, DECISION, examples=examples)
    cards = page.split('<article class="tile case">')[1:]
    assert len(cards) == 10
    assert all("Threshold <data" in card and "<svg" in card for card in cards)
    for number, card in enumerate(cards):
        assert f'src="{PIXEL}{number}"' in card
    for name, card in zip(examples.names, cards[2:], strict=True):
        assert short_name(name) in card
    assert "Unsure answers" in page
    assert "Right answers" in page


def test_unsure_answers_are_right_and_nearest_to_the_threshold_and_right_ones_are_of_both_labels() -> None:
    predictions = table()
    examples = choose_examples(predictions, 0.5, 4)
    right = (predictions.probability >= 0.5) == predictions.is_post
    distance = np.abs(predictions.probability - 0.5)
    assert set(examples.unsure) == set(np.flatnonzero(right)[np.argsort(distance[right])][:4].tolist())
    assert all(right[row] for row in examples.right)
    assert [bool(predictions.is_post[row]) for row in examples.right] == [False, False, True, True]
    assert not set(examples.right) & set(examples.unsure)
    elsewhere = replace(predictions, path=np.array([f"/other/{path}" for path in predictions.path]))
    assert choose_examples(elsewhere, 0.5, 4).right == examples.right
