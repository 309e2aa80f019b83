"""The OpenAPI document, and the server beside it: cases that Schemathesis makes of it get documented answers, and never an error of ours.

`SCHEMATHESIS_CASES=5000` makes so many; by default a few for each endpoint.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi import checks

from handstamp.demo import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Running
    from handstamp.demo import DemoServers

CASES = int(os.environ.get("SCHEMATHESIS_CASES", "150"))
DEEP = 0.08
"""Share of the cases that come with a session that is there: they do something in a browser."""
LEFT_OUT = [
    checks.positive_data_acceptance,  # a session_id that fits the schema and is nobody's is 400
    checks.ignored_auth,  # its wrong tokens are soon more than an address may send; test_callers.py has the same for each endpoint
    schemathesis.checks.not_a_server_error,  # stricter below
]
DOCUMENTED_SERVER_ERRORS = {500: set(), 502: {"operation-failed", "browser-gone", "browser"}, 503: set(), 504: {"browser-timeout"}, 507: set()}


@pytest.fixture
def api(demo: DemoServers, serving: Callable[..., Running]) -> tuple[Running, dict[str, Any]]:
    del demo
    server = serving(requests_per_minute=1_000_000, queue_seconds=10.0)
    return server, server.get("/openapi.json").json()


def test_every_endpoint_has_a_description_a_scope_and_all_its_answers(api: tuple[Running, dict[str, Any]]) -> None:
    _, document = api
    paths = document["paths"]
    assert {
        "/get_session",
        "/close_session",
        "/sessions",
        "/health",
        "/metrics",
        "/files/{name}",
        "/get_containers",
        "/sites/portside/make_appointment",
    } <= paths.keys()
    for path, methods in paths.items():
        for endpoint in methods.values():
            assert endpoint["description"], path
            assert {"200", "400", "401", "403", "405", "408", "413", "429", "500", "503"} <= endpoint["responses"].keys(), path
            assert "422" not in endpoint["responses"], path
            assert bool(endpoint.get("security")) is (path != "/health"), path
    body = paths["/check_appointments"]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    fields = document["components"]["schemas"][body]["properties"]
    assert {"session_id", "username", "password", "appointment_session_id", "evidence", "truck_plate", "terminal"} <= fields.keys()
    assert document["components"]["schemas"]["GetSession"]["properties"]["username"]["examples"] == ["dana"]


def test_the_page_about_it_names_every_endpoint_and_loads_nothing_from_elsewhere(api: tuple[Running, dict[str, Any]]) -> None:
    server, document = api
    page = server.get("/docs")
    assert all(f"<code>{path}</code>" in page.text for path in document["paths"])
    assert "src=" not in page.text
    assert "<script" not in page.text


@pytest.mark.timeout(60 if CASES < 1000 else 7200)
def test_whatever_is_sent_gets_a_documented_answer(api: tuple[Running, dict[str, Any]]) -> None:
    server, document = api
    load_all_checks()
    seen: Counter[int] = Counter()
    dice = random.Random(1)  # noqa: S311  (cases, no secrets)
    account = {"username": BUILT_IN[0].username, "password": BUILT_IN[0].password}
    opened = server.post("/get_session", account).json()["session_id"]
    schema = schemathesis.openapi.from_dict(document)
    endpoints = [result.ok() for result in schema.get_all_operations()]

    def grounded(case: Any) -> None:
        """Random credentials would each be a login in a browser, and random ids never a session."""
        body = case.body if isinstance(case.body, dict) else {}
        deep = dice.random() < DEEP
        if _is_text(body.get("username"), 128) and _is_text(body.get("password"), 1024):
            body |= account if deep else {"username": "nobody", "password": "wrong"}
        if _is_text(body.get("session_id"), 128) and deep and "forget" not in body:
            body["session_id"] = opened
        if _is_text(case.path_parameters.get("session_id"), 128) and deep:
            case.path_parameters["session_id"] = opened

    def tried(case: Any) -> None:
        grounded(case)
        response = case.call(base_url=server.url, headers={"Authorization": f"Bearer {server.token}"}, timeout=55)
        seen[response.status_code] += 1
        case.validate_response(response, excluded_checks=LEFT_OUT, headers={"Authorization": f"Bearer {server.token}"})
        if response.status_code >= 500:
            assert response.json()["code"] in DOCUMENTED_SERVER_ERRORS[response.status_code], response.text

    for endpoint in endpoints:
        for mode in GenerationMode:
            phases = (Phase.explicit, Phase.generate)
            share = max(1, CASES // len(endpoints) // 2)
            run = given(case=endpoint.as_strategy(generation_mode=mode))(tried)
            try:
                settings(max_examples=share, deadline=None, database=None, phases=phases, suppress_health_check=list(HealthCheck))(run)()
            except Unsatisfiable:
                assert mode is GenerationMode.NEGATIVE  # an endpoint that takes nothing has nothing that can be wrong
    print(f"{seen.total()} cases: {dict(sorted(seen.items()))}")  # noqa: T201  (for who asked for many)
    assert seen.total() > CASES / 3
    assert server.get("/health").json()["status"] == "healthy"


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest
