"""The API: what it says of itself holds for every operation, and its lists are whole, page by page."""

from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from gadoscope.results.store.reader import StoreReader
from tests.web.conftest import Guarded
from tests.web.test_uploads import plain, refused_as, without_path

API = "/api/v1"


def pages(client: httpx.Client, path: str, **asked: Any) -> list[dict[str, Any]]:
    """Return all items of a list."""
    items, cursor = [], None
    while True:
        said = client.get(path, params={**asked, **({"cursor": cursor} if cursor else {})}).json()
        items += said["items"]
        cursor = said["next"]
        if cursor is None:
            return items


def test_answers_are_the_rows_of_the_store_whatever_the_pages(client: httpx.Client, folder: Path) -> None:
    items = pages(client, f"{API}/answers", limit=4)
    rows = [plain(row) for row in StoreReader(str(folder / "answers.db")).rows()]
    assert sorted(map(str, without_path([one["answer"] for one in items]))) == sorted(map(str, rows))
    assert all(one["answer"]["path"] is None for one in items)


def test_series_come_in_the_order_of_the_queue_whatever_the_pages(client: httpx.Client) -> None:
    whole = client.get(f"{API}/series").json()
    assert pages(client, f"{API}/series", limit=1) == whole["items"]
    assert whole["total"] == len(whole["items"]) > 1


def test_filters_narrow_a_list(client: httpx.Client) -> None:
    everything = pages(client, f"{API}/answers")
    for phase in ("PRE_CONTRAST", "POST_CONTRAST"):
        found = pages(client, f"{API}/answers", phase=phase)
        assert found == [one for one in everything if one["answer"]["phase"] == phase]


def test_an_answer_that_is_known_is_not_sent_again(client: httpx.Client) -> None:
    first = client.get(f"{API}/series")
    again = client.get(f"{API}/series", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_decision_stands_in_the_series_once_however_often_it_is_sent(client: httpx.Client) -> None:
    number = client.get(f"{API}/series").json()["items"][0]["id"]
    sent = {"series": number, "verdict": "post", "token": "a-token-of-its-own"}
    first, again = (client.post(f"{API}/reviews", json=sent) for _ in range(2))
    assert (first.status_code, first.json()) == (201, again.json())
    reviews = client.get(f"{API}/series/{number}").json()["reviews"]
    assert [one for one in reviews if one["token"] == sent["token"]] == [first.json()]
    back = client.post(f"{API}/reviews/{sent['token']}/withdrawal", json={"token": "another-token"})
    assert back.json()["withdraws"] == sent["token"]
    reviews = client.get(f"{API}/series/{number}").json()["reviews"]
    assert {one["token"]: one["is_withdrawn"] for one in reviews}[sent["token"]] is True


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/series/999999", (404, "no-such-series")),
        ("/series/x", (422, "invalid-request")),
        ("/series?limit=0", (422, "invalid-request")),
        ("/series?colour=red", (422, "invalid-request")),
        ("/series?model=nobody", (400, "refused")),
        ("/series?cursor=x", (400, "refused")),
        ("/answers?cursor=x", (400, "no-cursor")),
        ("/answers?cursor=WzEsMl0x", (400, "no-cursor")),
        ("/studies?cursor=WzEsMl0", (400, "no-cursor")),
        ("/studies/2.25.999", (404, "no-such-study")),
        ("/jobs/none", (404, "no-such-job")),
        ("/nothing", (404, "not-found")),
    ],
)
def test_what_cannot_be_given_is_a_problem(
    client: httpx.Client, path: str, expected: tuple[int, str]
) -> None:
    assert refused_as(client.get(API + path)) == expected


def test_what_counts_has_labels_of_ours_alone(client: httpx.Client) -> None:
    client.get("/nobody/asked/for/this")
    client.request("BREW", "/healthz")
    said = client.get("/metrics").text
    assert 'route="none"' in said
    assert "nobody" not in said
    assert "BREW" not in said


@pytest.fixture(scope="package")
def schema(guarded: Guarded) -> Any:
    """Return the description of a server that asks for tokens: without one it must give nothing."""
    address = f"{guarded.served.url}{API}/openapi.json"
    return schemathesis.openapi.from_url(address, headers=guarded.bearer("all"))


def test_the_description_has_an_example_of_what_it_says(client: httpx.Client) -> None:
    said = client.get(f"{API}/openapi.json").json()
    assert said["openapi"].startswith("3.1")
    schemas = said["components"]["schemas"]
    assert {"Answer", "SeriesPage", "JobView", "ProblemDetails"} <= schemas.keys()
    assert all(schemas["Answer"]["properties"]["path"]["examples"])


OPERATIONS = [
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("POST", f"{API}/classify"),
    ("GET", f"{API}/jobs"),
    ("GET", f"{API}/jobs/{{job_id}}"),
    ("DELETE", f"{API}/jobs/{{job_id}}"),
    ("GET", f"{API}/jobs/{{job_id}}/events"),
    ("GET", f"{API}/series"),
    ("GET", f"{API}/series/{{series_id}}"),
    ("GET", f"{API}/series/{{series_id}}/slice/{{index}}.{{form}}"),
    ("GET", f"{API}/series/{{series_id}}/explanation"),
    ("GET", f"{API}/series/{{series_id}}/explanation/{{index}}.png"),
    ("GET", f"{API}/answers"),
    ("GET", f"{API}/studies"),
    ("GET", f"{API}/studies/{{study_instance_uid}}"),
    ("POST", f"{API}/reviews"),
    ("POST", f"{API}/reviews/{{token}}/withdrawal"),
]


def test_every_operation_is_asked(schema: Any) -> None:
    assert {(one.ok().method.upper(), one.ok().path) for one in schema.get_all_operations()} == set(
        OPERATIONS
    )


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_an_operation_answers_as_it_says_to_whatever_is_sent(
    schema: Any, guarded: Guarded, method: str, path: str
) -> None:
    ask(schema[path][method], 3, guarded.bearer("all"))


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_an_operation_answers_as_it_says_to_hundreds(
    schema: Any, guarded: Guarded, method: str, path: str
) -> None:
    """Its twin is above: a few requests to each."""
    ask(schema[path][method], 300, guarded.bearer("all"))


def ask(operation: Any, n: int, headers: dict[str, str]) -> None:
    quick = settings(
        max_examples=n,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    has_input = any(True for _ in operation.iter_parameters()) or operation.body
    for mode in schemathesis.GenerationMode if has_input else [schemathesis.GenerationMode.POSITIVE]:
        strategy = operation.as_strategy(generation_mode=mode)

        @quick
        @hypothesis.given(case=strategy)
        def check(case: Any) -> None:
            response = case.call(timeout=20, headers=headers)
            # Whether there is a model of this name, or was such a page, no description says.
            is_unknown = response.status_code == 400 and operation.method == "get"
            # Whatever is sent as a file is one: on its way it is bytes.
            is_bytes = response.status_code == 200 and case.media_type == "multipart/form-data"
            # A query without a value is not sent, and so nothing is wrong with it.
            is_unsent = any(value in (None, [], {}, ()) for value in (case.query or {}).values())
            left_out = ["positive_data_acceptance"] * is_unknown
            left_out += ["negative_data_rejection"] * (is_bytes or is_unsent)
            case.validate_response(
                response, excluded_checks=schemathesis.checks.CHECKS.get_by_names(left_out)
            )

        check()
