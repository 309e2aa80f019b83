"""How many looks at one site at once."""

from __future__ import annotations

from handstamp.keeper.gates import Gates


def test_a_slow_site_takes_no_more_than_its_share_and_holds_up_no_other() -> None:
    gates = Gates(together=2)
    assert [gates.enter("slow", float(now), per_second=100) for now in range(4)] == [True, True, False, False]
    assert gates.enter("other", 0.0, per_second=100)
    gates.leave("slow")
    assert gates.enter("slow", 9.0, per_second=100)


def test_looks_at_a_site_keep_their_distance() -> None:
    gates = Gates(together=1000)
    entered = sum(gates.enter("site", tick / 100, per_second=10) for tick in range(1000))  # ten seconds
    assert 98 <= entered <= 104
