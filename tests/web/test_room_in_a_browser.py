"""The room in a real browser: keys, lost connections, a killed server, a telephone, the dark, a keyboard.

Slow; its quick twins ask the same pages without a browser, in `test_room`.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gadoscope.results.store.room import Room
from tests.support.axe import AXE, GRAVE
from tests.support.review_rooms import Served, Server, make_room, serve_room
from tests.support.room_browser import DESK, TELEPHONE, open_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.slow  # a browser and a server, each of its own process
WAIT_MS = 15_000
KEYS = "12u01"
VERDICTS = {"1": "pre", "2": "post", "3": "mixed", "0": "not_t1", "u": "unsure"}
SITTING = 100


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve_room(make_room(tmp_path_factory.mktemp("shared"), n_images=20)) as server:
        yield server


def find_undecided(server: Server) -> str:
    """Return the page of a series that nobody has decided, the first ones of the queue first."""
    return f"/series/{next(place for place, said in decisions(server.served).items() if not said)}"


def open_page(browser: "Browser", server: Server, path: str = "/queue", **options: Any) -> "Page":
    """Open a page in a window of its own, whose faults end the test."""
    size = options.pop("size", DESK)
    context: BrowserContext = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, base_url=server.address, **options
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda one: faults.append(one.text) if "Content Security" in one.text else None)
    page.on("request", lambda one: faults.append(one.url) if not _is_ours(one.url, server) else None)
    page.faults = faults  # type: ignore[attr-defined]
    page.goto(path)
    page.wait_for_selector("html[data-ready]")
    return page


def _is_ours(url: str, server: Server) -> bool:
    return url.startswith((server.address, "data:", "blob:"))


def begin(page: "Page") -> None:
    """Go to the first series of the queue, by its key."""
    page.keyboard.press("n")
    page.wait_for_selector("#series")


def place_of(page: "Page") -> int:
    return int(page.get_attribute("#series", "data-place") or 0)


def press_and_go_on(page: "Page", key: str) -> None:
    """Press a key that decides, and wait for the next series."""
    before = place_of(page)
    page.keyboard.press(key)
    page.wait_for_function(
        "before => document.querySelector('#series').dataset.place !== before", arg=str(before)
    )


def wait_until_saved(page: "Page") -> None:
    page.wait_for_selector("#outbox[data-state=empty]")


def decisions(served: Served) -> dict[int, list[str]]:
    """Return what holds in the store, by place: one verdict for each reader."""
    with Room(str(served.store)) as room:
        places = [item.place for item in room.queue(None, None, 500).items]
        return {
            place: [
                one.verdict.value
                for one in room.history(place)
                if one.withdraws is None and not one.is_withdrawn
            ]
            for place in places
        }


def test_a_sitting_of_a_hundred_series_by_keys_alone(browser: "Browser", tmp_path: Path) -> None:
    served = make_room(tmp_path, n_images=SITTING, with_study=False)
    expected: dict[int, list[str]] = {}
    with serve_room(served) as server:
        page = open_page(browser, server)
        begin(page)
        for number in range(SITTING):
            key = KEYS[number % len(KEYS)]
            expected[place_of(page)] = [VERDICTS[key]]
            if number < SITTING - 1:
                press_and_go_on(page, key)
            else:
                page.keyboard.press(key)
        wait_until_saved(page)
        assert page.faults == []  # type: ignore[attr-defined]
    assert len(expected) == SITTING
    assert decisions(served) == expected


def test_undo_goes_back_to_the_series_and_takes_the_decision_back(browser: "Browser", server: Server) -> None:
    page = open_page(browser, server, find_undecided(server))
    first = place_of(page)
    press_and_go_on(page, "1")
    page.keyboard.press("z")
    page.wait_for_function(
        "first => document.querySelector('#series').dataset.place === first", arg=str(first)
    )
    page.wait_for_selector("#decision:has-text('Undone')")
    assert page.inner_text(".history li:first-child").startswith("undone ada")
    assert decisions(server.served)[first] == []
    press_and_go_on(page, "2")
    wait_until_saved(page)
    assert decisions(server.served)[first] == ["post"]


def test_back_and_forward_show_what_was_there(browser: "Browser", server: Server) -> None:
    page = open_page(browser, server)
    begin(page)
    seen = [place_of(page)]
    for _ in range(2):
        press_and_go_on(page, "n")
        seen.append(place_of(page))
    page.go_back()
    page.wait_for_function("p => document.querySelector('#series').dataset.place === p", arg=str(seen[1]))
    assert page.url.endswith(f"/series/{seen[1]}")
    page.go_forward()
    page.wait_for_function("p => document.querySelector('#series').dataset.place === p", arg=str(seen[2]))
    page.keyboard.press("p")
    page.wait_for_function("p => document.querySelector('#series').dataset.place === p", arg=str(seen[1]))


def test_what_is_decided_without_a_connection_is_sent_when_it_is_back(
    browser: "Browser", server: Server
) -> None:
    page = open_page(browser, server, find_undecided(server))
    first = place_of(page)
    page.wait_for_function("() => document.querySelector('#slice').naturalWidth > 0")
    page.wait_for_timeout(500)  # the next page is fetched ahead
    page.context.set_offline(True)
    press_and_go_on(page, "2")
    page.wait_for_selector("#outbox[data-state=unsent]")
    assert decisions(server.served)[first] == []
    page.context.set_offline(False)
    wait_until_saved(page)
    assert decisions(server.served)[first] == ["post"]


def test_a_reload_in_mid_decision_loses_nothing(browser: "Browser", server: Server) -> None:
    page = open_page(browser, server, find_undecided(server))
    first = place_of(page)
    page.route("**/decisions", lambda route: route.abort())
    page.keyboard.press("u")
    page.wait_for_selector("#outbox[data-state=unsent]")
    page.unroute("**/decisions")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    wait_until_saved(page)
    assert decisions(server.served)[first] == ["unsure"]


def test_an_answer_that_is_lost_on_the_way_counts_once(browser: "Browser", server: Server) -> None:
    """The decision reaches the store, the confirmation does not reach the page: it is sent again."""
    page = open_page(browser, server, find_undecided(server))
    first = place_of(page)
    lost: list[int] = []

    def lose_first(route: Any) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/decisions", lose_first)
    press_and_go_on(page, "1")
    wait_until_saved(page)
    assert lost == [200]
    with Room(str(server.served.store)) as room:
        assert len(room.history(first)) == 1


def test_twenty_kills_of_the_server_lose_nothing_that_was_confirmed(
    browser: "Browser", tmp_path: Path
) -> None:
    served = make_room(tmp_path, n_images=24, with_study=False)
    expected: dict[int, list[str]] = {}
    with serve_room(served) as server:
        page = open_page(browser, server)
        begin(page)
        for kill in range(20):
            page.wait_for_function("() => document.querySelector('#slice').naturalWidth > 0")
            key = KEYS[kill % len(KEYS)]
            place = place_of(page)
            expected[place] = [VERDICTS[key]]
            page.keyboard.press(key)
            page.wait_for_timeout(kill * 7 % 60)  # somewhere between the key and the answer
            confirmed = page.get_attribute("#outbox", "data-state") == "empty"
            server.kill()
            if confirmed:
                assert decisions(served)[place] == [VERDICTS[key]]
            server.start()
            page.reload()
            page.wait_for_selector("html[data-ready]")
            wait_until_saved(page)
            if place_of(page) == place:
                press_and_go_on(page, "n")
        assert page.faults == []  # type: ignore[attr-defined]
    assert {place: said for place, said in decisions(served).items() if said} == expected


def test_two_readers_on_one_series_are_both_kept(browser: "Browser", tmp_path: Path) -> None:
    served = make_room(tmp_path, n_images=3, with_study=False)
    with serve_room(served, reader="ada") as ada, serve_room(served, reader="bea") as bea:
        pages = [open_page(browser, ada), open_page(browser, bea)]
        for page in pages:
            begin(page)
        place = place_of(pages[0])
        assert place == place_of(pages[1])
        for page, key in zip(pages, "12", strict=True):
            press_and_go_on(page, key)
        for page in pages:
            wait_until_saved(page)
    with Room(str(served.store)) as room:
        assert {(one.reader, one.verdict.value) for one in room.history(place)} == {
            ("ada", "pre"),
            ("bea", "post"),
        }


def test_blind_hides_the_answer_until_one_has_decided(browser: "Browser", server: Server) -> None:
    page = open_page(browser, server, find_undecided(server))
    place = place_of(page)
    assert page.is_visible(".answer-card")
    page.keyboard.press("b")
    assert not page.is_visible(".answer-card")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert not page.is_visible(".answer-card")
    page.keyboard.press("1")
    page.wait_for_selector(".answer-card", state="visible")
    page.wait_for_selector("#decision:has-text('Saved')")
    assert place_of(page) == place
    with Room(str(server.served.store)) as room:
        assert [one.is_blind for one in room.history(place)] == [True]
    page.keyboard.press("n")
    page.wait_for_function("p => document.querySelector('#series').dataset.place !== p", arg=str(place))
    assert not page.is_visible(".answer-card")


def open_volume(page: "Page") -> None:
    """Go on until a series of several planes is shown."""
    for _ in range(12):
        page.wait_for_selector(".planes button:visible, .tools button:not([disabled])")
        if page.locator(".planes button").count() == 3:
            return
        press_and_go_on(page, "n")
    raise AssertionError("no series of three planes in the queue")


def test_slices_are_scrolled_windowed_zoomed_and_seen_in_three_planes(
    browser: "Browser", server: Server
) -> None:
    page = open_page(browser, server)
    begin(page)
    open_volume(page)
    said = page.locator("#said-plane")
    assert re.fullmatch(r"axial \d+ / 24", said.inner_text())
    number = int(said.inner_text().split()[1])
    page.keyboard.press("ArrowDown")
    assert said.inner_text() == f"axial {number + 1} / 24"
    page.locator("#stage").hover()
    page.mouse.wheel(0, -100)
    page.wait_for_function(
        "n => document.querySelector('#said-plane').textContent.startsWith(`axial ${n} `)", arg=number
    )
    page.keyboard.press("c")
    assert said.inner_text().startswith("coronal")
    assert "computed" in said.inner_text()
    page.keyboard.press("s")
    assert said.inner_text().startswith("sagittal")
    window = page.inner_text("#said-window")
    box: Any = page.locator("#stage").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 320, box["y"] + 160, steps=4)
    page.mouse.up()
    assert page.inner_text("#said-window") != window
    page.wait_for_function("() => document.querySelector('#slice').src.includes('low=')")
    page.keyboard.press("+")
    assert page.inner_text("#said-zoom") == "125 %"
    page.keyboard.press("r")
    assert page.inner_text("#said-window") == window
    page.keyboard.press("a")
    page.keyboard.press("o")
    page.wait_for_function("() => document.querySelector('#slice').src.includes('/evidence')")
    page.wait_for_function("() => document.querySelector('#slice').naturalWidth > 0")
    assert page.is_visible("#legend")
    assert page.faults == []  # type: ignore[attr-defined]


def test_the_others_of_a_study_follow_to_the_same_place(browser: "Browser", server: Server) -> None:
    page = open_page(browser, server)
    begin(page)
    open_volume(page)
    page.wait_for_function("() => document.querySelector('.siblings img').src.includes('index=')")
    page.keyboard.press("ArrowDown")
    index = int(page.inner_text("#said-plane").split()[1]) - 1
    page.wait_for_function(
        "i => document.querySelector('.siblings img').src.includes(`index=${i}&`)", arg=index
    )
    assert page.faults == []  # type: ignore[attr-defined]


def test_a_volume_is_shown_by_niivue_under_the_strict_policy(browser: "Browser", server: Server) -> None:
    page = open_page(browser, server)
    begin(page)
    open_volume(page)
    page.click("#in-3d")
    page.wait_for_selector("canvas[data-loaded=yes]")
    assert page.faults == []  # type: ignore[attr-defined]


def test_a_keyboard_alone_reaches_filters_series_and_buttons(browser: "Browser", server: Server) -> None:
    page = open_page(browser, server)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog:not([open])", state="attached")
    page.focus("[name=look]")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => location.search.includes('look=')")
    page.focus("[name=reason]")
    page.keyboard.type("1z0")  # keys do nothing while one types
    assert page.input_value("[name=reason]") == "1z0"
    page.goto("/queue")
    page.focus("#begin")
    page.keyboard.press("Enter")
    page.wait_for_selector("#series")
    page.goto(find_undecided(server))
    page.wait_for_selector("html[data-ready]")
    place = place_of(page)
    page.focus(".verdicts [value=unsure]")
    page.keyboard.press("Enter")
    wait_until_saved(page)
    assert decisions(server.served)[place] == ["unsure"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_telephone_nothing_is_wider_than_it_and_a_thumb_decides(
    browser: "Browser", server: Server, scheme: str
) -> None:
    page = open_page(
        browser, server, "/", size=TELEPHONE, has_touch=True, is_mobile=True, color_scheme=scheme
    )
    for path in ("/", "/queue", "/compare", "/agreement", "/data-sets", find_undecided(server)):
        page.goto(path)
        page.wait_for_selector("html[data-ready]")
        wide, visible = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= visible == TELEPHONE[0], path
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(18, 22, 28)")
    place = place_of(page)
    page.tap(".verdicts [value=pre]")
    wait_until_saved(page)
    assert decisions(server.served)[place] == ["pre"]


@pytest.mark.skipif(not AXE.exists(), reason="no axe-core here; `make axe` brings it")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, TELEPHONE], ids=["desk", "telephone"])
def test_axe_finds_no_serious_fault_in_any_page(
    browser: "Browser", server: Server, scheme: str, size: tuple[int, int]
) -> None:
    page = open_page(browser, server, size=size, color_scheme=scheme, bypass_csp=True)
    begin(page)
    open_volume(page)
    volume = f"/series/{place_of(page)}"
    found: dict[str, Any] = {}
    for path in ("/", "/queue", "/compare", "/agreement", "/data-sets", volume, f"{volume}/volume"):
        page.goto(path)
        page.wait_for_selector("html[data-ready]")
        found[path] = _ask_axe(page)
    page.keyboard.press("?")
    found["help"] = _ask_axe(page)
    assert {path: faults for path, faults in found.items() if faults} == {}


def _ask_axe(page: "Page") -> list[Any]:
    page.add_script_tag(path=AXE)
    said = json.loads(page.evaluate("axe.run(document).then(found => JSON.stringify(found.violations))"))
    return [(one["id"], one["nodes"][0]["html"][:160]) for one in said if one["impact"] in GRAVE]
