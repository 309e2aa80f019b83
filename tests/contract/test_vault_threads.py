"""Contract: many threads and openers at once lose nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from handstamp.state import Entry, Part, PartId, PartKind, Stamp, StorageState

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.vault import Vault

LOCAL = PartId(PartKind.LOCAL, "https://app.example")


def change(name: str) -> StorageState:
    return StorageState.of([Part(LOCAL, {(name,): Entry(name, Stamp(1, 0, name))})])


def test_threads_that_save_their_own_keys_into_one_part_lose_none(vault: Vault) -> None:
    names = [f"{thread}-{number}" for thread in range(8) for number in range(10)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: vault.save("work", change(name)), names))
    assert set(vault.load("work").local_storage(LOCAL.scope)) == set(names)


def test_openers_that_count_in_one_session_lose_no_count(open_vault: Callable[[], Vault]) -> None:
    vaults = [open_vault() for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(
            threads.map(lambda number: vaults[number % 4].update_session("work", "one", lambda session: replace(session, logins=session.logins + 1)), range(40))
        )
    assert vaults[0].session("work", "one").logins == 40


def test_openers_of_an_empty_vault_agree_on_its_key(open_vault: Callable[[], Vault]) -> None:
    vaults = [open_vault() for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda pair: pair[1].save("work", change(str(pair[0]))), enumerate(vaults)))
    assert len(open_vault().load("work").local_storage(LOCAL.scope)) == 8
    assert open_vault().check() == []


def test_a_closed_vault_opens_again(vault: Vault) -> None:
    vault.save("work", change("a"))
    vault.close()
    assert vault.load("work").local_storage(LOCAL.scope) == {"a": "a"}
