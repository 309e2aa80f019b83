"""Sessions and API tokens of the stand-in sites: when they live, when they end, and what rotates."""

from __future__ import annotations

import pytest

from handstamp.demo.knobs import PortsideKnobs
from handstamp.demo.sessions import Session, Sessions, Visit, seconds_left, verdict
from handstamp.demo.tokens import Tokens

AGENT = "Agent/1"
KNOBS = PortsideKnobs(session_seconds=100, absolute_seconds=1000)


class Hands:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def sessions(hands: Hands) -> Sessions:
    return Sessions(hands.now)


def visit(sessions: Sessions, sid: str | None, knobs: PortsideKnobs = KNOBS, agent: str = AGENT) -> Visit:
    return sessions.visit(sid, knobs=knobs, user_agent=agent)


def opened(sessions: Sessions, knobs: PortsideKnobs = KNOBS, username: str = "demo") -> Session:
    return sessions.open(username, knobs=knobs, user_agent=AGENT)


def test_each_request_extends_a_session(hands: Hands, sessions: Sessions) -> None:
    session = opened(sessions)
    for _ in range(5):
        hands.time += 99
        assert visit(sessions, session.sid).session is session


def test_a_session_expires_when_no_request_comes(hands: Hands, sessions: Sessions) -> None:
    session = opened(sessions)
    hands.time = 100
    assert visit(sessions, session.sid) == Visit(None, "expired")
    assert sessions.ended == {"expired": 1}


def test_no_request_extends_a_session_beyond_its_absolute_life(hands: Hands, sessions: Sessions) -> None:
    session = opened(sessions)
    for _ in range(19):
        hands.time += 50
        assert visit(sessions, session.sid).session is session
    assert seconds_left(session, knobs=KNOBS, now=hands.time) == 50
    hands.time += 50
    assert visit(sessions, session.sid) == Visit(None, "too-old")


@pytest.mark.parametrize("sid", [None, "", "unknown"])
def test_an_id_of_nothing_names_no_session_and_no_end(sessions: Sessions, sid: str | None) -> None:
    opened(sessions)
    assert visit(sessions, sid) == Visit(None, None)


def test_rotation_gives_a_new_id_and_the_old_one_is_dead_at_once(sessions: Sessions) -> None:
    knobs = PortsideKnobs(rotate=True)
    session = opened(sessions, knobs)
    first = session.sid
    assert visit(sessions, first, knobs).session is session
    assert session.sid != first
    assert visit(sessions, first, knobs) == Visit(None, None)
    assert session.ended is None
    assert len(sessions.alive(knobs=knobs)) == 1


def test_within_the_grace_an_old_id_leads_to_the_session_without_rotating_it_again(hands: Hands, sessions: Sessions) -> None:
    knobs = PortsideKnobs(rotate=True, rotate_grace=5)
    session = opened(sessions, knobs)
    first = session.sid
    visit(sessions, first, knobs)
    second = session.sid
    hands.time = 4.9
    assert visit(sessions, first, knobs).session is session
    assert session.sid == second
    hands.time = 5
    assert visit(sessions, first, knobs) == Visit(None, None)


def test_another_user_agent_ends_a_bound_session(sessions: Sessions) -> None:
    knobs = PortsideKnobs(bind_user_agent=True)
    session = opened(sessions, knobs)
    assert visit(sessions, session.sid, knobs).session is session
    assert visit(sessions, session.sid, knobs, agent="Agent/2") == Visit(None, "user-agent")
    assert visit(sessions, session.sid, knobs) == Visit(None, "user-agent")


def test_another_user_agent_does_not_matter_by_default(sessions: Sessions) -> None:
    session = opened(sessions)
    assert visit(sessions, session.sid, agent="Agent/2").session is session


def test_revoking_one_account_leaves_the_others(sessions: Sessions) -> None:
    mine, hers = opened(sessions), opened(sessions, username="dana")
    assert sessions.end_all("revoked", knobs=KNOBS, username="demo") == 1
    assert visit(sessions, mine.sid) == Visit(None, "revoked")
    assert visit(sessions, hers.sid).session is hers


def test_the_first_reason_of_an_end_stays(sessions: Sessions) -> None:
    session = opened(sessions)
    sessions.end(session, "logged-out")
    sessions.end(session, "revoked")
    assert verdict(session, knobs=KNOBS, now=0) == "logged-out"
    assert sessions.ended == {"logged-out": 1}


