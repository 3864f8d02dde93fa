"""The pages of the room, asked as a browser asks them: what they hold, what they hide, and what they keep."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from gadoscope.results.store.room import Room
from gadoscope.web.assets import STATIC
from gadoscope.web.opened import MOVED
from tests.support.accessible import find_faults
from tests.support.review_rooms import Served, make_room, serve_here

PAGES = ("/", "/queue", "/series/1", "/compare", "/agreement", "/data-sets", "/series/1/volume")
MAX_BYTES = 150_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return make_room(tmp_path_factory.mktemp("room"))


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[httpx.Client]:
    with serve_here(served) as client:
        yield client


def places(client: httpx.Client) -> list[int]:
    return [int(number) for number in re.findall(r'<th><a href="/series/(\d+)', client.get("/queue").text)]


def decide(client: httpx.Client, place: int, verdict: str, token: str, **more: Any) -> Any:
    return client.post(f"/series/{place}/decisions", json={"verdict": verdict, "token": token, **more})


@pytest.mark.parametrize("page", PAGES)
def test_no_page_has_a_script_or_a_style_that_a_strict_policy_forbids(
    client: httpx.Client, page: str
) -> None:
    answer = client.get(page)
    assert answer.status_code == 200
    assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]
    assert _find_inline(answer.text) == []


def test_what_is_inline_is_found() -> None:
    page = "<p style='a'>b<script>c</script><style>d</style><a onclick='e' href='javascript:f'>g</a>"
    assert _find_inline(page) == ["p style", "script", "style", "a onclick", "a href"]


@pytest.mark.parametrize("page", PAGES)
def test_a_screen_reader_and_a_keyboard_find_their_way_through_every_page(
    client: httpx.Client, page: str
) -> None:
    assert find_faults(client.get(page).text) == []


def test_a_page_with_all_that_it_loads_is_light(client: httpx.Client) -> None:
    """HTML, CSS and JavaScript without NiiVue: one page's, uncompressed."""
    page = client.get("/series/1").text
    loaded = re.findall(r'(?:src|href)="(/(?:static/[^"]+\.js|look\.css)\?v=[0-9a-f]+)"', page)
    assert len(loaded) == 5
    total = len(page.encode()) + sum(len(client.get(address).content) for address in loaded)
    assert 50_000 < total < MAX_BYTES


def test_the_queue_begins_with_what_got_no_answer_and_ends_with_the_sure(client: httpx.Client) -> None:
    looks = re.findall(r'class="look look-(\w+)"', client.get("/queue").text)
    assert looks == sorted(looks, key=["conflict", "undecided", "uncertain", "audit"].index)
    assert {"undecided", "audit"} <= set(looks)


def test_pages_of_the_queue_follow_each_other_and_lose_nothing(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = places(client)
    monkeypatch.setattr("gadoscope.web.room.queue.PAGE_SERIES", 3)
    seen: list[int] = []
    address = "/queue?plane="
    while address:
        text = client.get(address).text
        seen += [int(number) for number in re.findall(r'<th><a href="/series/(\d+)', text)]
        more = re.search(r'class="button" href="(/queue[^"]*after=[^"]+)" hx-get', text)
        address = more[1].replace("&amp;", "&") if more else ""
    assert seen == everything


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("look=oops", "expected one of conflict"),
        ("probability_at_least=2", "a number from 0 to 1"),
        ("probability_at_least=nan", "a number from 0 to 1"),
        ("after=oops", "no cursor"),
        ("model=oops", "no model"),
    ],
)
def test_a_filter_that_is_none_is_named(client: httpx.Client, asked: str, said: str) -> None:
    answer = client.get(f"/queue?{asked}")
    assert answer.status_code == 400
    assert said in answer.text
    assert client.get(f"/series/1?{asked}").status_code == 200


def test_a_filter_goes_with_the_reader_from_page_to_page(client: httpx.Client) -> None:
    listed = places(client)
    page = client.get("/queue?look=undecided").text
    narrowed = [int(number) for number in re.findall(r'<th><a href="/series/(\d+)', page)]
    assert 0 < len(narrowed) < len(listed)
    first = client.get(f"/series/{narrowed[0]}?look=undecided").text
    assert f'data-next="{narrowed[1] if len(narrowed) > 1 else ""}"' in first
    assert f"1 of {len(narrowed)} in" in first


def test_a_decision_is_in_the_store_when_it_is_answered_and_counts_once(
    client: httpx.Client, served: Served
) -> None:
    place = places(client)[0]
    first = decide(client, place, "post", "once")
    again = decide(client, place, "post", "once")
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    with Room(str(served.store)) as room:
        assert [one.token for one in room.history(place)].count("once") == 1
    page = client.get(f"/series/{place}").text
    assert 'value="post" class="v-post" aria-pressed="true"' in page


