"""Contract: leases of the vault, within one process. Those of several are in tests/faults."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import ConfigError, LeaseHeld, LeaseLost
from handstamp.state import Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.vault import Holder, Standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.vault import Vault

CHANGES = StorageState.of([Part(PartId(PartKind.LOCAL, "https://app.example"), {("k",): Entry("v", Stamp(1))})])


def test_a_lease_is_held_within_its_with_and_free_after(vault: Vault) -> None:
    with vault.lease("work") as lease:
        info = vault.lease_info("work")
        assert (info.token, info.holder, info.standing) == (lease.token, lease.holder, Standing.ALIVE)
        assert [held.profile for held in vault.leases()] == ["work"]
    assert (vault.lease_info("work"), vault.leases()) == (None, [])


def test_a_second_opener_is_told_who_holds_it_since_when_and_what_to_do(vault: Vault, open_vault: Callable[[], Vault]) -> None:
    with vault.lease("work") as lease, pytest.raises(LeaseHeld, match=r"profile 'work' is held by pid \d+ on .+ since \d\d:\d\d:\d\dZ; wait for it") as caught:
        open_vault().lease("work", wait=0.05)
    assert caught.value.holder == str(lease.holder)
    assert caught.value.since is not None


def test_tokens_only_grow(vault: Vault) -> None:
    tokens = []
    for _ in range(3):
        with vault.lease("work") as lease:
            tokens.append(lease.token)
    vault.forget("work")
    with vault.lease("work") as lease:
        tokens.append(lease.token)
    assert tokens == sorted(set(tokens))


def test_a_waiter_gets_it_when_the_holder_lets_go(vault: Vault, open_vault: Callable[[], Vault]) -> None:
    held, waited = vault.lease("work"), []
    waiter = threading.Thread(target=lambda: waited.append(open_vault().lease("work", wait=20)))
    waiter.start()
    held.release()
    waiter.join()
    with waited[0] as lease:
        assert lease.token > held.token


def test_every_write_to_a_profile_under_a_broken_lease_is_refused(vault: Vault) -> None:
    vault.save("work", CHANGES)
    session, written = vault.update_session("work", "portside", lambda session: session), vault.history("work")
    with vault.lease("work") as lease:
        vault.pin("work", lease=lease)
        vault.break_lease("work", reason="test")
        writes: list[Callable[[], object]] = [
            lambda: vault.pin("work", lease=lease),
            lambda: vault.rollback("work", to=datetime.now(UTC), lease=lease),
            lambda: vault.update_session("work", "portside", lambda session: replace(session, logins=7), lease=lease),
            lambda: vault.forget_files("work", lease=lease),
        ]
        for write in writes:
            with pytest.raises(LeaseLost, match="Nothing was written"):
                write()
    assert vault.session("work", "portside") == session
    assert [version.pinned for version in vault.history("work")] == [True]
    assert len(vault.history("work")) == len(written)


def test_a_lease_of_another_profile_is_no_leave_to_write(vault: Vault) -> None:
    with vault.lease("other") as lease, pytest.raises(ValueError, match="a lease of profile 'other' was given for a write to profile 'work'"):
        vault.pin("work", lease=lease)


def test_who_waits_is_listed_in_the_order_of_coming(vault: Vault, open_vault: Callable[[], Vault]) -> None:
    def wait() -> None:
        with open_vault().lease("work", wait=20):
            pass

    threads = [threading.Thread(target=wait) for _ in range(2)]
    with vault.lease("work") as lease:
        assert [info.waiting for info in vault.leases()] == [()]
        for number, thread in enumerate(threads, 1):
            thread.start()
            while in_line(vault) < number:
                pass
        assert [info.waiting for info in vault.leases()] == [(lease.holder, lease.holder)]
    for thread in threads:
        thread.join()
    assert vault.leases() == []


def in_line(vault: Vault) -> int:
    with vault._store().read() as transaction:
        return len(transaction.rows("waiters", profile="work", purpose="open", site=""))


def test_waiters_are_served_in_the_order_in_which_they_came(vault: Vault, open_vault: Callable[[], Vault]) -> None:
    held, served, threads = vault.lease("work"), [], []

    def wait(number: int) -> None:
        with open_vault().lease("work", wait=50):
            served.append(number)

    for number in range(5):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while in_line(vault) <= number:
            threading.Event().wait(0.01)
    with pytest.raises(LeaseHeld):  # who does not wait does not overtake
        vault.lease("work")
    held.release()
    for thread in threads:
        thread.join()
    assert served == [0, 1, 2, 3, 4]
    assert in_line(vault) == 0


def test_who_gives_up_waiting_leaves_the_line(vault: Vault, open_vault: Callable[[], Vault]) -> None:
    with vault.lease("work"), pytest.raises(LeaseHeld):
        open_vault().lease("work", wait=0.1)
    assert in_line(vault) == 0
    with vault.lease("work"):
        pass


def test_a_free_lease_that_others_wait_for_is_not_taken_before_them(vault: Vault) -> None:
    with vault._store().write() as transaction:
        transaction.run("add_waiter", profile="work", purpose="open", site="", holder=Holder("host-a", "", "", 4711, "").text(), now=transaction.now())
    with pytest.raises(LeaseHeld, match="next for pid 4711 on host-a, who came before"):
        vault.lease("work")


def test_leases_of_profiles_and_of_logins_do_not_exclude_each_other(vault: Vault) -> None:
    with vault.lease("a"), vault.lease("b"), vault.lease("a", purpose="login", site="one"), vault.lease("a", purpose="login", site="two"):
        assert len(vault.leases()) == 4
        with pytest.raises(LeaseHeld, match="the login of profile 'a' at 'one' is held"):
            vault.lease("a", purpose="login", site="one")


def test_a_save_under_the_lease_is_written(vault: Vault) -> None:
    with vault.lease("work") as lease:
        assert vault.save("work", CHANGES, lease=lease).written


def test_a_save_without_a_lease_is_written_beside_a_holder(vault: Vault, open_vault: Callable[[], Vault]) -> None:
    with vault.lease("work"):
        assert open_vault().save("work", CHANGES).written


def test_a_save_under_a_broken_lease_is_refused_and_writes_nothing(vault: Vault) -> None:
    lease = vault.lease("work")
    taken_from = vault.break_lease("work", reason="it hangs")
    assert (taken_from.token, taken_from.holder) == (lease.token, lease.holder)
    with pytest.raises(LeaseLost, match="broken"):
        vault.save("work", CHANGES, lease=lease)
    assert lease.lost
    assert vault.profiles() == []
    assert [(event.kind, event.data["reason"]) for event in vault.events(profile="work")] == [("lease-broken", "it hangs")]
    lease.release()


def test_a_stale_holders_save_is_refused_when_another_has_taken_over(vault: Vault) -> None:
    stale = vault.lease("work")
    vault.break_lease("work", reason="test")
    with vault.lease("work"):
        stale.release()
        with pytest.raises(LeaseLost):
            vault.save("work", CHANGES, lease=stale)
        assert vault.lease_info("work") is not None


def test_a_save_under_a_released_lease_is_refused(vault: Vault) -> None:
    with vault.lease("work") as lease:
        pass
    with pytest.raises(LeaseLost):
        vault.save("work", CHANGES, lease=lease)


def test_a_lease_of_another_profile_is_a_mistake(vault: Vault) -> None:
    with vault.lease("other") as lease, pytest.raises(ValueError, match="other"):
        vault.save("work", CHANGES, lease=lease)


def test_breaking_a_free_lease_is_nothing(vault: Vault) -> None:
    assert vault.break_lease("work", reason="none") is None
    assert vault.events() == []


def test_a_heart_beats(vault: Vault) -> None:
    with vault.lease("work", life=0.06):
        first = vault.lease_info("work").beat_at
        while vault.lease_info("work").beat_at == first:
            threading.Event().wait(0.01)


def test_a_beat_finds_that_the_lease_was_broken(vault: Vault) -> None:
    lease = vault.lease("work", life=0.06)
    vault.break_lease("work", reason="test")
    while lease.lost is None:
        threading.Event().wait(0.01)
    assert lease.lost == "it was broken or released"
    lease.release()


@pytest.mark.parametrize(("purpose", "site"), [("open", "one"), ("login", None), ("other", None)])
def test_a_lease_for_what_there_is_none_is_a_mistake(vault: Vault, purpose: str, site: str | None) -> None:
    with pytest.raises(ValueError, match="lease"):
        vault.lease("work", purpose=purpose, site=site)


def test_a_lease_needs_a_name_that_can_be(vault: Vault) -> None:
    with pytest.raises(ConfigError):
        vault.lease("../up")
