"""Rates, names, the gate and the log of the server, each by itself."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp.errors import ConfigError, Forbidden, Unauthorized
from handstamp.server.gate import FAILURES_PER_MINUTE, LOOKUP_SECONDS, Gate
from handstamp.server.hosts import allowed_names, check_host, check_origin, host_of
from handstamp.server.logs import Lines
from handstamp.server.rates import Rates
from handstamp.server.refusals import HostRefused, TooMany
from handstamp.vault import MasterKey, Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@given(st.integers(1, 600), st.lists(st.floats(0, 30), min_size=1, max_size=200))
def test_nobody_gets_more_than_the_rate_and_a_minutes_worth_at_once(per_minute: int, pauses: list[float]) -> None:
    rates, now, allowed = Rates(per_minute), 0.0, 0
    for pause in pauses:
        now += pause
        allowed += rates.take("a", now) == 0.0
    assert allowed <= per_minute + now * per_minute / 60 + 1


@given(st.integers(1, 600))
def test_who_waits_as_long_as_was_said_is_let_in(per_minute: int) -> None:
    rates, now = Rates(per_minute), 100.0
    while not (seconds := rates.take("a", now)):
        pass
    assert rates.take("b", now) == 0.0
    assert rates.take("a", now + seconds + 1e-6) == 0.0


def test_a_clock_that_stands_gives_nothing_and_many_callers_take_no_more_room() -> None:
    rates = Rates(1, most=3)
    assert [rates.take("a", 5.0) == 0.0 for _ in range(3)] == [True, False, False]
    for number in range(10):
        rates.take(f"b{number}", 5.0)
    assert len(rates._buckets) == 3


@pytest.mark.parametrize("header", ["localhost", "LOCALHOST:8900", "127.0.0.1:8900", "[::1]:8900", "portside.localhost:1"])
def test_this_machines_own_names_are_always_taken(header: str) -> None:
    check_host(header, allowed_names("127.0.0.1", ()))


@pytest.mark.parametrize(
    "header", [None, "", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "user@localhost", "localhost/x", "localhost:99999", "[::1"]
)
def test_other_names_are_refused(header: str | None) -> None:
    with pytest.raises(HostRefused):
        check_host(header, allowed_names("127.0.0.1", ("*.own.example",)))


def test_an_address_beyond_this_machine_is_a_name_and_a_wildcard_needs_some() -> None:
    assert "192.0.2.1" in allowed_names("192.0.2.1", ())
    check_host("anything.example", allowed_names("::", ("*",)))
    with pytest.raises(ConfigError, match="allowed_hosts"):
        allowed_names("::", ())


@given(st.text(max_size=30))
def test_no_header_breaks_the_check(text: str) -> None:
    host_of(text)
    for origin in (text, f"http://{text}"):
        try:
            check_origin(origin, "localhost:8900")
        except Forbidden:
            continue
        assert origin.lower().partition("://")[2].partition("/")[0].partition("?")[0].partition("#")[0] == "localhost:8900"


# -- the gate -------------------------------------------------------------------------------------------------


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with Vault(home=tmp_path / "home", key=MasterKey.generate()) as opened:
        yield opened


def test_a_token_is_looked_up_again_after_some_seconds_and_not_before(vault: Vault) -> None:
    token, clock = vault.add_token("a", ["read"]), Clock()
    gate = Gate(vault, clock=clock)

    async def flow() -> None:
        caller = await gate.caller(f"bearer {token}", "1.2.3.4")
        assert caller is not None
        assert (caller.name, caller.scopes) == ("a", {"read"})
        vault.revoke_token("a")
        clock.now += LOOKUP_SECONDS - 0.1
        assert await gate.caller(f"Bearer {token}", "1.2.3.4") is not None
        clock.now += 0.2
        with pytest.raises(Unauthorized):
            await gate.caller(f"Bearer {token}", "1.2.3.4")

    asyncio.run(flow())


def test_after_too_many_failures_only_tokens_that_do_not_work_have_to_wait(vault: Vault) -> None:
    known, fresh, clock = vault.add_token("a", ["read"]), vault.add_token("b", ["read"]), Clock()
    gate = Gate(vault, clock=clock)

    async def flow() -> None:
        assert await gate.caller(f"Bearer {known}", "1.2.3.4")
        for number in range(FAILURES_PER_MINUTE):
            with pytest.raises(Unauthorized):
                await gate.caller(f"Bearer hs_{number}", "1.2.3.4")
        clock.now += LOOKUP_SECONDS / 2
        with pytest.raises(TooMany) as caught:
            await gate.caller("Bearer hs_more", "1.2.3.4")
        with pytest.raises(TooMany):
            await gate.caller("Basic no-token", "1.2.3.4")
        assert await gate.caller(f"Bearer {known}", "1.2.3.4")
        assert await gate.caller(f"Bearer {fresh}", "1.2.3.4")
        with pytest.raises(Unauthorized):
            await gate.caller("Bearer hs_more", "5.6.7.8")
        clock.now += caught.value.retry_after + 0.01
        with pytest.raises(Unauthorized):
            await gate.caller("Bearer hs_more", "1.2.3.4")

    asyncio.run(flow())


def test_a_scope_that_nobody_knows_opens_nothing(vault: Vault) -> None:
    token = vault.add_token("a", ["everything"])
    caller = asyncio.run(Gate(vault).caller(f"Bearer {token}", "-"))
    assert caller is not None
    with pytest.raises(Forbidden, match="'read'"):
        caller.needs("read")


# -- the log --------------------------------------------------------------------------------------------------


def record(message: str, error: BaseException | None = None, **facts: object) -> logging.LogRecord:
    found = logging.LogRecord("handstamp.server", logging.INFO, __file__, 1, message, (), (type(error), error, error.__traceback__) if error else None)
    found.facts = facts
    return found


def test_a_line_of_the_log_is_json_or_words() -> None:
    entry = record("request", path="/get_session", ms=1.5, token='a "b" c')
    assert json.loads(Lines(as_json=True).format(entry)).items() >= {"event": "request", "path": "/get_session", "ms": 1.5, "token": 'a "b" c'}.items()
    assert Lines(as_json=False).format(entry).endswith(r'event=request path=/get_session ms=1.5 token="a \"b\" c"')


def test_an_exception_is_told_by_its_place_and_never_by_its_message() -> None:
    with pytest.raises(ValueError, match="canary") as caught:
        int("canary")
    line = Lines(as_json=True).format(record("failed\nfuture: canary", caught.value))
    assert "canary" not in line
    assert "ValueError at test_server_parts.py" in line
