"""Contract: sessions, events and credentials in the vault."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import ConfigError, SessionNotFound
from handstamp.state import Device, Health, Loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.vault import Vault

NOW = datetime(2026, 5, 1, 12, 30, 15, 123000, tzinfo=UTC)
PROXY = "http://user:hunter2@proxy.example:8080"


def test_a_missing_session_is_made_with_a_fresh_id(vault: Vault) -> None:
    session = vault.update_session("work", "portside", lambda session: session)
    assert len(session.session_id) >= 32
    assert (session.profile, session.site, session.health, session.logins) == ("work", "portside", Health.UNKNOWN, 0)
    assert session.created_at is not None
    assert vault.profiles() == ["work"]


def test_every_field_of_a_session_comes_back(vault: Vault, open_vault: Callable[[], Vault]) -> None:
    made = vault.update_session(
        "work",
        "portside",
        lambda session: replace(
            session,
            username="ümit",
            device=Device("agent", 1280, 720, "de-DE", "Europe/Berlin", PROXY),
            health=Health.BLOCKED,
            needs_refresh=True,
            health_until=NOW,
            logged_in_at=NOW,
            last_used=NOW + timedelta(seconds=1),
            last_verified=NOW + timedelta(seconds=2),
            expires_at=NOW + timedelta(days=400),
            logins=3,
            losses=(Loss("crypto-key", "https://app.example/db", "it cannot be exported"),),
        ),
    )
    other = open_vault()
    assert other.session("work", "portside") == made
    assert other.session_by_id(made.session_id) == made
    assert other.sessions() == [made]


def test_the_id_survives_changes(vault: Vault) -> None:
    first = vault.update_session("work", "portside", lambda session: session)
    second = vault.update_session("work", "portside", lambda session: replace(session, health=Health.VALID, logins=session.logins + 1))
    assert (second.session_id, second.logins) == (first.session_id, 1)


def test_a_change_must_keep_the_sessions_identity(vault: Vault) -> None:
    with pytest.raises(ValueError, match="must keep"):
        vault.update_session("work", "portside", lambda session: replace(session, site="elsewhere"))
    assert vault.sessions() == []


def test_a_change_that_fails_changes_nothing(vault: Vault) -> None:
    vault.update_session("work", "portside", lambda session: session)
    with pytest.raises(ZeroDivisionError):
        vault.update_session("work", "portside", lambda session: replace(session, logins=1 // 0))
    assert vault.session("work", "portside").logins == 0


def test_sessions_are_listed_by_profile_and_site(vault: Vault) -> None:
    for profile, site in (("b", "two"), ("a", "two"), ("a", "one")):
        vault.update_session(profile, site, lambda session: session)
    named = [(session.profile, session.site) for session in vault.sessions()]
    assert named == [("a", "one"), ("a", "two"), ("b", "two")]
    assert [session.site for session in vault.sessions("a")] == ["one", "two"]
    assert [session.profile for session in vault.sessions(site="two")] == ["a", "b"]
    assert [session.profile for session in vault.sessions("b", "two")] == ["b"]
    assert vault.sessions("b", "one") == []


def test_an_unknown_session_is_none_by_name_and_an_error_by_id(vault: Vault) -> None:
    assert vault.session("work", "portside") is None
    with pytest.raises(SessionNotFound, match="no-such-id"):
        vault.session_by_id("no-such-id")


def test_forgetting_a_session_leaves_the_others(vault: Vault) -> None:
    vault.update_session("work", "one", lambda session: session)
    vault.update_session("work", "two", lambda session: session)
    assert vault.forget_session("work", "one")
    assert not vault.forget_session("work", "one")
    assert [session.site for session in vault.sessions()] == ["two"]


def test_a_session_after_a_forgotten_one_has_another_id(vault: Vault) -> None:
    first = vault.update_session("work", "one", lambda session: session)
    vault.forget("work")
    assert vault.update_session("work", "one", lambda session: session).session_id != first.session_id


def test_events_come_back_newest_first_and_filtered(vault: Vault) -> None:
    for kind, profile, site in (("login", "a", "one"), ("check", "a", "one"), ("check", "b", "two"), ("start", None, None)):
        vault.record_event(kind, profile=profile, site=site, data={"why": kind, "n": 1, "deep": [None, {"x": 0.5}]})
    assert [event.kind for event in vault.events()] == ["start", "check", "check", "login"]
    assert [event.profile for event in vault.events(kind="check")] == ["b", "a"]
    assert [event.kind for event in vault.events(profile="a", site="one")] == ["check", "login"]
    assert [event.kind for event in vault.events(site="two", kind="check")] == ["check"]
    assert [event.kind for event in vault.events(limit=1)] == ["start"]
    assert vault.events(kind="login")[0].data == {"why": "login", "n": 1, "deep": [None, {"x": 0.5}]}


def test_events_since_a_time(vault: Vault) -> None:
    vault.record_event("login")
    at = vault.events()[0].at
    assert [event.kind for event in vault.events(since=at)] == ["login"]
    assert vault.events(since=at + timedelta(milliseconds=1)) == []


def test_the_log_outlives_a_forgotten_profile(vault: Vault) -> None:
    vault.update_session("work", "one", lambda session: session)
    vault.record_event("login", profile="work", site="one")
    vault.forget("work")
    assert [event.kind for event in vault.events(profile="work")] == ["forget", "login"]


def test_credentials_are_kept_by_site_account_and_name(vault: Vault, open_vault: Callable[[], Vault]) -> None:
    vault.set_secret("portside", "me", "password", "hunter2")
    vault.set_secret("portside", "me", "totp", "JBSW Y3DP")
    vault.set_secret("portside", "you", "password", "other")
    vault.set_secret("elsewhere", "me", "password", "third")
    other = open_vault()
    assert other.secret("portside", "me", "password") == "hunter2"
    assert other.secret("portside", "me", "totp") == "JBSW Y3DP"
    assert other.secret("portside", "me", "pin") is None
    assert other.accounts("portside") == ["me", "you"]
    assert other.accounts("nowhere") == []


def test_a_credential_is_replaced_and_forgotten(vault: Vault) -> None:
    vault.set_secret("portside", "me", "password", "old")
    vault.set_secret("portside", "me", "password", "new")
    assert vault.secret("portside", "me", "password") == "new"
    assert (vault.forget_secret("portside", "me", "password"), vault.forget_secret("portside", "me", "password")) == (1, 0)
    assert (vault.secret("portside", "me", "password"), vault.accounts("portside")) == (None, [])


def test_all_credentials_of_an_account_are_forgotten_at_once(vault: Vault) -> None:
    for account in ("me", "you"):
        for name in ("password", "totp"):
            vault.set_secret("portside", account, name, "x")
    assert vault.forget_secret("portside", "me") == 2
    assert vault.accounts("portside") == ["you"]


def test_names_that_cannot_be_are_refused(vault: Vault) -> None:
    with pytest.raises(ConfigError, match="site name"):
        vault.update_session("work", "", lambda session: session)
    with pytest.raises(ConfigError, match="account name"):
        vault.set_secret("portside", "a\nb", "password", "x")


def test_a_listing_names_all_sessions_in_order_without_the_key(vault: Vault) -> None:
    for profile, site in (("b", "one"), ("a", "two"), ("a", "one")):
        vault.update_session(profile, site, lambda session: replace(session, username="me", last_used=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)))
    listed = vault.listing()
    assert [(row.profile, row.site, row.username, row.health) for row in listed] == [
        (p, s, "me", "unknown") for p, s in (("a", "one"), ("a", "two"), ("b", "one"))
    ]
    assert {row.last_used for row in listed} == {datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}
    assert vault.session_by_id(listed[0].session_id) == vault.session("a", "one")
