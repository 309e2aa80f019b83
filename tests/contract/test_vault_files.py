"""Contract: the pieces of a browser's own files in the vault."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import Conflict, LeaseLost
from handstamp.state import Entry, Part, PartId, PartKind, Stamp, StorageState

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.vault import Vault

PIECE = PartId(PartKind.FILES, "chunk", "c1")
LOCAL = PartId(PartKind.LOCAL, "https://app.example")


def files(value: object, *, at: int = 1, part_id: PartId = PIECE, epoch: int = 0) -> StorageState:
    return StorageState.of([Part(part_id, {("data",): Entry(value, Stamp(at))})], epoch=epoch)


def local(value: str, *, at: int = 1) -> StorageState:
    return StorageState.of([Part(LOCAL, {("k",): Entry(value, Stamp(at))})])


def content(vault: Vault, part_id: PartId = PIECE) -> list[object]:
    return [part.entries["data",].value for part in vault.pieces("work", [part_id])]


def test_files_come_back_by_name_as_another_program_asks(vault: Vault, open_vault: Callable[[], Vault]) -> None:
    vault.save("work", files(b"\x00\xffbytes"))
    assert content(open_vault()) == [b"\x00\xffbytes"]


def test_what_is_not_there_is_left_out(vault: Vault) -> None:
    assert vault.pieces("nobody", [PIECE]) == []
    vault.save("work", local("v"))
    assert [part.id for part in vault.pieces("work", [PIECE, LOCAL])] == [LOCAL]


def test_a_state_is_loaded_without_files(vault: Vault) -> None:
    vault.save("work", local("v"))
    vault.save("work", files(b"large"))
    assert set(vault.load("work").parts) == {LOCAL}
    assert set(vault.load("work", domains=["app.example"]).parts) == {LOCAL}
    assert {version.part for version in vault.history("work")} == {LOCAL}


def test_of_files_there_is_one_version(vault: Vault) -> None:
    for at in range(1, 6):
        vault.save("work", files(b"version %d" % at, at=at))
    assert content(vault) == [b"version 5"]
    assert vault.check() == []


def test_a_piece_whose_entries_are_deleted_is_gone(vault: Vault) -> None:
    vault.save("work", files(b"one", at=1))
    vault.save("work", files(None, at=2))
    assert content(vault) == []
    vault.save("work", files(None, at=3))
    assert content(vault) == []
    vault.save("work", files(b"one again", at=4))
    assert content(vault) == [b"one again"]


def test_going_back_leaves_files_alone(vault: Vault) -> None:
    vault.save("work", local("then"))
    vault.save("work", files(b"then"))
    then = vault.history("work")[0].written_at
    vault.save("work", local("now", at=2))
    vault.save("work", files(b"now", at=2))
    vault.rollback("work", to=max(then, datetime.now(UTC)))
    assert content(vault) == [b"now"]


def test_forgetting_a_domain_takes_the_files_that_may_hold_it(vault: Vault) -> None:
    vault.save("work", local("v"))
    vault.save("work", files(b"holds all domains"))
    vault.forget("work", domain="other.example")
    assert content(vault) == []
    assert set(vault.load("work").parts) == {LOCAL}


@pytest.mark.parametrize("domain", [None, "other.example"])
def test_a_late_saver_cannot_bring_forgotten_files_back(vault: Vault, domain: str | None) -> None:
    vault.save("work", files(b"then"))
    vault.forget("work", domain=domain)
    with pytest.raises(Conflict):
        vault.save("work", files(b"late", at=2, epoch=0))
    assert content(vault) == []


def test_forgetting_a_profile_takes_its_files(vault: Vault) -> None:
    vault.save("work", files(b"then"))
    vault.save("other", files(b"stays"))
    vault.forget("work")
    assert content(vault) == []
    assert [part.id for part in vault.pieces("other", [PIECE])] == [PIECE]


def test_files_can_be_forgotten_alone(vault: Vault) -> None:
    vault.save("work", local("v"))
    vault.save("work", files(b"then"))
    with vault.lease("work") as lease:
        vault.forget_files("work", lease=lease)
    assert content(vault) == []
    assert set(vault.load("work").parts) == {LOCAL}
    vault.forget_files("nobody")


def test_who_lost_the_lease_cannot_forget_files(vault: Vault) -> None:
    vault.save("work", files(b"then"))
    lost = vault.lease("work")
    vault.break_lease("work", reason="test")
    with pytest.raises(LeaseLost):
        vault.forget_files("work", lease=lost)
    assert content(vault) == [b"then"]
