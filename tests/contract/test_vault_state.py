"""Contract: storage state in the vault."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import ConfigError, Conflict
from handstamp.state import Cookie, Entry, Part, PartId, PartKind, Stamp, StorageState

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.vault import Vault

ORIGIN = "https://app.example.com"
LOCAL = PartId(PartKind.LOCAL, ORIGIN)


def local(values: dict[str, str | None], *, at: int = 1, origin: str = ORIGIN, epoch: int = 0, writer: str = "w") -> StorageState:
    part = Part(PartId(PartKind.LOCAL, origin), {(name,): Entry(value, Stamp(at, 0, writer)) for name, value in values.items()})
    return StorageState.of([part], epoch=epoch)


def cookies(scope: str, *given: Cookie, at: int = 1, epoch: int = 0) -> StorageState:
    return StorageState.of([Part(PartId(PartKind.COOKIES, scope), {cookie.key: Entry(cookie, Stamp(at)) for cookie in given})], epoch=epoch)


def moment_after(vault: Vault) -> datetime:
    """The database's time of the last save; what follows has a later one."""
    at = vault.history("work")[0].written_at
    time.sleep(0.005)
    return at


def shown(state: StorageState) -> dict[str, str]:
    return state.local_storage(ORIGIN)


def test_a_profile_that_does_not_exist_loads_as_an_empty_state(vault: Vault) -> None:
    state = vault.load("nobody")
    assert (dict(state.parts), state.epoch, vault.profiles()) == ({}, 0, [])


def test_what_was_saved_is_loaded_by_another_program(vault: Vault, open_vault: Callable[[], Vault]) -> None:
    cookie = Cookie("sid", "secret", "example.com", host_only=False, secure=True, http_only=True, same_site="Lax", expires=1.9e9)
    vault.save("work", cookies("example.com", cookie))
    vault.save("work", local({"token": "t\ud800", "": "empty name"}))
    loaded = open_vault().load("work")
    assert loaded.cookies() == [cookie]
    assert shown(loaded) == {"token": "t\ud800", "": "empty name"}
    assert vault.profiles() == ["work"]


def test_profiles_never_mix(vault: Vault) -> None:
    vault.save("one", local({"k": "1"}))
    vault.save("two", local({"k": "2"}))
    assert (shown(vault.load("one")), shown(vault.load("two"))) == ({"k": "1"}, {"k": "2"})


def test_changes_are_merged_key_by_key_and_the_later_observed_wins(vault: Vault) -> None:
    vault.save("work", local({"a": "old", "b": "b"}, at=5))
    vault.save("work", local({"a": "new"}, at=7))
    vault.save("work", local({"a": "late arrival of an older value"}, at=6))
    assert shown(vault.load("work")) == {"a": "new", "b": "b"}


def test_a_deletion_sticks_against_an_older_value(vault: Vault) -> None:
    vault.save("work", local({"a": "there"}, at=5))
    vault.save("work", local({"a": None}, at=7))
    vault.save("work", local({"a": "there again, seen before"}, at=6))
    assert shown(vault.load("work")) == {}


def test_save_tells_which_parts_it_wrote_and_writes_no_unchanged_one(vault: Vault) -> None:
    assert vault.save("work", local({"a": "1"})).written == (LOCAL,)
    assert vault.save("work", local({"a": "1"})).written == ()
    assert len(vault.history("work")) == 1


def test_an_empty_change_makes_no_profile(vault: Vault) -> None:
    assert vault.save("work", StorageState()).written == ()
    assert vault.profiles() == []


def test_the_callers_mapping_is_not_the_vaults(vault: Vault) -> None:
    entries = {("k",): Entry("saved", Stamp(1))}
    vault.save("work", StorageState.of([Part(LOCAL, entries)]))
    entries["k",] = Entry("changed by the caller afterwards", Stamp(9))
    vault.save("work", local({"other": "x"}))
    assert shown(vault.load("work")) == {"k": "saved", "other": "x"}


