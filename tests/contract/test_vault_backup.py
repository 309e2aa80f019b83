"""Contract: backups, and putting them back, into any database."""

from __future__ import annotations

import stat
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import pytest
import zstandard

from handstamp.errors import ConfigError, Conflict, KeyMissing, LeaseHeld, SealBroken, UnreadableState, UnsupportedVersion
from handstamp.state import Device, Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.vault import MasterKey, Vault, export_key

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = "https://app.example"


class OpenVault(Protocol):
    def __call__(self, *, key: MasterKey | None = None) -> Vault: ...


def change(value: str | None, *, at: int = 1, origin: str = ORIGIN, key: str = "k", epoch: int = 1) -> StorageState:
    return StorageState.of([Part(PartId(PartKind.LOCAL, origin), {(key,): Entry(value, Stamp(at))})], epoch=epoch)


def fill(vault: Vault) -> None:
    """Something of everything."""
    for number in range(1, 5):
        vault.save("work", change(f"v{number}", at=number))
        if number == 2:
            vault.pin("work")
    vault.save("work", change("x", origin="https://gone.example"))
    vault.forget("work", domain="gone.example")
    vault.save("work", StorageState.of([Part(PartId(PartKind.FILES, "chunk", "c"), {("data",): Entry(b"\x00file", Stamp(1))})], epoch=1))
    vault.update_session("work", "portside", lambda session: replace(session, username="me", device=Device(proxy="http://u:p@proxy")))
    vault.set_secret("portside", "me", "password", "hunter2")
    vault.record_event("login", profile="work", data={"by": "recipe"})


def assert_whole(vault: Vault) -> None:
    assert vault.check() == []
    assert vault.load("work").local_storage(ORIGIN) == {"k": "v4"}
    assert [(version.generation, version.pinned) for version in vault.history("work")] == [(4, False), (3, False), (2, True), (1, False)]
    assert [part.entries["data",].value for part in vault.pieces("work", [PartId(PartKind.FILES, "chunk", "c")])] == [b"\x00file"]
    session = vault.session("work", "portside")
    assert session is not None
    assert (session.username, session.device.proxy) == ("me", "http://u:p@proxy")
    assert vault.secret("portside", "me", "password") == "hunter2"
    assert [event.data for event in vault.events(kind="login")] == [{"by": "recipe"}]
    with pytest.raises(Conflict, match="was forgotten"):
        vault.save("work", change("late", origin="https://gone.example", epoch=0))


