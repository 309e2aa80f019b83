"""Logins and checks in a real Chromium, at a small login page that behaves as each test says."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.errors import BrowserGone, ChallengeUnsolved, ConfigError, LoginFailed, LoginRequired, RecipeInvalid
from handstamp.sites import Challenge, Credentials, Recipe, Site
from handstamp.sites.login import run_login
from handstamp.sites.recipe import Bearer, ChallengeMarker, Check, Condition, Login, SessionRules, Step, StepKind, TotpSettings
from handstamp.sites.totp import parse_totp
from handstamp.state import Health

if TYPE_CHECKING:
    from playwright.async_api import Page

    from handstamp.sites.challenge import ChallengeSolver
    from handstamp.sites.login import LoginOutcome

    from .conftest import Answer, Asked, Chromium, Web

PASSWORD = "pw-canary-8c1f"
SECRET = "JBSWY3DPEHPK3PXP"
ADA = Credentials("ada", PASSWORD, SECRET)
FORM = """<form method=post action=/login>{extra}<input id=username name=username><input id=password name=password type=password>
<button type=submit>Sign in</button></form>"""
CODE = "<form method=post action=/login/otp><input id=otp name=otp><button>Verify</button></form>"
INSIDE = "<p>Hello Ada <button>Log out</button></p>"
CHECK = Check("/account", logged_in=(Condition(status=(200,), text=("Log out",)),), logged_out=(Condition(redirect=("/login",)),))
STEPS = (
    Step(StepKind.FILL, "#username", "{username}"),
    Step(StepKind.FILL, "#password", "{password}"),
    Step(StepKind.CLICK, "button[type=submit]"),
    Step(StepKind.FILL, "#otp", "{totp}", optional=True),
    Step(StepKind.CLICK, "text=Verify", optional=True),
)


@dataclass
class Door:
    """A site with a password form; what a test changes is how it behaves."""

    web: Web
    code: bool = False
    after: str = "/account"
    wrong: Answer | None = None
    extra: str = ""
    attempts: list[dict[str, str]] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    first_code_was_used: bool = False
    totp: TotpSettings = TotpSettings()

    def __post_init__(self) -> None:
        self.web.pages |= {"/login": self.login, "/login/otp": self.otp, "/account": self.account, "/ok": lambda _: self.web.answer(INSIDE)}

    def login(self, asked: Asked) -> Answer:
        if asked.method == "GET":
            return self.web.answer(FORM.format(extra=self.extra))
        self.attempts.append(asked.form)
        if (asked.form["username"], asked.form["password"]) != ("ada", PASSWORD):
            return self.wrong or self.web.answer("<p class=error>Wrong.</p>" + FORM.format(extra=self.extra))
        return self.web.redirect("/login/otp") if self.code else self.web.redirect(self.after, "sid=in; Path=/; HttpOnly")

    def otp(self, asked: Asked) -> Answer:
        if asked.method == "GET":
            return self.web.answer(CODE)
        self.codes.append(asked.form["otp"])
        known = parse_totp(SECRET, self.totp)
        fits = asked.form["otp"] in {known.code_at(time.time() + self.web.ahead - late) for late in (0, self.totp.period)}
        used = self.first_code_was_used and asked.form["otp"] == self.codes[0]
        return self.web.redirect(self.after, "sid=in; Path=/; HttpOnly") if fits and not used else self.web.answer(CODE)

    def account(self, asked: Asked) -> Answer:
        return self.web.answer(INSIDE) if asked.cookies.get("sid") == "in" else self.web.redirect("/login")

    def site(self, *, check: Check | None = CHECK, session: SessionRules = SessionRules(), **login: Any) -> Site:  # noqa: B008  (frozen)
        made = Login(**{"url": "/login", "steps": STEPS, "totp": self.totp, **login})
        return Site(Recipe("door", self.web.url(), ("127.0.0.1",), login=made, check=check, session=session))


@pytest.fixture
def door(web: Web) -> Door:
    return Door(web)


def enter(chromium: Chromium, site: Site, credentials: Credentials = ADA, *, timeout: float = 5.0, solver: ChallengeSolver | None = None) -> LoginOutcome:
    async def visit(page: Page) -> LoginOutcome:
        return await run_login(site, page, credentials, timeout=timeout, solver=solver)

    outcome: LoginOutcome = chromium.run(visit)
    return outcome


def refused(chromium: Chromium, site: Site, credentials: Credentials = ADA, **more: Any) -> LoginFailed:
    with pytest.raises(LoginFailed) as caught:
        enter(chromium, site, credentials, **more)
    return caught.value


def test_a_login_is_made_and_confirmed(chromium: Chromium, door: Door) -> None:
    outcome = enter(chromium, door.site())
    assert (outcome.username, outcome.verdict.health, outcome.verdict.evidence[0].check) == ("ada", Health.VALID, "browser")
    assert door.attempts == [{"username": "ada", "password": PASSWORD}]
    assert outcome.at == outcome.verdict.evidence[0].at


def test_an_optional_code_is_given_where_it_is_asked_for(chromium: Chromium, door: Door) -> None:
    door.code = True
    assert enter(chromium, door.site()).verdict.health is Health.VALID
    assert len(door.codes) == 1


def test_a_code_that_was_refused_is_followed_by_the_next(chromium: Chromium, door: Door) -> None:
    door.code, door.first_code_was_used, door.totp = True, True, TotpSettings(period=2)
    assert enter(chromium, door.site()).verdict.health is Health.VALID
    assert len(set(door.codes)) == len(door.codes) == 2
    assert len(door.attempts) == 1


def test_a_code_that_fits_never_is_given_twice_and_not_again(chromium: Chromium, door: Door) -> None:
    door.code, door.totp = True, TotpSettings(period=2)
    failed = refused(chromium, door.site(totp=TotpSettings(period=2, digits=8)))
    assert failed.health == Health.EXPIRED
    assert len(door.codes) == 2
    assert len(door.attempts) == 1


def test_where_clocks_differ_the_sites_counts(chromium: Chromium, door: Door, caplog: pytest.LogCaptureFixture) -> None:
    door.code, door.web.ahead = True, 300.0
    assert enter(chromium, door.site()).verdict.health is Health.VALID
    assert len(door.codes) == 2
    assert "clock of 'door' is +" in caplog.text


def test_without_a_secret_the_code_is_a_challenge(chromium: Chromium, door: Door) -> None:
    door.code = True
    with pytest.raises(ChallengeUnsolved, match=r"'door' asks 'ada' for a one-time code and no TOTP secret is known; .* HANDSTAMP_DOOR_TOTP"):
        enter(chromium, door.site(), Credentials("ada", PASSWORD))


def test_a_broken_secret_is_said_before_the_password_is_sent(chromium: Chromium, door: Door) -> None:
    with pytest.raises(ConfigError, match="the TOTP secret cannot be read"):
        enter(chromium, door.site(), replace(ADA, totp="not base32!"))
    assert door.attempts == []


def test_a_wrong_password_is_tried_once(chromium: Chromium, door: Door) -> None:
    failed = refused(chromium, door.site(), Credentials("ada", "pw-wrong-canary"))
    assert str(failed) == "'door' refused the login of 'ada'; check user name and password: it was tried once and is not tried again by itself"
    assert failed.health == Health.EXPIRED
    assert len(door.attempts) == 1


def test_the_recipes_words_for_a_refusal_count_where_the_page_stays(chromium: Chromium, door: Door) -> None:
    door.web.put(
        "/login",
        "<p class=error hidden>Wrong.</p><input id=username><input id=password><button type=submit onclick=\"document.querySelector('p').hidden = false\">Go",
    )
    for failed in (Condition(selector=(".error",)), Condition(text=("wrong.",))):
        assert "refused the login of 'ada'" in str(refused(chromium, door.site(failed=(failed,))))


def test_hidden_words_are_no_refusal(chromium: Chromium, door: Door) -> None:
    door.extra = "<p class=error hidden>Wrong.</p>"
    site = door.site(failed=(Condition(selector=(".error",)), Condition(text=("Wrong.",))))
    assert enter(chromium, site).verdict.health is Health.VALID


def test_a_page_that_does_nothing_is_found_out_by_the_check(chromium: Chromium, door: Door) -> None:
    door.web.put("/login", "<input id=username><input id=password><button type=submit>Go</button>")
    failed = refused(chromium, door.site())
    assert "did not let 'ada' in" in str(failed)
    assert failed.health == Health.EXPIRED


@pytest.mark.parametrize(
    ("status", "health"), [(500, Health.UNKNOWN), (503, Health.UNKNOWN), (403, Health.BLOCKED), (429, Health.BLOCKED), (423, Health.BLOCKED)]
)
def test_an_error_after_the_password_says_what_it_means_for_the_session(chromium: Chromium, door: Door, status: int, health: Health) -> None:
    door.wrong = door.web.answer("Sorry", status, Retry_After="60")
    failed = refused(chromium, door.site(), Credentials("ada", "other"))
    assert failed.health == health
    assert failed.until is not None
    assert f"answered {status} at {door.web.url('/login')}" in str(failed)
    assert len(door.attempts) == 1


@pytest.mark.parametrize(("status", "health"), [(500, Health.UNKNOWN), (404, Health.UNKNOWN), (429, Health.BLOCKED)])
def test_a_login_page_that_is_an_error_gets_no_password(chromium: Chromium, door: Door, status: int, health: Health) -> None:
    door.web.put("/login", FORM.format(extra=""), status)
    assert refused(chromium, door.site()).health == health
    assert door.attempts == []


def test_a_site_that_is_down_cannot_be_reached(chromium: Chromium, door: Door) -> None:
    site = door.site().at("http://127.0.0.1:9")
    failed = refused(chromium, site)
    assert "'door' cannot be reached: http://127.0.0.1:9/login" in str(failed)
    assert failed.health == Health.UNKNOWN


def test_a_login_page_that_does_not_answer_cannot_be_reached(chromium: Chromium, door: Door) -> None:
    let_go = threading.Event()
    door.web.put("/login", door.web.answer("late", hold=let_go))
    try:
        assert "no answer in time" in str(refused(chromium, door.site(), timeout=0.5))
    finally:
        let_go.set()


def test_a_changed_form_names_the_step_and_the_selector(chromium: Chromium, door: Door) -> None:
    door.web.put("/login", "<form method=post><input id=email><input id=password type=password><button>Go</button></form>")
    failed = refused(chromium, door.site(), timeout=1.0)
    assert 'shows no #username (step {fill = "#username"}); it may have changed' in str(failed)
    assert failed.health == Health.UNKNOWN
    assert door.attempts == []


def test_an_element_that_cannot_be_used_names_its_step(chromium: Chromium, door: Door) -> None:
    door.web.put("/login", "<form method=post><input id=username><input id=password disabled><button type=submit>Go</button></form>")
    assert "step {fill = \"#password\"} of the login at 'door' could not be done" in str(refused(chromium, door.site(), timeout=1.0))


def test_a_selector_that_is_none_is_the_recipes_fault(chromium: Chromium, door: Door) -> None:
    steps = (Step(StepKind.FILL, "##", "{username}"), *STEPS[1:])
    with pytest.raises(RecipeInvalid, match="the selector '##' cannot be read"):
        enter(chromium, door.site(steps=steps))


def test_nothing_is_typed_on_a_page_of_somebody_else(chromium: Chromium, door: Door) -> None:
    door.web.put("/portal", FORM.format(extra=""))
    door.web.put("/login", door.web.redirect(door.web.url("/portal", host="wifi.localhost")))
    failed = refused(chromium, door.site())
    assert "led to http://wifi.localhost" in str(failed)
    assert "which is not of its domains" in str(failed)
    assert all(asked.method == "GET" for asked in door.web.asked)


def test_a_challenge_without_a_solver_stops_before_the_password(chromium: Chromium, door: Door) -> None:
    door.extra = "<img id=picture alt=captcha width=10 height=10><input id=captcha name=captcha>"
    with pytest.raises(ChallengeUnsolved, match=r"'door' shows a challenge \(image, #captcha\) at .*/login"):
        enter(chromium, door.site(challenge=(ChallengeMarker("#captcha", "image"),)))
    assert door.attempts == []


class Person:
    """Answers challenges as told, and remembers them."""

    def __init__(self, answer: str | None) -> None:
        self._answer = answer
        self.asked: list[Challenge] = []

    async def solve(self, challenge: Challenge) -> str | None:
        self.asked.append(challenge)
        return self._answer


def test_a_solved_challenge_lets_the_login_go_on(chromium: Chromium, door: Door) -> None:
    door.extra = "<div id=picture style='width:20px;height:20px'>What is 3+4?</div><input id=captcha name=captcha>"
    person = Person("7")
    site = door.site(challenge=(ChallengeMarker("#captcha", "image", image="#picture", answer="#captcha"),))
    assert enter(chromium, site, solver=person).verdict.health is Health.VALID
    assert door.attempts == [{"captcha": "7", "username": "ada", "password": PASSWORD}]
    (challenge,) = person.asked
    assert (challenge.site, challenge.account, challenge.kind, challenge.question) == ("door", "ada", "image", "What is 3+4?")
    assert challenge.image.startswith(b"\x89PNG")


class Waits:
    """Never answers, as somebody who passes the challenge in the page itself."""

    stopped = False

    async def solve(self, challenge: Challenge) -> str | None:
        del challenge
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.stopped = True
            raise
        return None


def test_a_challenge_that_is_confirmed_elsewhere_lets_the_login_go_on(chromium: Chromium, door: Door) -> None:
    door.extra = "<p id=phone>Confirm on your phone</p><script>setTimeout(() => document.getElementById('phone').remove(), 1500)</script>"
    waits = Waits()
    site = door.site(challenge=(ChallengeMarker("#phone", "confirm"),))
    assert enter(chromium, site, solver=waits).verdict.health is Health.VALID
    assert waits.stopped
    assert len(door.attempts) == 1


def test_a_person_who_sends_the_form_in_the_window_has_logged_in(chromium: Chromium, door: Door) -> None:
    script = "setTimeout(() => { document.getElementById('captcha').value = '7'; document.querySelector('form').submit() }, 2500)"
    door.extra, door.after = f"<div id=captcha-box>3+4?</div><input id=captcha name=captcha><script>{script}</script>", "/ok"
    steps = (*STEPS[:2], Step(StepKind.CLICK, "button.later"), *STEPS[2:])  # what the recipe would do next is not there any more
    site = door.site(challenge=(ChallengeMarker("#captcha-box", "text"),), steps=steps)
    fill = f"document.getElementById('username').value = 'ada'; document.getElementById('password').value = '{PASSWORD}'"
    door.extra = door.extra.replace("document.getElementById('captcha').value", f"{fill}; document.getElementById('captcha').value")
    assert enter(chromium, site, solver=Waits()).verdict.health is Health.VALID
    assert [form["captcha"] for form in door.attempts] == ["7"]


def test_a_person_can_give_the_code(chromium: Chromium, door: Door) -> None:
    door.code = True
    person = Person(parse_totp(SECRET).code_at(time.time()))
    assert enter(chromium, door.site(), Credentials("ada", PASSWORD), solver=person).verdict.health is Health.VALID
    assert [challenge.kind for challenge in person.asked] == ["code"]


def test_a_person_who_gives_up_leaves_the_challenge_unsolved(chromium: Chromium, door: Door) -> None:
    door.extra = "<input id=captcha name=captcha>"
    with pytest.raises(ChallengeUnsolved):
        enter(chromium, door.site(challenge=(ChallengeMarker("#captcha", "image"),)), solver=Person(None))


def test_whoever_is_in_already_is_not_logged_in_again(chromium: Chromium, door: Door) -> None:
    door.web.put("/login", door.web.redirect("/ok", "sid=in"))
    assert enter(chromium, door.site()).verdict.health is Health.VALID
    assert door.attempts == []


def test_the_token_is_waited_for_before_the_page_is_left(chromium: Chromium, door: Door) -> None:
    door.after = "/landing"
    door.web.put("/landing", INSIDE + "<script>fetch('/token').then(a => a.text()).then(t => localStorage.setItem('token', t))</script>")
    slow = threading.Event()
    threading.Timer(0.7, slow.set).start()
    door.web.put("/token", door.web.answer("abc", hold=slow))

    async def visit(page: Page) -> str:
        await run_login(door.site(session=SessionRules(bearer=Bearer(local_storage="token"))), page, ADA)
        return str(await page.evaluate("localStorage.getItem('token')"))

    assert chromium.run(visit) == "abc"


def test_a_token_that_never_comes_does_not_stop_the_login(chromium: Chromium, door: Door) -> None:
    site = door.site(session=SessionRules(bearer=Bearer(local_storage="token")))
    assert enter(chromium, site).verdict.health is Health.VALID


def test_a_login_by_script_without_a_new_document_works(chromium: Chromium, door: Door) -> None:
    door.web.put(
        "/login",
        """<div id=app><input id=username><input id=password><button type=submit onclick="
        fetch('/login', {method: 'POST', body: new URLSearchParams({username: username.value, password: password.value})})
          .then(() => { history.pushState({}, '', '/home'); app.innerHTML = 'Log out' })">Go</button></div>""",
    )
    page = door.web.pages["/login"]
    door.web.pages["/login"] = lambda asked: page(asked) if asked.method == "GET" else door.login(asked)
    assert enter(chromium, door.site()).verdict.health is Health.VALID
    assert len(door.attempts) == 1