@pytest.mark.parametrize(
    ("domains", "found"),
    [
        (["example.com"], {"mail", "top", "app"}),
        (["mail.example.com"], {"mail", "top"}),
        (["app.example.com"], {"app", "top"}),
        (["MAIL.example.com", "other.test"], {"mail", "top", "other"}),
        (["notexample.com"], set()),
        (["com"], {"mail", "top", "app", "host"}),
        ([], set()),
    ],
)
def test_load_by_domains_gives_what_belongs_to_them(vault: Vault, domains: list[str], found: set[str]) -> None:
    vault.save(
        "work",
        cookies("example.com", Cookie("mail", "", "mail.example.com"), Cookie("top", "", "example.com", host_only=False), Cookie("app", "", "app.example.com")),
    )
    vault.save("work", cookies("other.test", Cookie("other", "", "other.test")))
    vault.save("work", cookies("myexample.com", Cookie("host", "", "myexample.com")))
    assert {cookie.name for cookie in vault.load("work", domains=domains).cookies()} == found


def test_load_by_domain_finds_storage_of_hosts_without_a_public_suffix(vault: Vault) -> None:
    for origin in ("http://o1.localhost:8000", "http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"):
        vault.save("work", local({"k": "v"}, origin=origin))
    scopes = {domain: {part.scope for part in vault.load("work", domains=[domain]).parts} for domain in ("localhost", "o1.localhost", "127.0.0.1", "::1")}
    assert scopes == {
        "localhost": {"http://o1.localhost:8000", "http://localhost:8000"},
        "o1.localhost": {"http://o1.localhost:8000"},
        "127.0.0.1": {"http://127.0.0.1:8000"},
        "::1": {"http://[::1]:8000"},
    }


