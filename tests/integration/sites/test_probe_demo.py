"""The bundled recipes at the stand-in sites: logins in Chromium, checks by plain HTTP with what the browser got."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.demo import BUILT_IN
from handstamp.errors import ChallengeUnsolved, LoginFailed
from handstamp.sites import Credentials, expiry_evidence, find_site
from handstamp.sites.check import check_by_http
from handstamp.sites.login import run_login
from handstamp.state import Cookie, Device, Entry, Health, Part, PartId, PartKind, StorageState

if TYPE_CHECKING:
    from playwright.async_api import Page

    from handstamp.demo import Control, DemoServers
    from handstamp.sites import Challenge, ChallengeSolver, Site
    from handstamp.sites.check import HttpCheck

    from .conftest import Chromium

DANA = BUILT_IN[1]


@pytest.fixture
def portside(servers: DemoServers, control: Control) -> Site:
    del control
    return find_site("portside", env={"HANDSTAMP_PORTSIDE_BASE_URL": servers.portside.url})


@dataclass(frozen=True)
class Saved:
    """What a login left in the browser."""

    state: StorageState
    device: Device
    token: str


def dana(password: str = DANA.password) -> Credentials:
    return Credentials(DANA.username, password, DANA.totp_secret)


def log_in(chromium: Chromium, site: Site, credentials: Credentials | None = None, *, solver: ChallengeSolver | None = None) -> Saved:
    async def visit(page: Page) -> Saved:
        outcome = await run_login(site, page, credentials or dana(), timeout=5.0, solver=solver)
        assert outcome.verdict.health is Health.VALID
        token = await page.evaluate("localStorage.getItem('token')")
        cookies = [_cookie(dict(one)) for one in await page.context.cookies()]
        parts = [Part(PartId(PartKind.COOKIES, "portside.localhost"), {one.key: Entry(one) for one in cookies})]
        parts.append(Part(PartId(PartKind.LOCAL, site.base_url), {("token",): Entry(token)}))
        return Saved(StorageState.of(parts), Device(user_agent=await page.evaluate("navigator.userAgent"), language="en-US"), token)

    saved: Saved = chromium.run(visit)
    return saved


def _cookie(given: dict[str, Any]) -> Cookie:
    return Cookie(given["name"], given["value"], given["domain"], path=given["path"], http_only=given["httpOnly"], same_site=given["sameSite"])


def after(state: StorageState, looked: HttpCheck) -> StorageState:
    """The state with a check's changes."""
    part_id = PartId(PartKind.COOKIES, "portside.localhost")
    entries = dict(state.parts[part_id].entries) | {one.key: Entry(one) for one in looked.changes}
    return StorageState.of([*(part for part in state.parts.values() if part.id != part_id), Part(part_id, entries)])


@pytest.mark.parametrize("knobs", [{}, {"totp": True}, {"bind_user_agent": True}, {"rotate": True, "rotate_grace": 2.0}, {"token_seconds": 60.0}])
def test_the_recipe_logs_in_once_and_a_check_by_http_says_so(chromium: Chromium, portside: Site, control: Control, knobs: dict[str, Any]) -> None:
    control.set(**knobs)
    saved = log_in(chromium, portside)
    assert saved.token
    assert expiry_evidence(saved.state, portside.recipe, datetime.now(UTC)) is None
    assert check_by_http(portside, saved.state, saved.device).verdict.health is Health.VALID
    assert control.stats().portside.logins == 1


def test_twenty_checks_of_a_session_that_rotates_and_is_bound_leave_it_alive(chromium: Chromium, portside: Site, control: Control) -> None:
    control.set(rotate=True, rotate_grace=2.0)
    saved = log_in(chromium, portside)
    control.set(bind_user_agent=True, rotate_grace=0.0)
    state = saved.state
    for _ in range(20):
        looked = check_by_http(portside, state, saved.device)
        assert looked.verdict.health is Health.VALID
        state = after(state, looked)
    assert control.stats().portside.logins == 1


