"""Contract: rotating the key, alone and beside others."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from handstamp.errors import ConfigError, Conflict, KeyMissing
from handstamp.state import Device, Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.vault import MasterKey, Question, Vault, export_key, key_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ORIGIN = "https://app.example"


class OpenVault(Protocol):
    def __call__(self, *, key: MasterKey | None = None) -> Vault: ...


def change(value: str, *, at: int = 1, origin: str = ORIGIN, key: str = "k", epoch: int = 0) -> StorageState:
    return StorageState.of([Part(PartId(PartKind.LOCAL, origin), {(key,): Entry(value, Stamp(at))})], epoch=epoch)


def fill(vault: Vault) -> None:
    """Something sealed of every kind."""
    for number in range(1, 5):
        vault.save("work", change(f"v{number}", at=number))
    vault.save("work", change("x", origin="https://gone.example"))
    vault.forget("work", domain="gone.example")
    vault.save("work", StorageState.of([Part(PartId(PartKind.FILES, "chunk", "c"), {("data",): Entry(b"file", Stamp(1))})], epoch=1))
    vault.update_session("work", "portside", lambda session: replace(session, device=Device(proxy="http://u:p@proxy")))
    vault.set_secret("portside", "me", "password", "hunter2")
    vault.answer(vault.ask(Question("work", "portside", "text", text="How many?"), seconds=600), "three")
    vault.ask(Question("work", "portside", "text", text="Who?"), seconds=600)


def assert_whole(vault: Vault) -> None:
    assert vault.check() == []
    assert vault.load("work").local_storage(ORIGIN) == {"k": "v4"}
    assert [version.generation for version in vault.history("work")] == [4, 3, 2, 1]
    assert [part.entries["data",].value for part in vault.pieces("work", [PartId(PartKind.FILES, "chunk", "c")])] == [b"file"]
    session = vault.session("work", "portside")
    assert session is not None
    assert session.device.proxy == "http://u:p@proxy"
    assert vault.secret("portside", "me", "password") == "hunter2"
    assert [challenge.question for challenge in vault.challenges()] == ["Who?"]
    with pytest.raises(Conflict, match="was forgotten"):
        vault.save("work", change("late", origin="https://gone.example", epoch=0))


def test_everything_opens_with_the_new_key_and_nothing_with_the_old(vault: Vault, open_vault: OpenVault) -> None:
    fill(vault)
    old = MasterKey.parse(export_key(vault))
    done = vault.rotate_key()
    assert (done.damaged, done.resumed, [record.key_id for record in done.old]) == (0, False, [old.id])
    assert done.resealed == 13  # versions, names, a forgotten domain, a session, questions and an answer, a credential
    assert done.new.key_id != old.id
    for one in (vault, open_vault()):
        assert_whole(one)
        assert key_record(one) == done.new
    with pytest.raises(KeyMissing, match=f"this is {old.id}, which was rotated out"):
        open_vault(key=old).load("work")
    assert [event.kind for event in vault.events() if event.kind.startswith("key-")] == ["key-rotated", "key-rotation-begun"]


def test_others_who_have_the_old_key_in_memory_read_and_write_on(vault: Vault, open_vault: OpenVault) -> None:
    fill(vault)
    other = open_vault()
    assert_whole(other)
    vault.rotate_key()
    assert_whole(other)
    other.save("work", change("after", at=9, epoch=1))
    assert vault.load("work").local_storage(ORIGIN) == {"k": "after"}
    assert vault.check() == []
    other.rotate_key()
    vault.save("work", change("again", at=10, epoch=1))
    assert other.load("work").local_storage(ORIGIN) == {"k": "again"}
    assert open_vault().check() == []


def test_savers_and_readers_beside_a_rotation_notice_nothing(vault: Vault, open_vault: OpenVault) -> None:
    fill(vault)
    failures: list[BaseException] = []
    stop = threading.Event()

    def work(number: int) -> None:
        mine = open_vault()
        try:
            for count in range(1, 10_000):
                mine.save("work", change(str(count), at=count, key=f"own{number}", epoch=1))
                assert mine.load("work").local_storage(ORIGIN)[f"own{number}"] == str(count)
                mine.set_secret("portside", f"own{number}", "password", str(count))
                assert mine.secret("portside", f"own{number}", "password") == str(count)
                if stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001  (the test tells)
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        vault.rotate_key()
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert vault.events(kind="part-damaged") == []
    assert open_vault().check() == []


def test_a_rotation_that_was_interrupted_is_brought_to_its_end(vault: Vault, open_vault: OpenVault) -> None:
    fill(vault)
    old = MasterKey.parse(export_key(vault))
    key = MasterKey.generate()
    vault._introduce("given", key=key, phrase=None, hand_over=True)
    assert [record.key_id for record in vault.rotating()] == [old.id]
    for one in (vault, open_vault(key=old), open_vault(key=key)):
        assert_whole(one)
    open_vault(key=old).save("work", change("v4", at=8, key="k", epoch=1))
    done = open_vault(key=old).rotate_key()
    assert (done.resumed, done.new.key_id) == (True, key.id)
    assert vault.rotating() == []
    assert open_vault(key=key).check() == []
    with pytest.raises(KeyMissing):
        open_vault(key=old).check()


class Interrupted(Vault):
    """Does something else before the third of its sealed writes."""

    writes = 0

    def _write_sealed(self, work: Callable[..., Any], **options: Any) -> Any:
        self.writes += 1
        if self.writes == 3:
            self.meanwhile()
        return super()._write_sealed(work, **options)


def test_who_is_overtaken_by_another_rotation_retires_nothing(vault: Vault, open_vault: OpenVault, url: str, tmp_path: Path) -> None:
    fill(vault)
    with Interrupted(url, home=tmp_path / "home") as slow:

        def meanwhile() -> None:
            vault.rotate_key()
            vault._introduce(None, key=None, phrase=None, hand_over=True)

        slow.meanwhile = meanwhile  # type: ignore[attr-defined]
        slow._introduce(None, key=None, phrase=None, hand_over=True)
        with pytest.raises(Conflict, match="somebody else gave the vault another one"):
            slow.rotate_key()
    assert len(vault.rotating()) == 1
    assert_whole(open_vault())
    assert open_vault().rotate_key().damaged == 0
    assert_whole(open_vault())


def test_without_handing_over_the_old_key_opens_nothing_from_the_first_moment(vault: Vault, open_vault: OpenVault) -> None:
    fill(vault)
    old, key = MasterKey.parse(export_key(vault)), MasterKey.generate()
    vault._introduce("given", key=key, phrase=None, hand_over=False)
    with pytest.raises(KeyMissing):
        open_vault(key=old).load("work")
    assert_whole(open_vault(key=key))
    assert open_vault(key=key).rotate_key().resumed


def test_a_record_that_does_not_open_is_left_as_it_is_and_counted(vault: Vault, open_vault: OpenVault) -> None:
    fill(vault)
    with vault._store().write() as transaction:
        transaction.run("reseal_version", part_id=1, generation=2, sealed=bytes(100))
    assert vault.rotate_key().damaged == 1
    assert [finding.problem for finding in open_vault().check()] == ["has a damaged earlier version 2"]


def test_the_key_goes_from_source_to_source(vault: Vault, open_vault: OpenVault, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fill(vault)
    vault.rotate_key("passphrase", passphrase="correct horse")
    with pytest.raises(KeyMissing, match="HANDSTAMP_PASSPHRASE is not set"):
        open_vault().load("work")
    monkeypatch.setenv("HANDSTAMP_PASSPHRASE", "correct horse")
    assert_whole(open_vault())
    key = MasterKey.generate()
    open_vault().rotate_key("credential", key=key)
    with pytest.raises(KeyMissing, match="the credential 'handstamp-key', and this process has none"):
        open_vault().load("work")
    (tmp_path / "handstamp-key").write_text(key.text() + "\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert_whole(open_vault())
    open_vault().rotate_key("file")
    with pytest.raises(KeyMissing, match="the credential 'handstamp-key' is not this vault's key"):
        open_vault().load("work")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert_whole(open_vault())


@pytest.mark.parametrize(
    ("source", "given"), [("environment", {}), ("file", {"passphrase": "x"}), ("passphrase", {}), ("keyring", {"key": MasterKey(bytes(32))})]
)
def test_what_a_source_needs_is_asked_for_by_name(vault: Vault, source: str, given: dict[str, object]) -> None:
    fill(vault)
    before = key_record(vault)
    with pytest.raises(ConfigError, match=f"from the source '{source}' needs"):
        vault.rotate_key(source, **given)
    assert key_record(vault) == before
    assert vault.rotating() == []


def test_a_key_that_cannot_be_put_where_it_belongs_changes_nothing(vault: Vault, open_vault: OpenVault) -> None:
    fill(vault)
    before = key_record(vault)
    with pytest.raises(KeyMissing):
        vault.rotate_key("keyring")  # there is none here
    assert key_record(open_vault()) == before
    assert_whole(open_vault())
