"""What to do next in a login form."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from handstamp.sites.form_moves import SETTLED_SECONDS, STILL_SECONDS, Again, Ask, Do, Finish, Move, Stop, View, Wait, Waiting, next_move
from handstamp.sites.recipe import ChallengeMarker, Step, StepKind

USER = Step(StepKind.FILL, "#user", "{username}")
SEND = Step(StepKind.CLICK, "#send")
OTP = Step(StepKind.FILL, "#otp", "{totp}", optional=True)
BANNER = Step(StepKind.CLICK, "#cookies", optional=True)
ENTER = Step(StepKind.PRESS, "Enter")
CAPTCHA = ChallengeMarker("#captcha", "image", answer="#captcha")

FIRST = Waiting(((0, USER),))
SENT = Waiting(((3, OTP),), sent=True, since=1, filled=frozenset({"#user", "#pass"}))


def at(*visible: str, **more: Any) -> View:
    return View(**{"document": 1, "visible": frozenset(visible), **more})


def test_a_step_is_done_as_soon_as_its_element_is_seen() -> None:
    assert next_move(at("#user"), FIRST) == Do(0)
    assert next_move(at(), FIRST) == Wait()
    assert next_move(at(), replace(FIRST, steps=((4, ENTER),))) == Do(4)


def test_an_optional_step_is_done_if_it_is_there_and_costs_no_time_if_not() -> None:
    waiting = Waiting(((0, BANNER), (1, USER)))
    assert next_move(at("#cookies", "#user"), waiting) == Do(0)
    assert next_move(at("#user"), waiting) == Do(1)
    assert next_move(at(document=2, inside=True), SENT) == Finish()
    assert next_move(at("#otp", document=2), SENT) == Do(3)


def test_what_must_come_is_waited_for_until_nothing_moves_any_more() -> None:
    assert next_move(at(quiet=STILL_SECONDS - 1, waited=20), FIRST) == Wait()
    assert next_move(at(quiet=STILL_SECONDS), FIRST) == Stop.MISSING
    assert next_move(at(waited=30), FIRST) == Stop.MISSING


def test_a_step_that_names_its_time_is_given_it() -> None:
    waiting = replace(FIRST, steps=((0, replace(USER, timeout=60.0)),))
    assert next_move(at(quiet=50, waited=50), waiting) == Wait()
    assert next_move(at(quiet=60, waited=60), waiting) == Stop.MISSING


def test_the_end_is_when_the_page_has_settled() -> None:
    assert next_move(at("#user", "#pass"), SENT) == Wait()
    assert next_move(at("#user", "#pass", quiet=SETTLED_SECONDS), SENT) == Finish()
    assert next_move(at("#user", quiet=0, waited=30), SENT) == Finish()
    patient = replace(SENT, steps=((3, replace(OTP, timeout=10.0)),))
    assert next_move(at(quiet=9, waited=9), patient) == Wait()
    assert next_move(at(quiet=10, waited=10), patient) == Finish()


def test_the_form_that_comes_back_is_a_refusal() -> None:
    assert next_move(at("#user", "#pass", document=2), SENT) == Stop.REFUSED
    assert next_move(at("#user", document=2, at_login=False), SENT) == Wait()


def test_the_sites_own_words_are_a_refusal_only_after_something_was_sent() -> None:
    assert next_move(at("#otp", failed=True), SENT) == Stop.REFUSED
    assert next_move(at("#user", failed=True), FIRST) == Do(0)


@pytest.mark.parametrize(
    ("status", "move"), [(500, Stop.TROUBLE), (502, Stop.TROUBLE), (403, Stop.BLOCKED), (423, Stop.BLOCKED), (429, Stop.BLOCKED), (401, Wait()), (200, Wait())]
)
def test_a_new_documents_status_can_end_it(status: int, move: Move) -> None:
    assert next_move(at(document=2, status=status), SENT) == move
    assert next_move(at(document=1, status=status), SENT) == Wait()


def test_a_challenge_is_asked_once_in_a_document() -> None:
    markers = (CAPTCHA,)
    assert next_move(at("#captcha", "#user"), FIRST, markers) == Ask(CAPTCHA)
    answered = replace(FIRST, answered=frozenset({("#captcha", 1)}))
    assert next_move(at("#captcha", "#user"), answered, markers) == Do(0)
    assert next_move(at("#captcha", document=2), replace(answered, sent=True, steps=((3, OTP),), since=1), markers) == Ask(CAPTCHA)


def test_a_refused_password_is_not_sent_again_with_another_captcha() -> None:
    assert next_move(at("#captcha", "#user", "#pass", document=2), SENT, (CAPTCHA,)) == Stop.REFUSED


def test_a_refused_code_is_followed_by_the_next_one_and_no_third() -> None:
    waiting = replace(SENT, steps=()).after(3, OTP, 2, own_code=True)
    assert next_move(at("#otp", document=3, failed=True), waiting) == Again(3)
    assert next_move(at("#otp", document=2), waiting) == Wait()
    again = waiting.after(3, OTP, 3, own_code=True)
    assert next_move(at("#otp", document=4), again) == Stop.REFUSED


def test_the_password_form_after_a_code_is_a_refusal() -> None:
    waiting = replace(SENT, steps=()).after(3, OTP, 2, own_code=True)
    assert next_move(at("#user", "#pass", document=3), waiting) == Stop.REFUSED


def test_a_persons_code_is_not_asked_for_twice() -> None:
    waiting = replace(SENT, steps=()).after(3, OTP, 2, own_code=False)
    assert next_move(at("#otp", document=3), waiting) == Stop.REFUSED


def test_steps_leave_their_traces() -> None:
    waiting = Waiting(()).after(0, USER, 1, own_code=False)
    assert (waiting.filled, waiting.sent, waiting.since) == (frozenset({"#user"}), False, 1)
    waiting = waiting.after(1, SEND, 2, own_code=False)
    assert (waiting.sent, waiting.since) == (True, 2)
