"""Contract: what changed between two times, by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import ConfigError
from handstamp.state import Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.vault import PartChange

if TYPE_CHECKING:
    from handstamp.vault import Vault

LOCAL, OTHER = PartId(PartKind.LOCAL, "https://app.example"), PartId(PartKind.LOCAL, "https://other.example")


def change(at: int, part: PartId = LOCAL, **values: str | None) -> StorageState:
    return StorageState.of([Part(part, {(key,): Entry(value, Stamp(at)) for key, value in values.items()})])


def written(vault: Vault, generation: int) -> datetime:
    return next(version.written_at for version in vault.history("work") if version.generation == generation and version.part == LOCAL)


def test_without_times_it_is_what_the_last_change_did(vault: Vault) -> None:
    vault.save("work", change(1, stays="s", changes="before", goes="x"))
    vault.save("work", change(2, changes="secret-after", goes=None, comes="c"))
    (found,) = vault.diff("work")
    assert found == PartChange(LOCAL, added=(("comes",),), changed=(("changes",),), removed=(("goes",),))
    assert "secret-after" not in repr(found)


def test_a_first_version_is_all_new_and_a_profile_that_is_not_there_has_nothing(vault: Vault) -> None:
    vault.save("work", change(1, k="v"))
    assert vault.diff("work") == [PartChange(LOCAL, added=(("k",),))]
    assert vault.diff("nobody") == []


def test_between_two_times(vault: Vault) -> None:
    vault.save("work", change(1, k="1"))
    vault.save("work", change(2, k="2", new="x"))
    vault.save("work", change(3, k="1"))
    vault.save("work", change(4, OTHER, later="x"))
    first, second = written(vault, 1), written(vault, 2)
    future = datetime.now(UTC) + timedelta(hours=1)
    if first < second < written(vault, 3):  # by the millisecond
        assert vault.diff("work", since=first, until=second) == [PartChange(LOCAL, added=(("new",),), changed=(("k",),))]
    assert vault.diff("work", since=future) == []
    everything = vault.diff("work", since=datetime(2020, 1, 1, tzinfo=UTC), until=future)
    assert everything == [PartChange(LOCAL, added=(("k",), ("new",))), PartChange(OTHER, added=(("later",),))]


def test_a_time_of_which_nothing_is_kept_is_an_error(vault: Vault) -> None:
    for at in range(1, 20):
        vault.save("work", change(at, k=str(at)))
    with pytest.raises(ConfigError, match=r"of local/https://app\.example no version that old is kept"):
        vault.diff("work", since=datetime(2020, 1, 1, tzinfo=UTC))