def test_all_kinds_of_steps_are_done(chromium: Chromium, door: Door) -> None:
    door.extra = "<select id=place name=place><option value=n>North<option value=s>South</select><input type=checkbox id=keep name=keep value=1>"
    steps = (
        Step(StepKind.WAIT_FOR, "form"),
        Step(StepKind.GOTO, "/login?again"),
        Step(StepKind.SELECT, "#place", "South"),
        Step(StepKind.CHECK, "#keep"),
        Step(StepKind.CLICK, "#cookie-banner", optional=True),
        Step(StepKind.FILL, "#username", "{username}"),
        Step(StepKind.FILL, "#password", "{password}"),
        Step(StepKind.PRESS, "Enter", on="#password"),
    )
    assert enter(chromium, door.site(steps=steps)).verdict.health is Health.VALID
    assert door.attempts == [{"place": "s", "keep": "1", "username": "ada", "password": PASSWORD}]


def test_a_key_without_an_element_goes_where_the_focus_is(chromium: Chromium, door: Door) -> None:
    steps = (*STEPS[:2], Step(StepKind.PRESS, "Enter"))
    assert enter(chromium, door.site(steps=steps)).verdict.health is Health.VALID


def test_a_login_on_two_pages_goes_from_one_to_the_other(chromium: Chromium, door: Door) -> None:
    door.web.put("/login", "<form action=/login2><input id=username><button type=submit>Next</button></form>")
    door.web.put("/login2", "<form method=post action=/login3><input id=password name=password><button id=go type=submit>Go</button></form>")
    door.web.put("/login3", door.web.redirect("/account", "sid=in"))
    steps = (*STEPS[:1], STEPS[2], STEPS[1], Step(StepKind.CLICK, "#go"))
    assert enter(chromium, door.site(steps=steps)).verdict.health is Health.VALID


