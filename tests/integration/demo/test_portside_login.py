"""Signing in to portside and out of it, over real HTTP."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from handstamp.demo import Account

if TYPE_CHECKING:
    from handstamp.demo import Control

    from .conftest import Person


def test_a_login_leads_to_the_account_page(person: Person, control: Control) -> None:
    response = person.sign_in()
    assert (response.status_code, response.headers["location"]) == (303, "/account")
    page = person.http.get("/account").text
    assert "Dora Ellison" in page
    assert "Ellison Freight Co-op" in page
    assert page.count("Log out") == 1
    assert control.stats().portside.logins == 1


def test_the_session_cookie_is_http_only_and_ends_with_the_browser(person: Person) -> None:
    cookie = next(line for line in person.sign_in().headers.get_list("set-cookie") if line.startswith("sid="))
    assert {"HttpOnly", "Path=/", "SameSite=lax"} == set(cookie.split("; ")[1:])


def test_remember_me_makes_the_cookie_outlive_the_browser_and_each_answer_extends_it(person: Person, control: Control) -> None:
    cookie = next(line for line in person.sign_in(remember="1").headers.get_list("set-cookie") if line.startswith("sid="))
    assert "Max-Age=1800" in cookie
    control.advance(1000)
    assert "Max-Age=1800" in person.http.get("/account").headers["set-cookie"]


def test_a_cookie_is_not_sent_again_without_need(person: Person) -> None:
    person.sign_in()
    assert "set-cookie" not in person.http.get("/account").headers


@pytest.mark.parametrize(("username", "password"), [("demo", "wrong"), ("nobody", "harbour-light-7"), ("DEMO", "harbour-light-7")])
def test_wrong_credentials_get_the_form_again_with_one_message_for_all(person: Person, control: Control, username: str, password: str) -> None:
    response = person.sign_in(username, password)
    assert response.status_code == 200
    assert "The user name or the password is not right." in response.text
    assert f'value="{username}"' in response.text
    assert password not in response.text
    assert person.sid is None
    stats = control.stats().portside
    assert (stats.logins, stats.attempts, stats.failures) == (0, 1, 1)


def test_an_empty_form_says_what_is_missing(person: Person, control: Control) -> None:
    assert "Enter your user name and your password." in person.sign_in("demo", "").text
    assert control.stats().portside.failures == 0


def test_what_a_person_typed_is_shown_as_text(person: Person) -> None:
    text = person.sign_in('"><script>alert(1)</script>', "x").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


@pytest.mark.parametrize("csrf", ["", "wrong", "ÿ"])
def test_a_form_without_its_token_is_refused_and_not_an_attempt(person: Person, control: Control, csrf: str) -> None:
    person.csrf()
    response = person.http.post("/login", data={"csrf": csrf, "username": "demo", "password": "harbour-light-7"})
    assert response.status_code == 403
    assert "no longer valid" in response.text
    assert "retry-after" not in response.headers
    assert control.stats().portside.attempts == 0


def test_a_token_of_another_browser_is_refused(person: Person, other: Person) -> None:
    person.csrf()
    response = person.http.post("/login", data={"csrf": other.csrf(), "username": "demo", "password": "harbour-light-7"})
    assert response.status_code == 403


def test_a_login_form_that_lay_open_too_long_is_refused(person: Person, control: Control) -> None:
    csrf = person.csrf()
    control.advance(1801)
    assert person.http.post("/login", data={"csrf": csrf, "username": "demo", "password": "harbour-light-7"}).status_code == 403


def test_whoever_comes_signed_out_is_sent_to_the_login_and_back(person: Person) -> None:
    response = person.http.get("/containers?page=2")
    assert (response.status_code, response.headers["location"]) == (302, "/login?next=/containers%3Fpage%3D2")
    form = person.http.get(response.headers["location"]).text
    assert 'name="next" value="/containers?page=2"' in form
    assert person.sign_in(next="/containers?page=2").headers["location"] == "/containers?page=2"


def test_no_login_leads_to_another_host(person: Person) -> None:
    assert person.sign_in(next="//evil.example/").headers["location"] == "/account"


def test_whoever_is_signed_in_is_not_asked_again(person: Person) -> None:
    person.sign_in()
    response = person.http.get("/login?next=/containers")
    assert (response.status_code, response.headers["location"]) == (303, "/containers")


def test_a_second_login_in_one_browser_ends_the_first_session(person: Person, control: Control) -> None:
    person.sign_in()
    first = person.sid
    # The form was opened in another tab before the first login.
    person.http.cookies.delete("sid")
    csrf = person.csrf()
    person.http.cookies.set("sid", first or "", domain="127.0.0.1")
    person.http.post("/login", data={"csrf": csrf, "username": "dana", "password": "blue-crane-42"})
    assert person.sid not in {None, first}
    stats = control.stats().portside
    assert (stats.logins, stats.sessions_alive, stats.sessions_ended) == (2, 1, {"replaced": 1})


def test_logging_out_ends_the_session_and_takes_the_cookie_back(person: Person, control: Control) -> None:
    person.sign_in()
    token, sid = person.token(), person.sid
    response = person.http.post("/logout", data={"csrf": person.csrf("/account")})
    assert (response.status_code, response.headers["location"]) == (303, "/login?reason=signed-out")
    assert person.sid is None
    assert "You are signed out." in person.http.get(response.headers["location"]).text
    person.http.cookies.set("sid", sid or "")
    assert person.ping() == 401
    assert person.api(token).status_code == 401
    stats = control.stats().portside
    assert (stats.logouts, stats.sessions_alive) == (1, 0)


def test_logging_out_wants_the_sessions_own_token(person: Person) -> None:
    person.sign_in()
    assert person.http.post("/logout", data={"csrf": "wrong"}).status_code == 403
    assert person.ping() == 204


def test_logging_out_signed_out_leads_to_the_login_page(person: Person) -> None:
    response = person.http.post("/logout")
    assert (response.status_code, response.headers["location"]) == (303, "/login")


def test_the_account_page_tells_of_earlier_logins(person: Person, other: Person) -> None:
    person.http.headers["user-agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    person.sign_in()
    other.sign_in()
    page = other.http.get("/account").text
    assert "Firefox 140 on Linux" in page
    assert '<dd id="login-count">2</dd>' in page


def test_the_nth_wrong_password_locks_the_account(person: Person, control: Control) -> None:
    control.set(lock_after=3, lock_seconds=600)
    answers = [person.sign_in("demo", "wrong").status_code for _ in range(3)]
    assert answers == [200, 200, 403]
    control.advance(60)
    response = person.sign_in()  # the right password now
    assert response.status_code == 403
    assert "This account is locked" in response.text
    assert 530 <= int(response.headers["retry-after"]) <= 540
    assert person.sign_in("dana", "blue-crane-42").status_code == 303
    stats = control.stats().portside
    assert (stats.lockouts, stats.failures, stats.accounts["demo"].attempts) == (1, 3, 4)


def test_a_lock_ends_by_time_or_by_hand(person: Person, other: Person, control: Control) -> None:
    control.set(lock_after=1)
    assert person.sign_in("demo", "wrong").status_code == 403
    control.advance(900)
    assert person.sign_in().status_code == 303
    assert other.sign_in("dana", "wrong").status_code == 403
    control.unlock("dana")
    assert other.sign_in("dana", "blue-crane-42").status_code == 303


def test_an_account_that_does_not_exist_locks_like_one_that_does(person: Person, control: Control) -> None:
    control.set(lock_after=1)
    assert person.sign_in("nobody", "wrong").status_code == 403
    assert control.stats().portside.accounts == {}


def test_a_captcha_has_to_be_read(person: Person, control: Control) -> None:
    control.set(captcha=True)
    assert person.http.get("/captcha.png").status_code == 404
    csrf = person.csrf()
    with Image.open(io.BytesIO(person.http.get("/captcha.png").content)) as image:
        assert image.size == (220, 72)
    fields = {"csrf": csrf, "username": "demo", "password": "harbour-light-7"}
    refused = person.http.post("/login", data=fields | {"captcha": "wrong"})
    assert "do not match the picture" in refused.text
    assert person.http.post("/login", data=fields | {"captcha": control.captcha_answer().lower()}).status_code == 303
    stats = control.stats().portside
    assert (stats.attempts, stats.failures, stats.logins) == (2, 0, 1)


def test_each_browser_has_a_captcha_of_its_own(person: Person, other: Person, control: Control) -> None:
    control.set(captcha=True)
    csrf = person.csrf()
    other.csrf()
    answer = control.captcha_answer(person.http.cookies["portside_pre"])
    assert control.captcha_answer(other.http.cookies["portside_pre"]) == control.captcha_answer()
    fields = {"csrf": csrf, "username": "demo", "password": "harbour-light-7", "captcha": answer}
    assert person.http.post("/login", data=fields).status_code == 303


def test_a_code_is_asked_after_the_password(person: Person, control: Control, code: str) -> None:
    control.set(totp=True)
    response = person.sign_in(next="/containers", remember="1")
    assert (response.status_code, response.headers["location"]) == (303, "/login/otp")
    assert person.sid is None
    assert person.ping() == 401
    assert 'id="otp"' in person.http.get("/login/otp").text
    response = person.send_code(code)
    assert (response.status_code, response.headers["location"]) == (303, "/containers")
    assert any("sid=" in line and "Max-Age" in line for line in response.headers.get_list("set-cookie"))
    stats = control.stats().portside
    assert (stats.attempts, stats.logins) == (1, 1)


def test_a_code_lets_in_once(person: Person, other: Person, control: Control, code: str) -> None:
    control.set(totp=True)
    person.sign_in()
    other.sign_in()
    assert person.send_code(code).status_code == 303
    response = other.send_code(code)
    assert response.status_code == 200
    assert "This code was used before." in response.text
    assert other.sid is None


def test_wrong_codes_lock_the_account_like_wrong_passwords(person: Person, control: Control, code: str) -> None:
    control.set(totp=True, lock_after=2)
    wrong = f"{(int(code) + 500_000) % 1_000_000:06d}"
    person.sign_in()
    assert "This code is not right" in person.send_code(wrong).text
    csrf = person.csrf("/login/otp")
    assert person.http.post("/login/otp", data={"csrf": csrf, "otp": wrong}).status_code == 403
    assert person.http.get("/login/otp").headers["location"] == "/login"


def test_the_code_page_is_nothing_without_the_password(person: Person) -> None:
    assert person.http.get("/login/otp").headers["location"] == "/login"
    csrf = person.csrf()
    assert person.http.post("/login/otp", data={"csrf": csrf, "otp": "000000"}).status_code == 403


def test_an_account_without_a_secret_is_not_asked_for_a_code(person: Person, control: Control) -> None:
    control.add_account(Account("eve", "canary-pässword \u2603", name="Eve <b>"))
    control.set(totp=True)
    assert person.sign_in("eve", "canary-pässword \u2603").headers["location"] == "/account"
    assert "Eve &lt;b&gt;" in person.http.get("/account").text


def test_a_rebuilt_login_page_has_other_fields(person: Person, control: Control) -> None:
    control.set(renamed_form=True)
    form = person.http.get("/login").text
    assert 'id="username"' not in form
    assert '<button class="button main" type="submit">' not in form
    assert "Enter your user name" in person.sign_in().text
    fields = {"csrf": person.csrf(), "user-email": "demo", "user-secret": "harbour-light-7"}
    assert person.http.post("/login", data=fields).status_code == 303


@pytest.mark.parametrize("selector", ['id="username"', 'id="password"', 'id="remember"', '<button class="button main" type="submit">'])
def test_the_login_page_has_what_a_recipe_names(person: Person, selector: str) -> None:
    assert person.http.get("/login").text.count(selector) == 1
