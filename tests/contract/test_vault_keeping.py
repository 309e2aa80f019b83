"""What the keeper keeps in a vault: counted logins, questions of sites, turns."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import SessionNotFound
from handstamp.state import Health
from handstamp.vault import Attempts, Ended, Question, Turn

if TYPE_CHECKING:
    from handstamp.vault import Vault

    from .conftest import OpenVault


def test_attempts_are_counted_across_programs(open_vault: OpenVault) -> None:
    one, other = open_vault(), open_vault()
    one.update_attempts("portside", "dana", lambda known, now: replace(known, failures=known.failures + 1, failed_at=now, reason="refused"))
    other.update_attempts("portside", "dana", lambda known, _: replace(known, failures=known.failures + 1))
    found = one.login_attempts("portside", "dana")
    assert (found.failures, found.reason) == (2, "refused")
    assert one.login_attempts("portside", "omar") == Attempts()


def test_no_count_is_lost_among_threads(open_vault: OpenVault) -> None:
    def count() -> None:
        vault = open_vault()
        for _ in range(5):
            vault.update_attempts("portside", "dana", lambda known, _: replace(known, failures=known.failures + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert open_vault().login_attempts("portside", "dana").failures == 20


def test_a_change_that_raises_changes_nothing(vault: Vault) -> None:
    def refuse(known: Attempts, now: datetime) -> Attempts:
        del known, now
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        vault.update_attempts("portside", "dana", refuse)
    assert vault.login_attempts("portside", "dana") == Attempts()


def test_a_password_is_known_again_by_its_mark_alone(vault: Vault) -> None:
    mark = vault.password_mark("portside", "dana", "secret")
    assert mark == vault.password_mark("portside", "dana", "secret")
    assert mark not in {vault.password_mark("portside", "dana", "other"), vault.password_mark("portside", "omar", "secret")}
    other = vault.password_mark("portside", "dana", "other")
    for refused in (mark, other, mark):
        vault.update_attempts("portside", "dana", lambda known, _, refused=refused: known.with_refused(refused))
    assert vault.login_attempts("portside", "dana").refused == (mark, other)
    vault.update_attempts("portside", "dana", lambda _, __: Attempts())
    assert vault.login_attempts("portside", "dana").refused == ()


def test_a_question_is_answered_once_from_another_program(open_vault: OpenVault) -> None:
    asker, person = open_vault(), open_vault()
    challenge_id = asker.ask(Question("work", "portside", "image", "dana", "Type the characters", b"png"), seconds=60)
    (found,) = person.challenges()
    assert (found.challenge_id, found.account, found.question, found.image) == (challenge_id, "dana", "Type the characters", b"png")
    assert asker.answered(challenge_id) is None
    assert person.answer(challenge_id, "K7PQX")
    assert not person.answer(challenge_id, "LATER")
    assert asker.answered(challenge_id) == "K7PQX"
    assert person.challenges() == []


def test_a_question_ends_with_its_deadline_or_its_login(vault: Vault) -> None:
    late = vault.ask(Question("work", "portside", "code"), seconds=-1)
    withdrawn = vault.ask(Question("work", "portside", "code"), seconds=60)
    vault.withdraw(withdrawn)
    assert vault.challenges() == []
    assert not vault.answer(late, "1")
    assert not vault.answer(withdrawn, "1")
    assert not vault.answer("not an id", "1")
    with pytest.raises(SessionNotFound, match="handstamp challenges"):
        vault.challenge(withdrawn)


def test_a_turn_is_taken_once_and_comes_again(open_vault: OpenVault) -> None:
    one, other = open_vault(), open_vault()
    for name in ("a", "b", "c"):
        one.update_session(name, "portside", lambda session: replace(session, health=Health.VALID))
    one.update_session("a", "elsewhere", lambda session: session)
    assert one.enrol("portside", within=0, why="first") == 3
    assert one.enrol("portside", within=0, why="again") == 0
    assert one.next_turn() is not None
    mine, theirs = one.claim_turns(limit=2, life=60), other.claim_turns(limit=5, life=60)
    assert sorted(session.profile for _, session in [*mine, *theirs]) == ["a", "b", "c"]
    assert one.claim_turns(limit=5, life=60) == []
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    one.end_turns([Ended(Turn(turn.session_id, later, "regular"), valid_at=later) for turn, _ in mine])
    assert one.claim_turns(limit=5, life=60) == []
    ended = one.session_by_id(mine[0][0].session_id)
    assert ended.last_verified == later
    assert (found := one.turn(ended.session_id)) is not None
    assert found.why == "regular"


def test_who_does_not_end_a_turn_loses_it(vault: Vault) -> None:
    vault.update_session("a", "portside", lambda session: session)
    vault.enrol("portside", within=0, why="first")
    assert len(vault.claim_turns(limit=5, life=0)) == 1
    assert len(vault.claim_turns(limit=5, life=60)) == 1


def test_what_is_forgotten_has_no_turn(vault: Vault) -> None:
    vault.update_session("a", "portside", lambda session: session)
    vault.enrol("portside", within=0, why="first")
    vault.forget("a")
    assert vault.claim_turns(limit=5, life=60) == []
    assert vault.next_turn() is None


def test_a_check_that_found_nothing_new_hides_no_news(vault: Vault) -> None:
    session = vault.update_session("a", "portside", lambda session: replace(session, health=Health.EXPIRED))
    vault.enrol("portside", within=0, why="first")
    now = datetime.now(UTC)
    vault.end_turns([Ended(Turn(session.session_id, now), valid_at=now)])
    assert vault.session_by_id(session.session_id).last_verified is None