@pytest.mark.parametrize("name", ["", ".", "..", "../up", "a/b", "a\\b", "a\nb", "a\x00b", " a", "a ", "x" * 129, "\ud800"])
def test_a_profile_name_that_cannot_be_is_named_in_the_error(vault: Vault, name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        vault.save(name, local({"k": "v"}))
    assert "profile name" in str(caught.value)
    with pytest.raises(ConfigError):
        vault.load(name)


@pytest.mark.parametrize("name", ["work", "me@example.com", "Arbeit für Ümit", "日本", "x" * 128, "a..b"])
def test_a_plain_name_is_a_profile(vault: Vault, name: str) -> None:
    vault.save(name, local({"k": "v"}))
    assert vault.profiles() == [name]


def test_the_last_versions_are_kept_and_older_ones_go(vault: Vault) -> None:
    for number in range(15):
        vault.save("work", local({"k": str(number)}, at=number + 1))
    versions = vault.history("work")
    assert [version.generation for version in versions] == list(range(15, 4, -1))
    assert [version.current for version in versions] == [True] + [False] * 10
    assert {version.part for version in versions} == {LOCAL}


def test_rollback_brings_back_what_was_and_removes_what_came_later(vault: Vault) -> None:
    vault.save("work", local({"kept": "old", "gone": "there"}, at=1))
    moment = moment_after(vault)
    vault.save("work", local({"kept": "new", "gone": None, "late": "x"}, at=2))
    vault.save("work", local({"k": "v"}, at=2, origin="https://late.example.net"))
    assert set(vault.rollback("work", to=moment).written) == {LOCAL, PartId(PartKind.LOCAL, "https://late.example.net")}
    state = vault.load("work")
    assert shown(state) == {"kept": "old", "gone": "there"}
    assert state.local_storage("https://late.example.net") == {}
    assert [event.kind for event in vault.events()] == ["rollback"]


def test_what_was_rolled_back_is_not_merged_in_again_by_who_saw_it_before(vault: Vault) -> None:
    vault.save("work", local({"k": "old"}, at=1))
    moment = moment_after(vault)
    vault.save("work", local({"k": None}, at=5))
    vault.rollback("work", to=moment)
    vault.save("work", local({"k": None}, at=5))
    assert shown(vault.load("work")) == {"k": "old"}


def test_rollback_to_a_time_that_is_no_longer_kept_changes_nothing(vault: Vault) -> None:
    vault.save("work", local({"k": "0"}))
    long_ago = vault.history("work")[0].written_at - timedelta(days=1)
    for number in range(12):
        vault.save("work", local({"k": str(number)}, at=number + 2))
    with pytest.raises(ConfigError, match="no version that old"):
        vault.rollback("work", to=long_ago)
    assert shown(vault.load("work")) == {"k": "11"}


def test_rollback_wants_a_time_with_a_zone(vault: Vault) -> None:
    with pytest.raises(ValueError, match="time zone"):
        vault.rollback("work", to=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_pinned_version_stays_however_many_come_after(vault: Vault) -> None:
    vault.save("work", local({"k": "valid"}))
    vault.pin("work")
    for number in range(15):
        vault.save("work", local({"k": str(number)}, at=number + 2))
    assert [version.generation for version in vault.history("work") if version.pinned] == [1]


def test_a_new_pin_takes_the_place_of_the_old_one_and_leaves_other_domains_alone(vault: Vault) -> None:
    other = "https://elsewhere.test"
    vault.save("work", local({"k": "1"}))
    vault.save("work", local({"k": "1"}, origin=other))
    vault.pin("work")
    vault.save("work", local({"k": "2"}, at=2))
    vault.save("work", local({"k": "2"}, at=2, origin=other))
    vault.pin("work", domains=["example.com"])
    assert {(version.part.scope, version.generation) for version in vault.history("work") if version.pinned} == {(ORIGIN, 2), (other, 1)}


def test_forgetting_a_profile_removes_everything_of_it(vault: Vault) -> None:
    vault.save("work", local({"k": "v"}))
    vault.update_session("work", "example", lambda session: session)
    assert vault.forget("work") == 1
    assert (vault.profiles(), vault.sessions(), vault.history("work"), dict(vault.load("work").parts)) == ([], [], [], {})


def test_forgetting_an_unknown_profile_is_nothing(vault: Vault) -> None:
    assert vault.forget("nobody") == 0
    assert vault.events() == []


def test_a_late_saver_cannot_bring_back_a_forgotten_profile(vault: Vault) -> None:
    vault.save("work", local({"k": "v"}))
    held = vault.load("work")
    vault.forget("work")
    with pytest.raises(Conflict, match="forgotten"):
        vault.save("work", local({"k": "late"}, at=9, epoch=held.epoch))
    assert vault.profiles() == []
    vault.save("work", local({"k": "anew"}, at=10, epoch=vault.load("work").epoch))
    assert shown(vault.load("work")) == {"k": "anew"}


def test_forgetting_a_domain_reaches_all_versions_and_nothing_else(vault: Vault) -> None:
    mail, top, app = Cookie("mail", "1", "mail.example.com"), Cookie("top", "2", "example.com", host_only=False), Cookie("app", "3", "app.example.com")
    vault.save("work", cookies("example.com", mail, top, app))
    vault.save("work", cookies("example.com", Cookie("app", "33", "app.example.com"), at=2))
    vault.save("work", local({"k": "v"}, origin="https://mail.example.com"))
    vault.save("work", local({"k": "v"}))
    moment = datetime.now(UTC)
    vault.forget("work", domain="mail.example.com")
    state = vault.load("work")
    assert [cookie.name for cookie in state.cookies()] == ["app"]
    assert (state.local_storage("https://mail.example.com"), shown(state)) == ({}, {"k": "v"})
    vault.rollback("work", to=moment)
    assert [cookie.name for cookie in vault.load("work").cookies()] == ["app"]
    assert vault.check() == []


def test_a_late_saver_of_another_domain_is_not_refused(vault: Vault) -> None:
    vault.save("work", local({"k": "v"}))
    vault.save("work", local({"k": "v"}, origin="https://elsewhere.test"))
    vault.forget("work", domain="elsewhere.test")
    vault.save("work", local({"k": "later"}, at=2, epoch=0))
    with pytest.raises(Conflict, match=r"elsewhere\.test"):
        vault.save("work", local({"k": "later"}, at=2, epoch=0, origin="https://elsewhere.test"))
    assert shown(vault.load("work")) == {"k": "later"}


def test_the_epoch_is_had_without_loading(vault: Vault) -> None:
    vault.save("work", local({"k": "v"}))
    vault.forget("work", domain="example.com")
    assert vault.epoch("work") == vault.load("work").epoch == 1


def test_nothing_is_saved_when_one_part_is_refused(vault: Vault) -> None:
    vault.save("work", local({"k": "v"}, origin="https://elsewhere.test"))
    vault.forget("work", domain="elsewhere.test")
    both = [*local({"k": "v"}).parts.values(), *local({"k": "v"}, origin="https://elsewhere.test").parts.values()]
    with pytest.raises(Conflict):
        vault.save("work", StorageState.of(both, epoch=0))
    assert dict(vault.load("work").parts) == {}


def test_a_sound_vault_has_no_findings(vault: Vault) -> None:
    vault.save("work", local({"k": "v"}))
    vault.set_secret("site", "me", "password", "hunter2")
    assert vault.check() == []
