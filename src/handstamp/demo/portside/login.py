"""Signing in to portside: password form, captcha, one-time code, lock-out; and signing out.

A refused login is answered with status 200 and the form again, as most form logins do (401 would promise an HTTP
authentication scheme). A locked account and a form without its CSRF token are answered with 403, the first with
`Retry-After`.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from starlette.responses import RedirectResponse, Response

from handstamp.demo.portside import captcha
from handstamp.demo.portside.admission import RENAMED, USUAL, Entry, FormNames, Outcome, attempt, check_code, count_failure
from handstamp.demo.portside.agents import browser_name
from handstamp.demo.portside.presessions import PasswordDone, Presession
from handstamp.demo.portside.web import (
    PRESESSION_COOKIE,
    csrf_page,
    drop_session_cookie,
    error_page,
    form_text,
    local_path,
    render,
    same_secret,
    set_session_cookie,
    signed_form,
    site_of,
    user_agent,
)

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request

    from handstamp.demo.sessions import Session
    from handstamp.demo.world import Portside


NOTICES = {"ended": "Your session has ended. Sign in to continue.", "signed-out": "You are signed out."}


async def show_form(request: Request, session: Session | None) -> Response:
    """GET /login."""
    next_path = local_path(request.query_params.get("next"))
    if session is not None:
        return RedirectResponse(next_path, status_code=303)
    return _form(request, Entry(next_path=next_path), notice=NOTICES.get(request.query_params.get("reason", "")))


async def send_form(request: Request, session: Session | None) -> Response:
    """POST /login."""
    form = await request.form()
    presession = _presession_of(request, form)
    if presession is None:
        return csrf_page()
    site = site_of(request)
    entry = _read(form, RENAMED if site.knobs.renamed_form else USUAL)
    outcome = attempt(site, presession, entry)
    if outcome is Outcome.LOCKED:
        return _locked(site, entry.username)
    if outcome is Outcome.NEEDS_CODE:
        presession.password_done = PasswordDone(entry.username, entry.remember, entry.next_path)
        return RedirectResponse("/login/otp", status_code=303)
    if outcome is Outcome.SIGNED_IN:
        return _enter(request, presession, PasswordDone(entry.username, entry.remember, entry.next_path), replaced=session)
    return _form(request, entry, refused=outcome)


async def show_code_form(request: Request, session: Session | None) -> Response:
    """GET /login/otp."""
    presession = site_of(request).presessions.get(request.cookies.get(PRESESSION_COOKIE))
    if session is not None or presession is None or presession.password_done is None:
        return RedirectResponse("/login", status_code=303)
    return _code_form(presession)


async def send_code_form(request: Request, session: Session | None) -> Response:
    """POST /login/otp."""
    form = await request.form()
    presession = _presession_of(request, form)
    if presession is None or presession.password_done is None:
        return csrf_page()
    site, done = site_of(request), presession.password_done
    if site.lockouts.seconds_left(done.username, knobs=site.knobs):
        return _locked(site, done.username)
    problem = check_code(site, done.username, form_text(form, "otp"), seconds=time.time())
    if problem is None:
        return _enter(request, presession, done, replaced=session)
    if count_failure(site, done.username):
        presession.password_done = None
        return _locked(site, done.username)
    return _code_form(presession, error=problem)


async def sign_out(request: Request, session: Session) -> Response:
    """POST /logout."""
    if await signed_form(request, session) is None:
        return csrf_page()
    site = site_of(request)
    if not site.knobs.lazy_logout:
        site.sessions.end(session, "logged-out")
    site.tally.add("logouts", session.username)
    response = RedirectResponse("/login?reason=signed-out", status_code=303)
    drop_session_cookie(response)
    return response


async def show_captcha(request: Request) -> Response:
    """GET /captcha.png: the picture that this browser was asked about last."""
    presession = site_of(request).presessions.get(request.cookies.get(PRESESSION_COOKIE))
    if presession is None or presession.captcha is None:
        return error_page(404)
    return Response(captcha.draw(presession.captcha), media_type="image/png", headers={"Cache-Control": "no-store"})


def _enter(request: Request, presession: Presession, done: PasswordDone, *, replaced: Session | None) -> Response:
    """Open the session, under a new id (a session that the browser had before ends), and go where the person wanted."""
    site = site_of(request)
    if replaced is not None:
        site.sessions.end(replaced, "replaced")
    site.presessions.close(presession)
    site.lockouts.clear(done.username)
    session = site.sessions.open(done.username, knobs=site.knobs, user_agent=user_agent(request), remember=done.remember)
    session.handout = site.tokens.issue(session, knobs=site.knobs)
    request.state.username = done.username
    site.tally.add("logins", done.username)
    site.note_sign_in(done.username, browser_name(user_agent(request)))
    response = RedirectResponse(done.next_path, status_code=303)
    set_session_cookie(request, response, session)
    response.delete_cookie(PRESESSION_COOKIE, httponly=True, samesite="lax")
    return response


def _form(request: Request, entry: Entry, *, refused: Outcome | None = None, notice: str | None = None) -> Response:
    site = site_of(request)
    known = site.presessions.get(request.cookies.get(PRESESSION_COOKIE))
    presession = known or site.presessions.open()
    presession.password_done = None
    if site.knobs.captcha:
        site.presessions.ask_captcha(presession)
    context: dict[str, Any] = {
        "csrf": presession.csrf,
        "entry": entry,
        "error": refused.value if refused else None,
        "misread": refused is Outcome.MISREAD,
        "notice": notice,
        "names": RENAMED if site.knobs.renamed_form else USUAL,
        "captcha": site.knobs.captcha,
    }
    response = render("login.html", context=context)
    if known is None:
        response.set_cookie(PRESESSION_COOKIE, presession.key, httponly=True, samesite="lax")
    return response


def _code_form(presession: Presession, *, error: str | None = None) -> Response:
    return render("otp.html", context={"csrf": presession.csrf, "error": error})


def _locked(site: Portside, username: str) -> Response:
    left = max(1, math.ceil(site.lockouts.seconds_left(username, knobs=site.knobs)))
    minutes = max(1, math.ceil(left / 60))
    text = f"There were too many failed sign-ins. Try again in {minutes} minute{'s' if minutes > 1 else ''}, or ask your terminal office to unlock it."
    return error_page(403, title="This account is locked", text=text, headers={"Retry-After": str(left)})


def _presession_of(request: Request, form: FormData) -> Presession | None:
    """The browser's pre-session, if the form carries its CSRF token."""
    presession = site_of(request).presessions.get(request.cookies.get(PRESESSION_COOKIE))
    return presession if presession is not None and same_secret(presession.csrf, form_text(form, "csrf")) else None


def _read(form: FormData, names: FormNames) -> Entry:
    return Entry(
        username=form_text(form, names.username).strip(),
        password=form_text(form, names.password),
        captcha=form_text(form, names.captcha),
        remember=bool(form_text(form, names.remember)),
        next_path=local_path(form_text(form, "next")),
    )
