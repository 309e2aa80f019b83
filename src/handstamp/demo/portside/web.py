"""What all pages of portside share: templates, security headers, cookies, and the guard that asks for a session."""

from __future__ import annotations

import functools
import hmac
import http
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from handstamp.demo.sessions import Session, Visit, seconds_left

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.datastructures import FormData
    from starlette.requests import Request

    from handstamp.demo.world import Portside, World

HERE = Path(__file__).parent
SESSION_COOKIE = "sid"
PRESESSION_COOKIE = "portside_pre"
HOME = "/account"

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_LOCAL_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\\]*")


@functools.cache
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def render(template: str, *, status: int = 200, context: Mapping[str, Any] | None = None) -> HTMLResponse:
    """A page with its security headers. `account` and `session` are None for a page that knows no person."""
    values = {"account": None, "session": None, "grant": None, "here": "", **(context or {})}
    return HTMLResponse(_templates().get_template(template).render(values), status_code=status, headers=_HEADERS)


def site_of(request: Request) -> Portside:
    """The state of portside now."""
    world: World = request.app.state.world
    return world.portside


def person(request: Request, session: Session | None) -> dict[str, Any]:
    """What the templates show of who is signed in."""
    if session is None:
        return {"here": request.url.path}
    return {"here": request.url.path, "session": session, "account": site_of(request).accounts.get(session.username)}


def member(request: Request, session: Session) -> dict[str, Any]:
    """`person` for a page that only people who are signed in see. The first such page after the login hands out the API token, once."""
    grant, session.handout = session.handout, None
    return {**person(request, session), "grant": grant}


def form_text(form: FormData, name: str) -> str:
    """A field of a form that was sent; empty when there is none, or a file."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def same_secret(expected: str, given: str) -> bool:
    """Whether they are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


async def signed_form(request: Request, session: Session) -> FormData | None:
    """The form that was sent, if it carries the session's CSRF token."""
    form = await request.form()
    return form if same_secret(session.csrf, form_text(form, "csrf")) else None


def local_path(text: str | None) -> str:
    """Where to go after the login: `text` when it is a path of this site, else the account page. Never another host."""
    return text if text and _LOCAL_PATH.fullmatch(text) else HOME


def user_agent(request: Request) -> str:
    """The header, empty when there is none."""
    return request.headers.get("user-agent", "")


def page(handler: Callable[[Request, Session | None], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for everybody, who gets the session of whoever is signed in."""

    @functools.wraps(handler)
    async def endpoint(request: Request) -> Response:
        visit = _visit(request)
        return _with_cookie(request, await handler(request, visit.session), visit)

    return endpoint


def signed_in_page(handler: Callable[[Request, Session], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for people who are signed in; others are sent to the login page."""

    @functools.wraps(handler)
    async def endpoint(request: Request) -> Response:
        visit = _visit(request)
        response = await handler(request, visit.session) if visit.session else _to_login(request, visit)
        return _with_cookie(request, response, visit)

    return endpoint


def set_session_cookie(request: Request, response: Response, session: Session) -> None:
    """Give the browser the session's id: for the browser's life, or as long as the session can last ("remember me")."""
    site, clock = site_of(request), request.app.state.world.clock
    left = seconds_left(session, knobs=site.knobs, now=clock.now())
    response.set_cookie(SESSION_COOKIE, session.sid, max_age=max(1, math.ceil(left)) if session.remember else None, httponly=True, samesite="lax")


def drop_session_cookie(response: Response) -> None:
    """Tell the browser that the session is over."""
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")


def error_page(status: int, *, title: str | None = None, text: str | None = None, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """A page that says what went wrong and where to go from here."""
    response = render("error.html", status=status, context={"status": status, "title": title or _phrase(status), "text": text or _advice(status)})
    response.headers.update(headers or {})
    return response


def csrf_page() -> HTMLResponse:
    """The answer to a form that did not come from a page of ours, or from one that is too old."""
    text = "Your browser did not send what this form came with. Open the page again and retry; cookies have to be allowed."
    return error_page(403, title="This form is no longer valid", text=text)


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _advice(status: int) -> str:
    if status == http.HTTPStatus.NOT_FOUND:
        return "There is no page at this address. It may have moved, or the link was cut short."
    if status == http.HTTPStatus.FORBIDDEN:
        return "You are not allowed to see this."
    if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return "Something broke on our side. Your data is safe; please try again in a moment."
    return "The request could not be answered as it was sent."


def _visit(request: Request) -> Visit:
    site = site_of(request)
    visit = site.sessions.visit(request.cookies.get(SESSION_COOKIE), knobs=site.knobs, user_agent=user_agent(request))
    if visit.session is not None:
        request.state.username = visit.session.username
    return visit


def _to_login(request: Request, visit: Visit) -> Response:
    if request.method not in {"GET", "HEAD"}:
        return RedirectResponse("/login", status_code=303)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    reason = "&reason=ended" if visit.ended else ""
    return RedirectResponse(f"/login?next={quote(wanted, safe='/')}{reason}", status_code=302)


def _with_cookie(request: Request, response: Response, visit: Visit) -> Response:
    """Send the session's id again where it changed or its life was extended; take it back when the session is over."""
    session = visit.session
    if session is not None and session.ended is None:
        if session.remember or session.sid != request.cookies.get(SESSION_COOKIE):
            set_session_cookie(request, response, session)
    elif visit.ended is not None and request.method in {"GET", "HEAD"}:
        drop_session_cookie(response)
    return response