def test_a_login_that_cannot_be_confirmed_is_unknown(chromium: Chromium, door: Door) -> None:
    door.after = "/ok"
    door.web.put("/account", "Sorry", 500)
    failed = refused(chromium, door.site())
    assert "could not be confirmed" in str(failed)
    assert failed.health == Health.UNKNOWN


def test_a_captcha_after_the_login_is_a_challenge(chromium: Chromium, door: Door) -> None:
    door.after = "/ok"
    door.web.put("/account", "<div class=h-captcha></div>", 403)
    with pytest.raises(ChallengeUnsolved, match="wants to see a person after the login"):
        enter(chromium, door.site())


def test_a_site_without_a_check_takes_its_own_word(chromium: Chromium, door: Door) -> None:
    outcome = enter(chromium, door.site(check=None))
    assert (outcome.verdict.health, outcome.verdict.evidence[0].rule) == (Health.UNKNOWN, "no-check")


def test_a_site_without_a_login_needs_a_person(chromium: Chromium, web: Web) -> None:
    with pytest.raises(LoginRequired, match="log in by hand: handstamp login http"):
        enter(chromium, Site(Recipe("door", web.url(), ("127.0.0.1",), check=CHECK)))


def test_a_closed_page_is_a_browser_that_is_gone(chromium: Chromium, door: Door) -> None:
    async def visit(page: Page) -> None:
        await page.close()
        await run_login(door.site(), page, ADA)

    with pytest.raises(BrowserGone):
        chromium.run(visit)


