"""What was done in a page becomes the steps of a recipe: by stable names, once, without what was typed."""

from __future__ import annotations

import pytest

from handstamp.learn.elements import Element, is_generated, selector_of
from handstamp.learn.steps import Action, Did, steps_seen

LOGIN = "https://shop.example/login"


def field(kind: str, **attributes: str) -> Element:
    named = {name.replace("_", "-"): value for name, value in attributes.items()}
    return Element("input", kind, named | {"type": kind}, dict.fromkeys(named, 1) | {"type": 1}, dict.fromkeys(named, 1) | {"type": 1})


def did(what: Did, element: Element, url: str = LOGIN) -> Action:
    return Action(what, url, element)


USER, PASSWORD, CODE = field("text", id="user", name="login"), field("password", name="pw"), field("text", id="otp", autocomplete="one-time-code")
BUTTON = Element("button", "submit", {"type": "submit"}, {"type": 2}, {"type": 1}, "Sign in", 1)


def steps(*actions: Action) -> list[str]:
    return [f"{step.kind} {step.target}{' ' + step.value if step.value else ''}" for step in steps_seen(actions).steps]


FORM = ["fill #user {username}", "fill input[name=pw] {password}", "click form:has(input[name=pw]) button[type=submit]"]


def test_a_login_is_its_fields_and_its_button() -> None:
    assert steps(did("fill", USER), did("fill", PASSWORD), did("click", BUTTON)) == FORM


def test_a_login_that_was_made_again_after_a_typing_error_counts_once() -> None:
    once = [did("fill", USER), did("fill", PASSWORD), did("click", BUTTON)]
    again = LOGIN + "?again=1"
    assert steps(*once, did("fill", PASSWORD, again), did("fill", USER, again), did("click", BUTTON, again)) == FORM


def test_clicks_before_the_form_and_after_the_login_are_left_out() -> None:
    banner, menu = Element("button", "", {"id": "accept"}, {"id": 1}), Element("button", "", {"id": "menu"}, {"id": 1})
    assert steps(did("click", banner), did("fill", USER), did("fill", PASSWORD), did("click", BUTTON), did("click", menu, "https://shop.example/")) == FORM


def test_a_form_in_two_pages_has_the_button_between() -> None:
    following = Element("button", "submit", {"id": "next"}, {"id": 1})
    seen = steps(did("fill", USER), did("click", following), did("fill", PASSWORD, LOGIN + "/password"), did("click", BUTTON, LOGIN + "/password"))
    assert seen == ["fill #user {username}", "click #next", "fill input[name=pw] {password}", FORM[2]]


def test_a_one_time_code_is_an_optional_step() -> None:
    seen = steps_seen([did("fill", USER), did("fill", PASSWORD), did("click", BUTTON), did("fill", CODE, LOGIN + "/otp")])
    assert seen.steps[-1].value == "{totp}"
    assert seen.steps[-1].optional


def test_enter_sends_the_form_where_no_button_was_used() -> None:
    assert steps(did("fill", USER), did("fill", PASSWORD), did("enter", PASSWORD))[-1] == "press Enter"
    assert steps(did("fill", USER), did("fill", PASSWORD))[-1] == "press Enter"


def test_a_box_that_was_ticked_is_ticked() -> None:
    box = field("checkbox", id="remember")
    assert "check #remember" in steps(did("fill", USER), did("fill", PASSWORD), did("check", box), did("click", BUTTON))


def test_the_last_field_before_the_password_is_the_users_where_none_says_so() -> None:
    assert steps(did("fill", field("text", id="f1")), did("fill", field("text", id="f2")), did("fill", PASSWORD))[:1] == ["fill #f2 {username}"]


def test_without_a_password_there_is_no_login_and_that_is_said() -> None:
    seen = steps_seen([did("fill", USER), did("click", BUTTON)])
    assert not seen.steps
    assert "no password" in seen.notes[0]


@pytest.mark.parametrize("name", [":r1:", "ember123", "mui-42", "radix-7", "a8f3c09be1", "input-1699887", "Xk2mP9qLz", "react-select-3-input"])
def test_names_that_a_program_made_up_are_known(name: str) -> None:
    assert is_generated(name)


@pytest.mark.parametrize("name", ["username", "id_password", "login-form", "email2", "user[email]", "current-password", "loginButton"])
def test_names_that_an_author_gave_are_taken(name: str) -> None:
    assert not is_generated(name)


def test_an_element_is_found_by_the_first_stable_name_that_is_its_own() -> None:
    element = Element("input", "text", {"id": ":r1:", "name": "q", "aria-label": 'The "user"'}, {"id": 1, "name": 2, "aria-label": 1})
    assert selector_of(element) == 'input[aria-label="The \\"user\\""]'


def test_words_on_a_button_are_the_last_way_and_class_names_are_none() -> None:
    assert selector_of(Element("button", "", text="Sign in", same_text=1)) == 'button:has-text("Sign in")'
    assert selector_of(Element("button", "", text="Sign in", same_text=2)) is None
