"""One request of a client that is logged in, from the first look at the session to the answer: the same for sync and async.

ready ──▶ send ──▶ judge ──▶ hand on
  ▲                  │ looks signed out
  │                  ▼
  └── replay ◀── come back: what others changed · a renewed token · one login, if the site's check says so, too
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from handstamp.clients.answers import for_a_person, pointed_to
from handstamp.clients.steps import Blocking, Drop, Peek, Send
from handstamp.errors import ChallengeUnsolved, LoginRequired
from handstamp.http.observation import bare_url
from handstamp.state import Health

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.clients.answers import Answers
    from handstamp.clients.membership import Carried, Membership
    from handstamp.clients.steps import Flow
    from handstamp.sites import Verdict

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"})  # RFC 9110 §9.2.2
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_SENT_AT_MOST = 4


def request_flow(membership: Membership, answers: Answers, request: Any, *, stream: bool, resendable: Callable[[Any], bool]) -> Flow:
    """What is to be done for one request; returns the response.

    Args:
        membership: who is logged in where.
        answers: how the site's answers are read.
        request: the library's.
        stream: the caller reads the body.
        resendable: whether a request's own body is there still.

    Raises:
        LoginRequired: the session had ended. Either nobody but a person can log in, or that is done and the request may not be sent twice.
        LoginFailed, ChallengeUnsolved: a login was tried in vain, or the site wants a person to prove something.
    """
    url = str(request.url)
    turn = (yield Blocking(membership.take_turn)) if membership.in_turn else None
    try:
        if membership.must_prepare:
            yield Blocking(lambda: membership.prepare(named(request)))
        left = _SENT_AT_MOST
        while True:
            left -= 1
            sent = membership.carried(url)
            response = yield Send(request)
            verdict = yield from _judged(membership, answers, request, response, stream=stream)
            if verdict is None or verdict.health is not Health.EXPIRED or membership.cleared(url) or not left:
                break
            if not (yield Blocking(partial(_come_back, membership, request, response, sent, verdict))):
                break
            yield Drop(response)
            if not _may_repeat(request, any_method=membership.recipe.session.replay, resendable=resendable):
                raise LoginRequired(not_repeated(membership.recipe.name, request))
        if membership.carrier.must_settle:
            yield Blocking(membership.carrier.settle)
    finally:
        if turn is not None:
            turn.release()
    return response


def _judged(membership: Membership, answers: Answers, request: Any, response: Any, *, stream: bool) -> Flow:
    """The verdict on an answer, None when it says nothing.

    Raises:
        ChallengeUnsolved: the site lets nobody on before a person has proved something.
    """
    status, headers = response.status_code, response.headers
    redirected = bool(response.history)
    if not answers.worth_judging(status, headers, redirected=redirected) or not membership.site.covers(str(request.url)):
        return None
    body = ""
    if not stream:
        body = _text(response)
    elif answers.wants_body(headers):
        body = yield Peek(response)
    verdict = answers.verdict(
        str(request.url),
        str(response.url),
        status,
        {name.lower(): value for name, value in headers.items()},
        redirects=[place for hop in (*response.history, response) for place in pointed_to(str(hop.url), hop.headers, hop.status_code)],
        body=lambda: body,
        cookies=membership.names(str(response.url)),
    )
    if for_a_person(verdict, status):
        yield Drop(response)
        raise ChallengeUnsolved(person_needed(membership.recipe.name, request, verdict))
    return verdict


def _text(response: Any) -> str:
    """The text of an answer that has been read; empty for what is no text."""
    kind = response.headers.get("content-type", "")
    return str(response.text) if kind.startswith("text/") or "json" in kind or "xml" in kind or not kind else ""


def _come_back(membership: Membership, request: Any, response: Any, sent: Carried, verdict: Verdict) -> bool:
    own_answer = response.history[0] if response.history else response
    # What a later hop deletes, such as the login page, is no answer to the request itself.
    logout = request.method.upper() not in _SAFE and "set-cookie" in own_answer.headers
    return membership.come_back(str(request.url), sent, f"{named(request)}: {verdict.text}", maybe_logout=logout)


def _may_repeat(request: Any, *, any_method: bool, resendable: Callable[[Any], bool]) -> bool:
    """Whether a request may be sent a second time: twice is as good as once, or the recipe allows it, and its body is there still."""
    return (any_method or request.method.upper() in _IDEMPOTENT) and resendable(request)


def named(request: Any) -> str:
    """A request for people, without what may be secret in it."""
    return f"{request.method} {bare_url(str(request.url))}"


def not_repeated(site: str, request: Any) -> str:
    """What is said of a request that met an ended session and may not be sent twice."""
    return (
        f"{named(request)} met an ended session of {site}. It is logged in again, and the request was not repeated, since that might do something twice; "
        "send it again if that is right, or let the recipe say [session] replay = true"
    )


def person_needed(site: str, request: Any, verdict: Verdict) -> str:
    """What is said of a request that a person's proof stands before."""
    command = f"handstamp login {site} --by-hand"
    return f"{named(request)}: {verdict.text}. The session is kept as it is; run `{command}`, then send the request again"