def test_a_page_that_closes_during_the_login_is_a_browser_that_is_gone(chromium: Chromium, door: Door) -> None:
    async def visit(page: Page) -> None:
        page.on("domcontentloaded", lambda opened: opened.close())
        await run_login(door.site(), page, ADA)

    with pytest.raises(BrowserGone):
        chromium.run(visit)


def test_a_sites_own_login_is_used_and_its_errors_hold_no_secret(chromium: Chromium, door: Door) -> None:
    class Own(Site):
        async def login(self, page: Page, credentials: Credentials, *, timeout: float = 30.0, solver: ChallengeSolver | None = None) -> None:
            del timeout, solver
            await page.goto(self.url("/login"))
            await page.fill(f"#missing-{credentials.password}", credentials.password, timeout=200)

    failed = refused(chromium, Own(door.site().recipe))
    assert "the login of 'door' stopped: Page.fill: Timeout 200ms exceeded" in str(failed)
    assert PASSWORD not in str(failed)
    assert failed.health == Health.UNKNOWN


def test_no_secret_is_in_any_error_or_log(chromium: Chromium, door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="handstamp"):
        enter(chromium, door.site())
        door.web.put("/login", "<input id=username><input id=password disabled><button type=submit>Go</button>")
        failed = refused(chromium, door.site(), timeout=0.5)
    shown = caplog.text + str(failed) + repr(failed) + repr(failed.__context__) + repr(failed.__cause__)
    assert "step 2 of 5" in caplog.text
    assert PASSWORD not in shown
    assert SECRET not in shown


