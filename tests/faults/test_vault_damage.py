"""Records and files that were changed: a clear error or the last good version, and nothing overwritten."""

from __future__ import annotations

import logging
import os
import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import HandstampError, SealBroken, UnsupportedVersion, VaultUnavailable
from handstamp.state import Device, Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.state.codec import FORMAT
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RUNS = int(os.environ.get("FAULT_RUNS", "30"))
ORIGIN, OTHER = "https://app.example.com", "https://elsewhere.test"
SECRETS = ("hunter2", "tok3n")


def change(value: str | None, *, at: int = 1, origin: str = ORIGIN, key: str = "k") -> StorageState:
    return StorageState.of([Part(PartId(PartKind.LOCAL, origin), {(key,): Entry(value, Stamp(at))})])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    home = tmp_path / "home"
    with Vault(home=home) as vault:
        vault.save("work", change("tok3n"))
        vault.save("work", change("new tok3n", at=2))
        vault.save("work", change("other", origin=OTHER))
        vault.set_secret("portside", "me", "password", "hunter2")
        vault.update_session("work", "portside", lambda session: replace(session, device=Device(user_agent="agent", proxy="http://u:hunter2@proxy")))
    return home


def sql(home: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(home / "vault.db")) as connection, connection:
        return connection.execute(statement, values).fetchall()


def flip(home: Path, where: str) -> None:
    """Flips a bit in the sealed content of the versions that `where` selects."""
    for rowid, sealed in sql(home, f"SELECT rowid, sealed FROM versions WHERE {where}"):  # noqa: S608
        assert isinstance(sealed, bytes)
        sql(home, "UPDATE versions SET sealed = ? WHERE rowid = ?", sealed[:-1] + bytes([sealed[-1] ^ 1]), rowid)


NEWEST = "generation = 2"
ALL_OF_APP = "part_id = (SELECT part_id FROM versions WHERE generation = 2)"