def test_a_decision_is_taken_back_and_both_stay_in_the_history(client: httpx.Client, served: Served) -> None:
    place = places(client)[1]
    decide(client, place, "pre", "given")
    undone = client.post(f"/series/{place}/withdrawals", json={"token": "back", "of": "given"})
    assert undone.status_code == 200
    with Room(str(served.store)) as room:
        history = room.history(place)
    assert [(one.token, one.withdraws) for one in history] == [("given", None), ("back", "given")]
    assert (
        'aria-pressed="true"'
        not in client.get(f"/series/{place}").text.split('class="verdicts"')[1].split("</div>")[0]
    )


def test_a_form_without_any_script_decides_and_undoes(client: httpx.Client) -> None:
    place = places(client)[2]
    page = client.get(f"/series/{place}?plane=").text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    answer = client.post(f"/series/{place}/decisions", data={**hidden, "verdict": "mixed", "note": "seen"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/series/{place}")
    page = client.get(f"/series/{place}").text
    assert "seen" in page
    undo = page.split('class="undo"')[1].split("</form>")[0]
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', undo))
    assert client.post(f"/series/{place}/withdrawals", data=hidden).status_code == 303
    assert 'class="undo"' not in client.get(f"/series/{place}").text


@pytest.mark.parametrize(
    ("said", "status", "why"),
    [
        ({"reader": "somebody else"}, 409, "another name"),
        ({"digest": "0123456789abcdef"}, 409, "another store"),
        ({"verdict": "maybe"}, 422, "verdict"),
        ({"token": ""}, 409, "token"),
        ({"note": "x" * 2001}, 422, "note"),
        ({"model": "oops"}, 409, "no model"),
    ],
)
def test_a_decision_that_does_not_fit_is_refused_and_not_kept(
    client: httpx.Client, served: Served, said: dict[str, str], status: int, why: str
) -> None:
    place = places(client)[3]
    answer = client.post(f"/series/{place}/decisions", json={"verdict": "pre", "token": "never", **said})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert why in answer.json()["detail"]
    with Room(str(served.store)) as room:
        assert room.history(place) == ()


def test_a_decision_about_no_series_is_refused(client: httpx.Client) -> None:
    assert decide(client, 10_000, "pre", "nowhere").status_code == 404
    assert client.get("/series/10000").status_code == 404


def test_a_page_of_another_address_decides_nothing(client: httpx.Client, served: Served) -> None:
    place = places(client)[3]
    answer = client.post(
        f"/series/{place}/decisions",
        json={"verdict": "pre", "token": "forged"},
        headers={"Origin": "http://evil.example"},
    )
    assert answer.status_code == 403
    with Room(str(served.store)) as room:
        assert room.history(place) == ()


def test_two_readers_keep_a_decision_each(
    client: httpx.Client, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = places(client)[4]
    for reader, verdict in (("ada", "pre"), ("bea", "post")):
        monkeypatch.setattr("gadoscope.web.security.identity.name_machine_user", lambda name=reader: name)
        assert (
            decide(client, place, verdict, f"of {reader}".replace(" ", "-"), reader=reader).status_code == 200
        )
    with Room(str(served.store)) as room:
        assert {(one.reader, one.verdict.value) for one in room.history(place)} == {
            ("ada", "pre"),
            ("bea", "post"),
        }
    agreement = client.get("/agreement?one=ada&other=bea").text
    assert "0 of 1 series that both decided" in agreement
    disputed = client.get("/queue?reviewed=dispute").text
    assert re.findall(r'<th><a href="/series/(\d+)', disputed) == [str(place)]


def test_wrong_answers_and_suspects_open_in_the_room(served: Served, tmp_path: Path) -> None:
    image = next(served.scans.glob("*.png"))
    columns = "path,subject_id,source,plane,split,reference_label,logit,probability"
    rows = [
        f"{image},,,axial,test,pre,1,0.9",
        f"{image}x,,,axial,test,post,1,0.2",
        "b.png,,,axial,test,post,1,0.9",
    ]
    (tmp_path / "predictions.csv").write_text("\n".join([columns, *rows]), encoding="utf-8")
    (tmp_path / "report.json").write_text(
        '{"model": {"operating_point": {"threshold": 0.5}}}', encoding="utf-8"
    )
    suspects = {"images": [{"path": str(image), "label": "post", "probability": 0.1}]}
    (tmp_path / "suspects.json").write_text(json.dumps(suspects), encoding="utf-8")
    with serve_here(served, cases=(tmp_path,)) as client:
        page = client.get("/data-sets").text
        assert "2 answered wrongly" in page
        assert "1 suspected labels" in page
        assert str(image) not in page
        assert re.fullmatch(r"/series/\d+", client.get("/data-sets/0/0").headers["location"])
        assert client.get("/data-sets/1/0").status_code == 303
        assert "not in the store" in client.get("/data-sets/0/1").text
        assert client.get("/data-sets/0/9").status_code == 404
    with serve_here(served, cases=(tmp_path / "none",)) as client:
        assert "holds neither" in client.get("/data-sets").text


def test_a_slice_is_the_picture_of_the_file(client: httpx.Client, served: Served, tmp_path: Path) -> None:
    page = _find_image_page(client)
    (tmp_path / "a.png").write_bytes(client.get(f"{page}/slice").content)
    shown = np.asarray(Image.open(tmp_path / "a.png"))
    files = [np.asarray(Image.open(path)) for path in sorted(served.scans.glob("*.png"))]
    assert any(np.array_equal(shown, one) for one in files)


def _find_image_page(client: httpx.Client) -> str:
    number = next(
        n for n in places(client) if list(client.get(f"/series/{n}/stacks").json()["stacks"]) == ["unknown"]
    )
    return f"/series/{number}"


def _find_volume_page(client: httpx.Client) -> str:
    number = next(n for n in places(client) if client.get(f"/series/{n}/stacks").json()["is_volume"])
    return f"/series/{number}"


def test_a_study_shows_its_other_series_and_every_plane(client: httpx.Client) -> None:
    page = _find_volume_page(client)
    assert 'class="siblings"' in client.get(page).text
    said = client.get(f"{page}/stacks").json()
    assert set(said["stacks"]) == {"axial", "sagittal", "coronal"}
    assert said["stacks"]["axial"]["read"]
    for plane, stack in said["stacks"].items():
        answer = client.get(f"{page}/slice?plane={plane}&index={stack['n'] - 1}")
        assert answer.headers["content-type"] == "image/png"
        assert "max-age" in answer.headers["cache-control"]


def test_evidence_is_a_picture_in_the_colours_of_the_answers(client: httpx.Client) -> None:
    answer = client.get(f"{_find_volume_page(client)}/evidence")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")


@pytest.mark.parametrize("asked", ["index=9999", "plane=coronal&index=9999", "low=3&high=1", "plane=unknown"])
def test_where_there_is_no_such_slice_the_picture_says_so(client: httpx.Client, asked: str) -> None:
    answer = client.get(f"{_find_volume_page(client)}/slice?{asked}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "image/svg+xml")


def test_the_row_stays_where_the_files_have_moved_and_the_picture_says_so(tmp_path: Path) -> None:
    served = make_room(tmp_path, n_images=1, with_study=False)
    (served.scans / "image-000.png").rename(tmp_path / "elsewhere.png")
    with serve_here(served) as client:
        assert client.get("/series/1").status_code == 200
        picture = client.get("/series/1/slice")
        assert (picture.status_code, picture.headers["content-type"]) == (404, "image/svg+xml")
        shown = " ".join(re.findall(r"<tspan[^>]*>([^<]*)", picture.text))
        assert MOVED in shown
        assert MOVED in client.get("/series/1/stacks").json()["error"]
        assert decide(client, 1, "pre", "still").status_code == 200


def test_no_path_is_on_any_page_unless_the_server_was_told_to_show_it(
    client: httpx.Client, served: Served
) -> None:
    everything = "".join(client.get(page).text for page in (*PAGES, "/series/1/stacks"))
    assert served.scans.name not in everything.replace("scanner", "")
    assert "image-000" not in everything
    with serve_here(served, show_identity=True) as open_one:
        assert "image-000" in open_one.get("/series/1").text


def test_blind_is_drawn_by_the_server_so_that_nothing_flashes(client: httpx.Client) -> None:
    place = places(client)[5]
    page = client.get(f"/series/{place}", headers={"Cookie": "gadoscope-blind=1"}).text
    assert re.search(r'<body data-reader="[^"]*" class="blind">', page)
    css = client.get(re.search(r"/look\.css\?v=\w+", page)[0]).text  # type: ignore[index]
    assert ".blind:not(.decided) .told { display:none; }" in css


def test_what_is_vendored_brings_its_licence_and_loads_nothing_from_elsewhere() -> None:
    vendored = sorted(path.name for path in (STATIC / "vendor").iterdir())
    assert vendored == ["htmx-4.0.1.min.js", "htmx-LICENSE", "niivue-0.69.0.umd.js", "niivue-LICENSE"]
    for script in STATIC.glob("*.js"):
        assert not re.search(r"https?://", script.read_text(encoding="utf-8"))


class _Inline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if (tag == "script" and "src" not in said) or tag == "style":
            self.found.append(tag)
        self.found += [f"{tag} {name}" for name in said if name == "style" or name.startswith("on")]
        if (said.get("href") or "").startswith("javascript:"):
            self.found.append(f"{tag} href")


def _find_inline(page: str) -> list[str]:
    parser = _Inline()
    parser.feed(page)
    return parser.found