CLIENT_SIDE = Check(
    "/app", logged_in=(Condition(selector=("#logout",)),), logged_out=(Condition(selector=("#login",)),), challenged=(Condition(text=("prove it",)),)
)


@pytest.mark.parametrize(
    ("page", "health", "rule"),
    [
        ("<a id=logout>x</a>", Health.VALID, "logged-in"),
        ("<a id=login>x</a>", Health.EXPIRED, "logged-out"),
        ("<div id=app></div><script>setTimeout(() => { app.innerHTML = '<a id=logout>x</a>' }, 400)</script>", Health.VALID, "logged-in"),
        ("<div id=app><a id=login>x</a></div><script>setTimeout(() => { app.innerHTML = '<a id=logout>x</a>' }, 200)</script>", Health.VALID, "logged-in"),
        ("<script>setTimeout(() => { location = '/home' }, 100)</script>", Health.VALID, "logged-in"),
        ("<script>location = '/home'</script>", Health.VALID, "logged-in"),
        ("<p>prove it", Health.CHALLENGED, "recipe-challenged"),
        ("<p>nothing known", Health.UNKNOWN, "neither"),
    ],
)
def test_a_check_in_a_page_waits_for_what_its_scripts_make_of_it(chromium: Chromium, web: Web, page: str, health: Health, rule: str) -> None:
    web.put("/app", page)
    web.put("/home", "<a id=logout>x</a>")
    site = Site(Recipe("door", web.url(), ("127.0.0.1",), check=CLIENT_SIDE))
    verdict = chromium.run(site.check)
    assert (verdict.health, verdict.evidence[0].rule) == (health, rule)


