"""Logging in by a recipe's steps, in a page that Playwright drives. What to do is decided in `form_moves`."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never
from urllib.parse import urlsplit

from handstamp.errors import LoginError, LoginFailed, LoginRequired
from handstamp.sites import form_errors
from handstamp.sites.challenge import Challenge
from handstamp.sites.form_look import FormLook
from handstamp.sites.form_moves import BLOCKED, Again, Ask, Do, Finish, Move, Stop, Wait, Waiting, next_move
from handstamp.sites.page_watch import PageWatch
from handstamp.sites.playwright_errors import failure_of, page_error, raise_if_gone
from handstamp.sites.recipe import ChallengeMarker, Login, Step, StepKind
from handstamp.sites.token_wait import wait_for_token
from handstamp.sites.totp import parse_totp, skew_of

if TYPE_CHECKING:
    from playwright.async_api import Page

    from handstamp.sites.challenge import ChallengeSolver
    from handstamp.sites.credentials import Credentials
    from handstamp.sites.site import Site

log = logging.getLogger(__name__)

_LOOK_AGAIN = 0.1
CODE_SECONDS = 3.0
"""A one-time code that ends sooner than this may be too old when the site reads it: wait for the next."""


async def log_in_by_form(site: Site, page: Page, credentials: Credentials, *, timeout: float = 30.0, solver: ChallengeSolver | None = None) -> None:
    """Does the steps of the recipe's login; see `Site.login`. Never sends a password twice."""
    if site.recipe.login is None:
        raise LoginRequired(f"'{site.name}' has no recipe for a login; log in by hand: handstamp login {site.base_url}")
    with PageWatch(page) as watch:
        await _Form(site, site.recipe.login, page, watch, credentials, timeout=timeout, solver=solver).run()
        await wait_for_token(site.recipe, page, watch)