def test_a_damaged_part_falls_back_to_its_last_good_version_loudly(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    flip(home, NEWEST)
    with Vault(home=home) as vault, caplog.at_level(logging.ERROR):
        state = vault.load("work")
        assert (state.local_storage(ORIGIN), state.local_storage(OTHER)) == ({"k": "tok3n"}, {"k": "other"})
        assert [event.data for event in vault.events(kind="part-damaged")] == [{"kind": "local", "generation": 2, "used": 1}]
        vault.load("work")
        session = vault.session("work", "portside")
        assert session is not None
        (loss,) = session.losses
        assert (loss.what, loss.where) == ("damaged-part", f"local/{ORIGIN}")
    assert "version 2 of a 'local' part of profile 'work' does not open" in caplog.text
    assert not any(secret in caplog.text for secret in SECRETS)


def test_a_save_onto_a_damaged_part_heals_it_and_keeps_the_damaged_version(home: Path) -> None:
    flip(home, NEWEST)
    before = sql(home, "SELECT sealed FROM versions WHERE generation = 2")
    with Vault(home=home) as vault:
        vault.save("work", change("mine", key="mine", at=3))
        assert vault.load("work").local_storage(ORIGIN) == {"k": "tok3n", "mine": "mine"}
        for number in range(15):
            vault.save("work", change(str(number), at=number + 4))
        assert len(vault.events(kind="part-damaged")) == 1
        assert [version.generation for version in vault.history("work") if version.pinned] == [2]
    assert sql(home, "SELECT sealed FROM versions WHERE generation = 2") == before


def test_a_part_without_a_good_version_is_an_error_by_name_and_the_rest_loads(home: Path) -> None:
    flip(home, ALL_OF_APP)
    before = sql(home, "SELECT * FROM versions")
    with Vault(home=home) as vault:
        with pytest.raises(SealBroken, match=r"a 'local' part of profile 'work'.*no earlier version opens"):
            vault.load("work")
        with pytest.raises(SealBroken):
            vault.save("work", change("would overwrite", at=9))
        assert vault.load("work", domains=["elsewhere.test"]).local_storage(OTHER) == {"k": "other"}
        vault.save("work", change("still writable", at=9, origin=OTHER, key="new"))
    assert set(before) <= set(sql(home, "SELECT * FROM versions"))


def test_what_does_not_open_can_be_forgotten(home: Path) -> None:
    flip(home, ALL_OF_APP)
    with Vault(home=home) as vault:
        vault.forget("work", domain="example.com")
        assert vault.load("work").local_storage(OTHER) == {"k": "other"}
        assert vault.check() == []


def test_a_truncated_and_a_missing_record_are_damage_like_any_other(home: Path) -> None:
    sql(home, "UPDATE versions SET sealed = substr(sealed, 1, 20) WHERE generation = 2")
    with Vault(home=home) as vault:
        assert vault.load("work").local_storage(ORIGIN) == {"k": "tok3n"}
    sql(home, "DELETE FROM versions WHERE generation = 2")
    with Vault(home=home) as vault:
        assert vault.load("work").local_storage(ORIGIN) == {"k": "tok3n"}
        assert "is damaged (version 2); version 1 is used instead" in {finding.problem for finding in vault.check()}


def test_an_older_record_put_in_the_place_of_a_newer_one_does_not_open(home: Path) -> None:
    older = "SELECT sealed FROM versions v WHERE v.part_id = versions.part_id AND v.generation = 1"
    sql(home, f"UPDATE versions SET sealed = ({older}) WHERE generation = 2")  # noqa: S608
    with Vault(home=home) as vault:
        vault.load("work")
        assert len(vault.events(kind="part-damaged")) == 1


def test_a_record_moved_to_another_profile_does_not_open(home: Path) -> None:
    with Vault(home=home) as vault:
        vault.save("play", change("x", origin="https://third.test"))
    sql(home, "UPDATE parts SET profile_id = (SELECT profile_id FROM profiles WHERE name = 'play')")
    with Vault(home=home) as vault, pytest.raises(SealBroken):
        vault.load("play")


def test_the_check_names_what_is_damaged_and_no_value(home: Path) -> None:
    flip(home, NEWEST)
    sql(home, "UPDATE secrets SET sealed = zeroblob(100)")
    sql(home, "UPDATE sessions SET private_sealed = zeroblob(100)")
    sql(home, "UPDATE parts SET bucket = zeroblob(16) WHERE generation = 1")
    with Vault(home=home) as vault:
        found = vault.check()
    told = {f"{finding.subject} {finding.problem}" for finding in found}
    assert told == {
        f"local/{ORIGIN} of profile 'work' is damaged (version 2); version 1 is used instead",
        f"local/{OTHER} of profile 'work' is filed under another name, so that it is not found",
        "session of profile 'work' at 'portside' has sealed facts that do not open",
        "1 of the saved credentials do not open",
    }
    assert all(finding.remedy for finding in found)
    assert not any(secret in str(found) for secret in SECRETS)


def test_a_damaged_session_is_an_error_by_name_and_the_list_goes_on(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Vault(home=home) as vault:
        vault.update_session("work", "fine", lambda session: session)
    sql(home, "UPDATE sessions SET private_sealed = zeroblob(100) WHERE site = 'portside'")
    with Vault(home=home) as vault:
        with pytest.raises(SealBroken, match="profile 'work' at 'portside'"):
            vault.session("work", "portside")
        with pytest.raises(SealBroken):
            vault.update_session("work", "portside", lambda session: session)
        assert [session.site for session in vault.sessions()] == ["fine", "portside"]
    sql(home, "UPDATE sessions SET health = 'vblid' WHERE site = 'portside'")
    with Vault(home=home) as vault:
        assert [session.site for session in vault.sessions()] == ["fine"]
    assert "are damaged" in caplog.text


def test_a_damaged_credential_is_an_error_by_name(home: Path) -> None:
    sql(home, "UPDATE secrets SET sealed = zeroblob(100)")
    with Vault(home=home) as vault:
        with pytest.raises(SealBroken, match="the password of account 'me' at 'portside'"):
            vault.secret("portside", "me", "password")
        vault.set_secret("portside", "me", "password", "again")
        assert vault.secret("portside", "me", "password") == "again"


def test_a_vault_of_a_newer_release_is_refused_by_number_and_not_touched(home: Path) -> None:
    sql(home, "PRAGMA user_version = 4711")
    before = (home / "vault.db").read_bytes()
    with Vault(home=home) as vault, pytest.raises(UnsupportedVersion, match=r"vault\.db has schema 4711.*upgrade handstamp"):
        vault.load("work")
    assert (home / "vault.db").read_bytes() == before


def test_a_part_of_a_newer_format_is_refused_and_does_not_fall_back(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handstamp.state.codec._format_of", lambda _kind: FORMAT + 1)
    with Vault(home=home) as vault:
        vault.save("work", change("by a newer release", at=9))
    monkeypatch.undo()
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with Vault(home=home) as vault:
        with pytest.raises(UnsupportedVersion, match=f"format {FORMAT + 1}"):
            vault.load("work")
        with pytest.raises(UnsupportedVersion):
            vault.save("work", change("older", at=10))


def test_a_part_that_was_set_back_in_the_file_is_found_by_the_check_and_refused_by_the_next_save(home: Path) -> None:
    sql(home, "UPDATE parts SET generation = 1 WHERE generation = 2")
    with Vault(home=home) as vault:
        assert [finding.problem for finding in vault.check()] == ["was set back to version 1 by other means than `handstamp rollback`"]
        with pytest.raises(VaultUnavailable):
            vault.save("work", change("x", at=9))


@pytest.mark.parametrize("content", [b"not a database at all " * 100, b"SQLite format 3\0" + bytes(4080)])
def test_a_file_that_is_no_vault_is_refused_and_not_touched(home: Path, content: bytes) -> None:
    for file in home.glob("vault.db*"):
        file.unlink()
    (home / "vault.db").write_bytes(content)
    with Vault(home=home) as vault, pytest.raises(VaultUnavailable, match=r"vault\.db"):
        vault.load("work")
    assert (home / "vault.db").read_bytes() == content


def test_another_programs_database_is_refused_and_not_touched(home: Path) -> None:
    foreign = home / "foreign.db"
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE cookies (name TEXT)")
    with Vault(f"sqlite:///{foreign}", home=home) as vault, pytest.raises(VaultUnavailable, match="another program"):
        vault.save("work", change("x"))
    with closing(sqlite3.connect(foreign)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("cookies",)]


def test_a_removed_write_ahead_log_leaves_the_state_of_the_last_checkpoint(home: Path) -> None:
    copy = home.with_name("copy")
    with Vault(home=home) as vault:
        vault.save("work", change("in the log only", at=9))
        shutil.copytree(home, copy)
    (copy / "vault.db-wal").unlink()
    (copy / "vault.db-shm").unlink()
    with Vault(home=copy) as vault:
        assert vault.load("work").local_storage(ORIGIN) == {"k": "new tok3n"}
        vault.save("work", change("goes on", at=10))
        assert vault.check() == []


def test_a_vault_that_is_replaced_while_open_is_noticed_before_the_next_write(home: Path) -> None:
    copy = home.with_name("copy")
    shutil.copytree(home, copy)
    with Vault(home=home) as vault:
        vault.save("work", change("will be replaced", at=9))
        for file in home.glob("vault.db*"):
            file.unlink()
        (copy / "vault.db").rename(home / "vault.db")
        assert vault.load("work").local_storage(ORIGIN) == {"k": "new tok3n"}
        vault.save("work", change("written to the new one", at=10))
    with Vault(home=home) as vault:
        assert vault.load("work").local_storage(ORIGIN) == {"k": "written to the new one"}


def test_random_damage_anywhere_in_the_file_is_never_more_than_a_clear_error(home: Path) -> None:
    sound = (home / "vault.db").read_bytes()
    for run in range(RUNS):
        torn = bytearray(sound)
        for _ in range(random.choice((1, 8, 64))):  # noqa: S311
            torn[random.randrange(100, len(torn))] ^= 1 << random.randrange(8)  # noqa: S311
        if run % 5 == 0:
            del torn[random.randrange(len(torn)) :]  # noqa: S311
        for file in home.glob("vault.db*"):
            file.unlink()
        (home / "vault.db").write_bytes(torn)
        _exercise(home)


def _exercise(home: Path) -> None:
    """Everything that reads or writes; each may refuse, in our own words and without a secret."""
    with Vault(home=home) as vault:
        for call in (
            lambda: vault.load("work"),
            lambda: vault.load("work", domains=["example.com"]),
            vault.sessions,
            lambda: vault.session("work", "portside"),
            lambda: vault.secret("portside", "me", "password"),
            lambda: vault.accounts("portside"),
            vault.events,
            vault.leases,
            lambda: vault.history("work"),
            vault.check,
            lambda: vault.save("work", change("x", at=9)),
            lambda: vault.lease("work").release(),
            lambda: vault.forget("work"),
        ):
            assert not any(secret in _refusal(call) for secret in SECRETS)


def _refusal(call: Callable[[], object]) -> str:
    try:
        call()
    except HandstampError as error:
        return str(error)
    return ""