def test_a_check_in_a_page_reads_json_headers_and_cookies_too(chromium: Chromium, web: Web) -> None:
    web.put("/me", web.answer('{"user": {"id": 1}}', 200, "seen=1", Content_Type="application/json", X_User="ada"))
    condition = Condition(status=(200,), json=(("user.id", 1),), header=(("x-user", "a*"),), cookie=("seen",), url=("/me",))
    site = Site(Recipe("door", web.url(), ("127.0.0.1",), check=Check("/me", logged_in=(condition,))))
    assert chromium.run(site.check).health is Health.VALID


def test_a_check_in_a_page_follows_to_the_login_page_and_says_so(chromium: Chromium, door: Door) -> None:
    verdict = chromium.run(door.site().check)
    assert (verdict.health, verdict.evidence[0].redirect) == (Health.EXPIRED, door.web.url("/login"))


def test_a_check_in_a_page_of_a_site_that_is_down_is_unknown(chromium: Chromium, door: Door) -> None:
    verdict = chromium.run(door.site().at("http://127.0.0.1:9").check)
    assert (verdict.health, verdict.evidence[0].rule) == (Health.UNKNOWN, "no-answer")
    assert "ERR_" in verdict.text


def test_a_check_with_a_selector_that_is_none_is_the_recipes_fault(chromium: Chromium, web: Web) -> None:
    web.put("/app", "hello")
    check = Check("/app", logged_in=(Condition(selector=("//[",)),))
    with pytest.raises(RecipeInvalid, match="cannot be read"):
        chromium.run(Site(Recipe("door", web.url(), ("127.0.0.1",), check=check)).check)
