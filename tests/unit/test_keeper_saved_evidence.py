"""What is said of a session from its saved state alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from handstamp.keeper.saved_evidence import due, ending_soon, verdict_by_state
from handstamp.sites import site_at
from handstamp.state import Clock, Cookie, Health, Part, PartId, PartKind, Session, StorageState, emptied, live_entries, observed

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SITE = site_at("gmail.com")
LOGGED_IN = Session("id", "work", "gmail.com", logged_in_at=NOW - timedelta(days=1))


def jar(*days: float | None) -> StorageState:
    """Cookies that end in so many days, None for never."""
    ends = [None if one is None else NOW.timestamp() + one * 86_400 for one in days]
    cookies = [Cookie(f"c{number}", "v", "gmail.com", expires=end) for number, end in enumerate(ends)]
    return StorageState.of([observed(None, PartId(PartKind.COOKIES, "gmail.com"), {cookie.key: cookie for cookie in cookies}, Clock("w"))])


@pytest.mark.parametrize(
    ("state", "session", "health"),
    [
        (jar(1, None), LOGGED_IN, Health.VALID),
        (jar(1, -1), LOGGED_IN, Health.VALID),
        (jar(-1, -2), LOGGED_IN, Health.EXPIRED),
        (jar(), LOGGED_IN, Health.EXPIRED),
        (jar(1), None, Health.UNKNOWN),
    ],
)
def test_a_login_is_as_alive_as_its_cookies(state: StorageState, session: Session | None, health: Health) -> None:
    assert verdict_by_state(SITE, state, session, NOW).health is health


def test_items_alone_do_not_prove_that_a_login_outlived_its_cookies() -> None:
    local = observed(None, PartId(PartKind.LOCAL, "https://gmail.com"), {("theme",): "dark"}, Clock("w"))
    state = StorageState.of([*jar(-1).parts.values(), local])
    assert verdict_by_state(SITE, state, LOGGED_IN, NOW).health is Health.UNKNOWN


@pytest.mark.parametrize(
    ("session", "interval", "expected"),
    [
        (Session("id", "work", "s", last_verified=NOW), 60, False),
        (Session("id", "work", "s", last_verified=NOW - timedelta(seconds=60)), 60, True),
        (Session("id", "work", "s", last_verified=NOW - timedelta(days=60)), 0, False),
        (Session("id", "work", "s"), 60, True),
        (Session("id", "work", "s", last_verified=NOW, needs_refresh=True), 0, True),
        (Session("id", "work", "s", last_verified=NOW, health=Health.EXPIRED), 0, True),
    ],
)
def test_a_session_is_due_when_marked_over_or_old(session: Session, interval: float, expected: bool) -> None:
    assert due(session, NOW, interval=interval) is expected


def test_the_first_to_end_is_named_first() -> None:
    assert ending_soon(jar(6.5, None, 2, -1, 8).cookies(), NOW, days=7) == [("c2", 2.0), ("c0", 6.5)]


def test_emptying_deletes_everything_and_says_so() -> None:
    state = jar(1, 2)
    changes = emptied(state, Clock("w"))
    assert live_entries(changes) == 0
    assert sum(len(part.entries) for part in changes.parts.values()) == 2
    assert emptied(StorageState.of([Part(PartId(PartKind.LOCAL, "https://a.example"), {})]), Clock("w")).parts == {}
