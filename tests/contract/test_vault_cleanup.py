"""Contract: cleaning up removes what is too old, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from handstamp.state import Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.vault.cleanup import Cleanup

if TYPE_CHECKING:
    from handstamp.vault import Vault

ORIGIN = "https://app.example"
NOW = timedelta(milliseconds=-1000)  # an age that everything has


def change(value: str | None, *, at: int = 1, key: str = "k") -> StorageState:
    return StorageState.of([Part(PartId(PartKind.LOCAL, ORIGIN), {(key,): Entry(value, Stamp(at))})])


def versions(vault: Vault) -> list[int]:
    return [version.generation for version in vault.history("work")]


def test_nothing_is_too_old_today(vault: Vault) -> None:
    for at in range(1, 4):
        vault.save("work", change(str(at), at=at))
    vault.save("work", change(None, at=round(datetime.now(UTC).timestamp() * 1000), key="gone"))
    vault.record_event("login")
    vault.update_session("work", "portside", lambda session: session)
    assert replace(vault.cleanup(), freed=0) == Cleanup()
    assert versions(vault) == [4, 3, 2, 1]


def test_earlier_versions_and_deletions_go_and_what_is_there_stays(vault: Vault) -> None:
    for at in range(1, 4):
        vault.save("work", change(str(at), at=at))
    vault.save("work", change(None, at=4, key="gone"))
    done = vault.cleanup(history=NOW)
    assert (done.versions, done.deletions) == (3, 1)
    assert vault.load("work").parts[PartId(PartKind.LOCAL, ORIGIN)].entries == {("k",): Entry("3", Stamp(3))}
    assert versions(vault) == [4]
    assert vault.check() == []
    assert replace(vault.cleanup(history=NOW), freed=0) == Cleanup()
    vault.save("work", change("5", at=5))
    assert versions(vault) == [5, 4]


def test_what_was_current_at_any_time_since_stays(vault: Vault) -> None:
    vault.save("work", change("1", at=1))
    vault.save("work", change("2", at=2))
    assert vault.cleanup(history=timedelta(hours=1)).versions == 0
    assert versions(vault) == [2, 1]


def test_what_is_pinned_stays(vault: Vault) -> None:
    vault.save("work", change("1", at=1))
    vault.pin("work")
    for at in range(2, 5):
        vault.save("work", change(str(at), at=at))
    vault.cleanup(history=NOW)
    assert versions(vault) == [4, 1]


def test_a_damaged_version_keeps_those_that_stand_in_for_it(vault: Vault) -> None:
    for at in range(1, 4):
        vault.save("work", change(str(at), at=at))
    with vault._store().write() as transaction:
        transaction.run("reseal_version", part_id=1, generation=3, sealed=bytes(100))
    assert vault.cleanup(history=NOW).versions == 0
    assert vault.load("work").local_storage(ORIGIN) == {"k": "2"}


def test_events_go_by_age(vault: Vault) -> None:
    for number in range(250):
        vault.record_event("check", data={"number": number})
    assert vault.cleanup(events=timedelta(hours=1)).events == 0
    assert vault.cleanup(events=NOW).events == 250
    assert vault.events() == []


def test_a_session_that_nobody_uses_is_archived_and_its_state_stays(vault: Vault) -> None:
    now = datetime.now(UTC)
    vault.save("work", change("v"))
    for site, used in (("old", now - timedelta(days=40)), ("new", now)):
        vault.update_session("work", site, lambda session, used=used: replace(session, username="me", last_used=used, logins=3))
    assert vault.cleanup().archived == 0
    assert vault.cleanup(inactive=timedelta(days=30)).archived == 1
    assert [session.site for session in vault.sessions()] == ["new"]
    (archived,) = vault.archived_sessions("work")
    assert (archived.site, archived.username, archived.logins) == ("old", "me", 3)
    assert vault.archived_sessions("other") == []
    assert vault.load("work").local_storage(ORIGIN) == {"k": "v"}
    assert vault.cleanup(archive=timedelta(days=1)).forgotten == 0
    assert vault.cleanup(archive=NOW).forgotten == 1
    assert vault.archived_sessions() == []


def test_forgetting_a_profile_takes_its_archive(vault: Vault) -> None:
    vault.update_session("work", "portside", lambda session: session)
    vault.cleanup(inactive=NOW)
    assert len(vault.archived_sessions()) == 1
    vault.forget("work")
    assert vault.archived_sessions() == []


def test_writing_all_anew_loses_nothing(vault: Vault) -> None:
    for at in range(1, 30):
        vault.save("work", change(str(at) * 5000, at=at))
    assert vault.cleanup(history=NOW, compact=True).versions == 10
    assert vault.load("work").local_storage(ORIGIN) == {"k": "29" * 5000}
    assert vault.check() == []