def test_a_changed_knob_acts_on_open_sessions(hands: Hands, sessions: Sessions) -> None:
    session = opened(sessions)
    hands.time = 10
    assert visit(sessions, session.sid, PortsideKnobs(session_seconds=5)) == Visit(None, "expired")


def test_many_rotations_leave_one_living_id(sessions: Sessions) -> None:
    knobs = PortsideKnobs(rotate=True)
    session, other = opened(sessions, knobs), opened(sessions)
    for _ in range(3000):
        assert visit(sessions, session.sid, knobs).session is session
    assert len(sessions._ids) < 1100
    assert visit(sessions, other.sid).session is other


def test_the_canary_stands_in_each_id_and_token(hands: Hands, sessions: Sessions) -> None:
    knobs = PortsideKnobs(canary="canary-7", refresh_rotation=True)
    session = opened(sessions, knobs)
    grant = Tokens(hands.now).issue(session, knobs=knobs)
    assert grant.refresh_token is not None
    assert all(value.startswith("canary-7.") for value in (session.sid, grant.token, grant.refresh_token))


def test_a_token_lives_as_long_as_its_session_by_default(hands: Hands, sessions: Sessions) -> None:
    tokens, session = Tokens(hands.now), opened(sessions)
    grant = tokens.issue(session, knobs=KNOBS)
    hands.time = 10**6
    assert grant.refresh_token is None
    assert tokens.session_of(grant.token) is session


def test_a_short_token_ends_and_its_refresh_token_gets_the_next(hands: Hands, sessions: Sessions) -> None:
    knobs = PortsideKnobs(token_seconds=10)
    tokens, session = Tokens(hands.now), opened(sessions, knobs)
    grant = tokens.issue(session, knobs=knobs)
    assert grant.refresh_token is not None
    hands.time = 10
    assert tokens.session_of(grant.token) is None
    renewed = tokens.renew(grant.refresh_token, knobs=knobs)
    assert renewed is not None
    assert tokens.session_of(renewed.token) is session
    assert renewed.refresh_token == grant.refresh_token


def test_with_rotation_a_refresh_token_works_once(hands: Hands, sessions: Sessions) -> None:
    knobs = PortsideKnobs(refresh_rotation=True)
    tokens, session = Tokens(hands.now), opened(sessions, knobs)
    first = tokens.issue(session, knobs=knobs).refresh_token
    assert first is not None
    second = tokens.renew(first, knobs=knobs)
    assert second is not None
    assert second.refresh_token not in {None, first}
    assert tokens.owner(first) is session
    assert tokens.renew(first, knobs=knobs) is None


def test_within_the_grace_a_used_refresh_token_gives_the_same_successor(hands: Hands, sessions: Sessions) -> None:
    knobs = PortsideKnobs(refresh_rotation=True, rotate_grace=5)
    tokens, session = Tokens(hands.now), opened(sessions, knobs)
    first = tokens.issue(session, knobs=knobs).refresh_token
    assert first is not None
    assert tokens.renew(first, knobs=knobs) == tokens.renew(first, knobs=knobs) is not None
    hands.time = 5
    assert tokens.renew(first, knobs=knobs) is None


def test_tokens_of_an_ended_session_have_no_owner(hands: Hands, sessions: Sessions) -> None:
    knobs = PortsideKnobs(refresh_rotation=True)
    tokens, session = Tokens(hands.now), opened(sessions, knobs)
    refresh_token = tokens.issue(session, knobs=knobs).refresh_token
    sessions.end(session, "logged-out")
    assert refresh_token is not None
    assert tokens.owner(refresh_token) is None


def test_tokens_of_ended_sessions_are_dropped_in_time(hands: Hands, sessions: Sessions) -> None:
    tokens, living = Tokens(hands.now), opened(sessions)
    kept = tokens.issue(living, knobs=KNOBS)
    for _ in range(3000):
        session = opened(sessions)
        tokens.issue(session, knobs=KNOBS)
        sessions.end(session, "logged-out")
    assert len(tokens._access) < 1100
    assert tokens.session_of(kept.token) is living


def test_nothing_secret_stands_in_a_repr(hands: Hands, sessions: Sessions) -> None:
    knobs = PortsideKnobs(canary="canary-7", refresh_rotation=True)
    session = opened(sessions, knobs)
    session.handout, session.auth_token = Tokens(hands.now).issue(session, knobs=knobs), "canary-7.x"
    assert "canary-7" not in f"{session!r} {session.handout!r}"
    assert session.csrf not in repr(session)