class _Form:
    """One login, from the login page to wherever the site leads."""

    def __init__(
        self, site: Site, login: Login, page: Page, watch: PageWatch, credentials: Credentials, *, timeout: float, solver: ChallengeSolver | None
    ) -> None:
        self._site = site
        self._login = login
        self._page = page
        self._watch = watch
        self._look = FormLook(site, login, page, watch)
        self._credentials = credentials
        self._timeout = timeout
        self._solver = solver
        self._url = site.url(login.url)
        self._stepped_at = time.monotonic()
        self._waiting = Waiting((), timeout=timeout)
        self._totp = parse_totp(credentials.totp, login.totp) if credentials.totp else None
        self._code_until = 0.0
        self._typed_in: int | None = None  # number of the document in which the password was typed
        self._sent = False

    async def run(self) -> None:
        """All of it.

        Raises:
            LoginError: with `sent` False when the password never left the page.
        """
        try:
            await self._run()
        except LoginError as error:
            error.sent = self._sent or (self._typed_in is not None and self._watch.documents > self._typed_in)
            raise
        except BaseException as error:  # Ctrl-C, a browser that ended
            if self._typed_in is None:
                form_errors.note_unsent(error)
            raise

    async def _run(self) -> None:
        await self._open(self._url)
        if await self._is_in_already():
            return
        index = 0
        while (found := await self._arrive(index)) is not None:
            await self._do(found, self._login.steps[found])
            index = found + 1

    async def _open(self, url: str) -> None:
        reason = ""
        try:
            await self._page.goto(url, wait_until="domcontentloaded", timeout=self._timeout * 1000)
        except page_error() as error:
            raise_if_gone(error, self._page)
            reason = "" if "interrupted" in str(error) else failure_of(error)[1]
        if reason:
            raise form_errors.cannot_be_reached(self._site.name, url, reason)
        status = self._watch.status or 200
        if status >= 400:
            raise self._stopped(Stop.BLOCKED if status in BLOCKED else Stop.TROUBLE)

    async def _is_in_already(self) -> bool:
        """Whether the site sent us away from its login page because it knows us: "remember me", another tab."""
        return len(self._watch.navigations) > 1 and await self._look.looks_inside()

    async def _arrive(self, index: int) -> int | None:
        """The index of the step to do now; None when the form is done with."""
        steps = self._login.steps
        last = next((at for at in range(index, len(steps)) if not steps[at].optional), len(steps) - 1)
        self._waiting = replace(self._waiting, steps=tuple((at, steps[at]) for at in range(index, last + 1)))
        before: Move | None = None
        while True:
            move = next_move(await self._look.look(self._waiting, stepped_at=self._stepped_at), self._waiting, self._login.challenge)
            if isinstance(move, Do) and move.index > index and move != before:
                # It passes over a step that the site may leave out: not on the word of a page that is just being drawn.
                move, before = Wait(), move
            match move:
                case Do() | Again():
                    return move.index
                case Finish():
                    return None
                case Ask():
                    await self._answer(move.marker)
                case Stop():
                    raise self._stopped(move)
                case Wait():
                    await asyncio.sleep(_LOOK_AGAIN)
                case _:
                    assert_never(move)

    async def _do(self, index: int, step: Step) -> None:
        log.debug("login at %s: step %d of %d, %s", self._site.name, index + 1, len(self._login.steps), step)
        if step.kind not in {StepKind.GOTO, StepKind.WAIT_FOR}:
            self._refuse_strangers(step)
        value = await self._filled_in(step)
        document = self._watch.documents
        if "{password}" in step.value:
            self._typed_in = document
        if step.kind is StepKind.GOTO:
            await self._open(self._site.url(step.target))
        elif not await self._act(step, value):
            raise form_errors.step_refused(self._site.recipe, step, self._page.url)
        if "{password}" not in step.value and self._typed_in is not None and step.kind in {StepKind.CLICK, StepKind.PRESS}:
            self._sent = True
        self._watch.touch()
        self._stepped_at = time.monotonic()
        self._waiting = self._waiting.after(index, step, document, own_code="{totp}" in step.value and self._totp is not None)

    async def _act(self, step: Step, value: str) -> bool:
        """Do it; False when the element would not. Playwright's words are dropped: they repeat what was typed."""
        limit = (self._timeout if step.timeout is None else step.timeout) * 1000
        try:
            if step.kind is StepKind.PRESS and not step.on:
                await self._page.keyboard.press(step.target)
                return True
            element = self._page.locator(step.selector).filter(visible=True).first
            match step.kind:
                case StepKind.FILL:
                    await element.fill(value, timeout=limit)
                case StepKind.CLICK:
                    await element.click(timeout=limit)
                case StepKind.PRESS:
                    await element.press(step.target, timeout=limit)
                case StepKind.SELECT:
                    await element.select_option(value, timeout=limit)
                case StepKind.CHECK:
                    await element.check(timeout=limit)
                case _:
                    pass  # WAIT_FOR is done once its element is visible, and GOTO is not done here
        except page_error() as error:
            raise_if_gone(error, self._page)
            return False
        return True

    def _refuse_strangers(self, step: Step) -> None:
        """Nothing is typed or clicked on a page that is not the site's, or less safe than it should be: a network's portal, a trap."""
        unsafe = urlsplit(self._page.url).scheme == "http" and self._url.startswith("https:")
        if unsafe or not self._site.covers(self._page.url):
            raise form_errors.strange_page(self._site.name, step, self._page.url, unsafe=unsafe)

    async def _filled_in(self, step: Step) -> str:
        """The step's value with its placeholders filled in."""
        code = await self._code() if "{totp}" in step.value else ""
        return step.value.format(username=self._credentials.username, password=self._credentials.password, totp=code)

    async def _code(self) -> str:
        """A one-time code that will still be good when it arrives."""
        if self._totp is None:
            answer = await self._solved(Challenge(self._site.name, self._credentials.username, "code", "the one-time code of the account"))
            if answer is None:
                raise form_errors.code_unknown(self._site.name, self._credentials.username)
            return answer
        used_until, self._code_until = self._code_until, 0.0
        now = time.time()
        if used_until and (skew := skew_of(self._site_date(), now)) and abs(skew) >= self._totp.settings.period / 2:
            # Refused, and the two clocks differ: theirs counts.
            log.warning("the clock of '%s' is %+.0f s from ours, so one-time codes are made by theirs; set this machine's clock right", self._site.name, skew)
            return self._totp.code_at(now + skew)
        left = self._totp.seconds_left(now)
        # Not one that may be too old on arrival, nor the one that was refused.
        if left < min(CODE_SECONDS, self._totp.settings.period / 2) or now < used_until:
            await asyncio.sleep(left)
            now = time.time()
        self._code_until = now + self._totp.seconds_left(now)
        return self._totp.code_at(now)

    def _site_date(self) -> str:
        return self._watch.answer.headers.get("date", "") if self._watch.answer else ""

    async def _answer(self, marker: ChallengeMarker) -> None:
        """Hand a challenge to the solver and type what it says. Whoever passes it in the page itself, or elsewhere, is as welcome."""
        document = self._watch.documents
        answer = await self._solved_or_passed(marker, await self._challenge(marker)) if self._solver else None
        if answer is None:
            raise form_errors.challenge_unsolved(self._site.name, marker, self._page.url)
        step = Step(StepKind.FILL, marker.answer)
        if marker.answer and answer:
            self._refuse_strangers(step)
            if not await self._act(step, answer):
                raise form_errors.step_refused(self._site.recipe, step, self._page.url)
        self._stepped_at = time.monotonic()
        self._waiting = replace(self._waiting, answered=self._waiting.answered | {(marker.selector, document)})

    async def _solved_or_passed(self, marker: ChallengeMarker, challenge: Challenge) -> str | None:
        """The solver's answer; an empty one as soon as the page shows the challenge no more."""
        asked = asyncio.create_task(self._solved(challenge))
        passed = asyncio.create_task(self._look.until_gone(marker.selector))
        try:
            await asyncio.wait({asked, passed}, return_when=asyncio.FIRST_COMPLETED)
            return await asked if asked.done() else await passed
        finally:
            for task in (asked, passed):
                task.cancel()
            await asyncio.gather(asked, passed, return_exceptions=True)  # a solver withdraws its question

    async def _solved(self, challenge: Challenge) -> str | None:
        return await self._solver.solve(challenge) if self._solver else None

    async def _challenge(self, marker: ChallengeMarker) -> Challenge:
        """The question with what the page shows there."""
        element = self._page.locator(marker.image or marker.selector).filter(visible=True).first
        question, image = "", b""
        try:
            question = await element.inner_text(timeout=self._timeout * 1000)
            image = await element.screenshot(timeout=self._timeout * 1000)
        except page_error() as error:
            raise_if_gone(error, self._page)  # otherwise a person may know without seeing it
        return Challenge(self._site.name, self._credentials.username, marker.kind, question, image)

    def _stopped(self, reason: Stop) -> LoginFailed:
        if reason is Stop.MISSING:
            step = self._waiting.steps[-1][1]
            return form_errors.step_missing(self._site.recipe, step, self._page.url)
        answer = self._watch.answer
        headers = answer.headers if answer else {}
        return form_errors.stopped(reason, self._site.name, self._credentials.username, self._page.url, status=self._watch.status, headers=headers)