@pytest.fixture
def copy(vault: Vault, tmp_path: Path) -> Path:
    """A backup of a vault that has something of everything."""
    fill(vault)
    vault.backup(tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def elsewhere(tmp_path: Path, copy: Path, vault: Vault) -> Vault:
    """An empty vault in a database of its own, on a machine that has the key."""
    del copy
    return Vault(f"sqlite:///{tmp_path}/elsewhere/vault.db", home=tmp_path / "elsewhere", key=MasterKey.parse(export_key(vault)))


def test_a_backup_brings_everything_back_into_an_empty_vault(vault: Vault, copy: Path, elsewhere: Vault) -> None:
    with elsewhere:
        assert elsewhere.verify_backup(copy).damaged == ()
        restored = elsewhere.restore(copy)
        assert_whole(elsewhere)
        assert dict(restored.rows)["versions"] == 5
        elsewhere.save("work", change("on", at=9))
        elsewhere.backup(copy)
    vault.restore(copy, replace=True)
    assert vault.load("work").local_storage(ORIGIN) == {"k": "on"}
    assert vault.check() == []


def test_a_backup_is_private_and_holds_neither_key_nor_secret(vault: Vault, copy: Path) -> None:
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    content = zstandard.ZstdDecompressor().decompressobj().decompress(copy.read_bytes().partition(b"\n")[2])
    key = MasterKey.parse(export_key(vault))
    for secret in (key.text().encode(), key.secret.hex().encode(), b"hunter2", b"u:p@proxy", b"app.example"):
        assert secret not in content
    assert b"portside" in content


def test_one_made_while_others_write_is_of_one_moment(vault: Vault, open_vault: OpenVault, copy: Path, elsewhere: Vault) -> None:
    stop = threading.Event()

    def work() -> None:
        mine = open_vault()
        for count in range(1, 100_000):
            mine.save(
                "work",
                StorageState.of(
                    [change(str(count), at=count, origin=f"https://{name}.example").parts[PartId(PartKind.LOCAL, f"https://{name}.example")] for name in "ab"],
                    epoch=1,
                ),
            )
            if stop.is_set():
                return

    thread = threading.Thread(target=work)
    thread.start()
    for _ in range(5):
        vault.backup(copy)
    stop.set()
    thread.join()
    with elsewhere:
        elsewhere.restore(copy)
        state = elsewhere.load("work")
        assert state.local_storage("https://a.example") == state.local_storage("https://b.example")
        assert elsewhere.check() == []


def test_a_vault_that_holds_something_is_not_overwritten_unasked(vault: Vault, copy: Path) -> None:
    vault.save("work", change("v5", at=5))
    with pytest.raises(ConfigError, match="is not empty: say `--replace`"):
        vault.restore(copy)
    assert vault.load("work").local_storage(ORIGIN) == {"k": "v5"}
    vault.restore(copy, replace=True)
    assert_whole(vault)
    assert [event.kind for event in vault.events(limit=1)] == ["restored"]


def test_others_who_have_the_vault_open_go_on_with_what_came_back(vault: Vault, open_vault: OpenVault, copy: Path) -> None:
    other = open_vault()
    other.save("work", change("v5", at=5))
    vault.restore(copy, replace=True)
    assert_whole(other)
    other.save("work", change("v6", at=6))
    assert vault.load("work").local_storage(ORIGIN) == {"k": "v6"}


def test_nobody_loses_a_profile_that_is_held(vault: Vault, copy: Path) -> None:
    with vault.lease("work"), pytest.raises(LeaseHeld, match="profile 'work' is held by"):
        vault.restore(copy, replace=True)
    vault.restore(copy, replace=True)
    with vault.lease("work") as lease:
        assert lease.token > 1


def test_merging_brings_back_what_is_gone_and_keeps_what_is_newer(vault: Vault, copy: Path) -> None:
    vault.save("work", change("v9", at=9))
    vault.save("work", change(None, at=9, key="deleted later"))
    vault.forget_secret("portside", "me")
    vault.forget_session("work", "portside")
    vault.save("other", change("mine", epoch=0))
    vault.restore(copy, merge=True)
    assert vault.load("work").local_storage(ORIGIN) == {"k": "v9"}
    assert vault.load("other").local_storage(ORIGIN) == {"k": "mine"}
    assert vault.secret("portside", "me", "password") == "hunter2"
    session = vault.session("work", "portside")
    assert session is not None
    assert session.username == "me"
    vault.forget("work")
    vault.restore(copy, merge=True)
    assert vault.load("work").local_storage(ORIGIN) == {"k": "v4"}
    assert vault.check() == []


def test_another_vaults_backup_is_not_merged(copy: Path, elsewhere: Vault) -> None:
    with elsewhere:
        elsewhere.save("work", change("theirs", epoch=0))
        with pytest.raises(ConfigError, match="of another vault"):
            elsewhere.restore(copy, merge=True)
        assert elsewhere.load("work").local_storage(ORIGIN) == {"k": "theirs"}


def test_without_the_key_nothing_is_restored(copy: Path, tmp_path: Path) -> None:
    for number, key in enumerate((None, MasterKey.generate())):
        with Vault(home=tmp_path / f"keyless{number}", key=key) as keyless, pytest.raises(KeyMissing):
            keyless.restore(copy)
        assert not (tmp_path / f"keyless{number}" / "vault.key").exists()


def test_what_is_no_whole_backup_is_refused_and_changes_nothing(vault: Vault, copy: Path) -> None:
    sound = copy.read_bytes()
    spoiled = [b"", b"{}", b"handstamp backup 1\n", sound[: len(sound) // 2], sound[:-1], sound + b"x"]
    spoiled += [sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :] for place in range(0, len(sound), max(1, len(sound) // 15))]
    for content in spoiled:
        copy.write_bytes(content)
        with pytest.raises((UnreadableState, UnsupportedVersion), match="copy"):
            vault.restore(copy, replace=True)
    assert_whole(vault)


def test_a_newer_releases_backup_is_refused_by_number(vault: Vault, copy: Path) -> None:
    copy.write_bytes(copy.read_bytes().replace(b"backup 1", b"backup 4711", 1))
    with pytest.raises(UnsupportedVersion, match="format 4711"):
        vault.restore(copy, replace=True)


def test_a_backup_with_damaged_records_is_restored_only_when_that_is_accepted(vault: Vault, tmp_path: Path) -> None:
    fill(vault)
    with vault._store().write() as transaction:
        transaction.run("reseal_version", part_id=1, generation=3, sealed=bytes(100))
    vault.backup(tmp_path / "copy")
    assert vault.verify_backup(tmp_path / "copy").damaged == ("a record ('part') of profile 'work'",)
    with pytest.raises(SealBroken, match="1 records of the backup"):
        vault.restore(tmp_path / "copy", replace=True)
    vault.restore(tmp_path / "copy", replace=True, accept_damage=True)
    assert [finding.problem for finding in vault.check()] == ["has a damaged earlier version 3"]


def test_a_file_that_is_no_backup_is_not_overwritten(vault: Vault, tmp_path: Path) -> None:
    fill(vault)
    (tmp_path / "thesis.txt").write_text("years of work")
    for name in ("thesis.txt", "", "nowhere/copy"):
        with pytest.raises(ConfigError):
            vault.backup(tmp_path / name)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(ConfigError, match="symbolic link"):
        vault.backup(tmp_path / "link")


def test_an_empty_vault_has_nothing_to_back_up(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is empty"):
        vault.backup(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_backup_from_before_a_rotation_needs_the_key_from_then(vault: Vault, open_vault: OpenVault, copy: Path) -> None:
    old = MasterKey.parse(export_key(vault))
    new = MasterKey.generate()
    vault.rotate_key("given", key=new)
    with pytest.raises(ConfigError, match="before the vault's key was rotated"):
        open_vault(key=new)._merge(Vault(key=old, home=copy.parent)._verified(copy), copy)
    with pytest.raises(KeyMissing):
        open_vault(key=new).restore(copy, replace=True)
    assert_whole(open_vault(key=new))


def test_savers_beside_a_restore_save_into_what_came_back(vault: Vault, open_vault: OpenVault, copy: Path) -> None:
    stop, failures = threading.Event(), []

    def work(number: int) -> None:
        mine = open_vault()
        try:
            for count in range(1, 100_000):
                mine.save("work", change(str(count), at=count, key=f"own{number}"))
                mine.load("work")
                if stop.is_set():
                    mine.save("work", change("last", at=10**6, key=f"own{number}"))
                    return
        except BaseException as error:  # noqa: BLE001  (the test tells)
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        vault.restore(copy, replace=True)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert vault.load("work").local_storage(ORIGIN) == {"k": "v4", "own0": "last", "own1": "last", "own2": "last"}
    assert vault.check() == []


def test_logins_are_counted_in_the_vault_that_a_backup_put_in_place(open_vault: OpenVault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Vault(home=tmp_path / "other") as other:
        other.set_secret("portside", "dana", "password", "x")
        other.backup(tmp_path / "copy")
        key = MasterKey.parse(export_key(other))
    keeper, restorer = open_vault(), open_vault(key=key)
    keeper.update_attempts("portside", "dana", lambda before, _: replace(before, failures=1))
    restorer.restore(tmp_path / "copy", replace=True)
    monkeypatch.setenv("HANDSTAMP_KEY", key.text())
    keeper.update_attempts("portside", "dana", lambda before, _: replace(before, failures=2))
    assert restorer.login_attempts("portside", "dana").failures == 2