def test_a_revoked_session_is_expired(chromium: Chromium, portside: Site, control: Control) -> None:
    saved = log_in(chromium, portside)
    control.revoke()
    assert check_by_http(portside, saved.state, saved.device).verdict.health is Health.EXPIRED


@pytest.mark.parametrize(("status", "health"), [(500, Health.UNKNOWN), (503, Health.UNKNOWN), (403, Health.BLOCKED), (429, Health.BLOCKED)])
def test_a_bad_day_is_no_end_of_the_session(chromium: Chromium, portside: Site, control: Control, status: int, health: Health) -> None:
    saved = log_in(chromium, portside)
    control.set(error_share=1.0, error_status=status)
    looked = check_by_http(portside, saved.state, saved.device)
    assert (looked.verdict.health, looked.changes) == (health, ())
    control.set(error_share=0.0)
    assert check_by_http(portside, saved.state, saved.device).verdict.health is Health.VALID


def test_a_wrong_password_is_one_attempt(chromium: Chromium, portside: Site, control: Control) -> None:
    with pytest.raises(LoginFailed, match="refused the login of 'dana'") as caught:
        log_in(chromium, portside, dana("wrong"))
    assert caught.value.health == Health.EXPIRED
    assert control.stats().portside.attempts == 1


def test_a_locked_account_is_blocked_with_its_end(chromium: Chromium, portside: Site, control: Control) -> None:
    control.set(lock_after=1, lock_seconds=600.0)
    with pytest.raises(LoginFailed) as caught:
        log_in(chromium, portside, dana("wrong"))
    assert caught.value.health == Health.BLOCKED
    assert caught.value.until is not None
    assert 0 < (caught.value.until - datetime.now(UTC)).total_seconds() <= 601


def test_a_rebuilt_form_is_named_and_gets_no_password(chromium: Chromium, portside: Site, control: Control) -> None:
    control.set(renamed_form=True)
    with pytest.raises(LoginFailed, match="shows no #username") as caught:
        log_in(chromium, portside)
    assert caught.value.health == Health.UNKNOWN
    assert control.stats().portside.attempts == 0


def test_a_captcha_needs_a_person(chromium: Chromium, portside: Site, control: Control) -> None:
    control.set(captcha=True)
    with pytest.raises(ChallengeUnsolved, match=r"shows a challenge \(image, #captcha\)"):
        log_in(chromium, portside)
    assert control.stats().portside.attempts == 0


def test_a_person_who_reads_the_captcha_gets_in(chromium: Chromium, portside: Site, control: Control) -> None:
    class Reader:
        async def solve(self, challenge: Challenge) -> str | None:
            assert challenge.image.startswith(b"\x89PNG")
            return control.captcha_answer()

    control.set(captcha=True)
    assert log_in(chromium, portside, solver=Reader()).token
    assert control.stats().portside.attempts == 1


def test_interpals_is_told_by_its_status(servers: DemoServers, control: Control) -> None:
    site = find_site("interpals", env={"HANDSTAMP_INTERPALS_BASE_URL": servers.interpals.url})
    (opened,) = control.open_sessions("dana", site="interpals", user_agent="Test/1")
    cookie = Cookie("interpals_sessid", opened.cookie, "interpals.localhost")
    parts = [Part(PartId(PartKind.COOKIES, "interpals.localhost"), {cookie.key: Entry(cookie)})]
    without_token = StorageState.of(parts)
    state = StorageState.of([*parts, Part(PartId(PartKind.LOCAL, site.base_url), {("auth_token",): Entry(opened.token)})])
    device = Device(user_agent="Test/1")
    assert check_by_http(site, state, device).verdict.health is Health.VALID
    assert check_by_http(site, without_token, device).verdict.health is Health.EXPIRED
    control.revoke()
    assert check_by_http(site, state, device).verdict.health is Health.EXPIRED
