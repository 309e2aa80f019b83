"""interpals: a stand-in JSON account service. A token for a password, and one thing to read with it.

    POST /v1/token         form `username`, `password` → 201, cookie `interpals_sessid`, JSON `auth_token`
    GET  /v1/account/self  with that cookie and `X-Auth-Token` → 200, or 401

Wrong credentials are 401, too many of them 429 with `Retry-After`, a form without its fields 422. All errors are JSON.
"""

from __future__ import annotations

import hmac
import math
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from handstamp.demo.front import Front
from handstamp.demo.sessions import new_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from handstamp.demo.sessions import Session
    from handstamp.demo.world import Interpals, World

SESSION_COOKIE = "interpals_sessid"
TOKEN_HEADER = "X-Auth-Token"  # noqa: S105  (a header's name)
_NO_STORE = {"Cache-Control": "no-store"}
_CHALLENGE = {"WWW-Authenticate": f'{TOKEN_HEADER} realm="interpals"'}


async def describe(request: Request) -> Response:
    """GET /: what this is."""
    del request
    about = "A stand-in account service for tests and demonstrations. It is not connected to any real service."
    return JSONResponse({"service": "interpals", "about": about, "endpoints": ["POST /v1/token", "GET /v1/account/self"]})


async def make_token(request: Request) -> Response:
    """POST /v1/token."""
    site, form = _site_of(request), await request.form()
    username, password = form.get("username"), form.get("password")
    if not isinstance(username, str) or not isinstance(password, str) or not username or not password:
        return _problem(422, code="missing-field", error="Send the form fields username and password.")
    known = username if site.accounts.get(username) else None
    site.tally.add("attempts", known)
    wait = site.attempts.seconds_left(username, knobs=site.knobs)
    if wait > 0:
        return _problem(429, code="too-many-attempts", error="Too many attempts. Wait and try again.", headers={"Retry-After": str(math.ceil(wait))})
    if site.accounts.check(username, password) is None:
        site.tally.add("failures", known)
        site.attempts.fail(username)
        return _problem(401, code="invalid-credentials", error="The user name or the password is not right.")
    return _opened(request, site, username)


async def read_self(request: Request) -> Response:
    """GET /v1/account/self."""
    site = _site_of(request)
    sid, agent = request.cookies.get(SESSION_COOKIE), request.headers.get("user-agent", "")
    session = site.sessions.visit(sid, knobs=site.knobs, user_agent=agent).session
    if session is None:
        return _problem(401, code="session-expired", error="The session is missing or over. Ask for a new token.")
    request.state.username = session.username
    response = _self_of(site, session) if _token_fits(request, session) else _problem(401, code="invalid-token", error=f"{TOKEN_HEADER} is missing or wrong.")
    if session.sid != sid:
        _give_cookie(response, session)
    return response


def build(world: World) -> ASGIApp:
    """The whole site, with its knobs at work."""
    routes = [Route("/", describe), Route("/v1/token", make_token, methods=["POST"]), Route("/v1/account/self", read_self)]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _refused, Exception: _broken})
    app.state.world = world
    known = frozenset(route.path for route in routes)
    return Front(app, name="interpals", site=lambda: world.interpals, known=known, broken=_broken_on_purpose)


def _opened(request: Request, site: Interpals, username: str) -> Response:
    site.attempts.clear(username)
    session = site.sessions.open(username, knobs=site.knobs, user_agent=request.headers.get("user-agent", ""))
    session.auth_token = new_secret(site.knobs.canary)
    site.tally.add("logins", username)
    request.state.username = username
    response = JSONResponse({"auth_token": session.auth_token}, status_code=201, headers=_NO_STORE)
    _give_cookie(response, session)
    return response


def _self_of(site: Interpals, session: Session) -> Response:
    account = site.accounts.get(session.username)
    body = {"username": session.username, "name": account.name if account else session.username, "company": account.company if account else ""}
    return JSONResponse(body | {"login_count": site.tally.logins_of(session.username)}, headers=_NO_STORE)


def _token_fits(request: Request, session: Session) -> bool:
    given = request.headers.get(TOKEN_HEADER, "")
    return bool(session.auth_token) and hmac.compare_digest(session.auth_token.encode(), given.encode("utf-8", "surrogatepass"))


def _give_cookie(response: Response, session: Session) -> None:
    response.set_cookie(SESSION_COOKIE, session.sid, httponly=True, samesite="lax")


def _site_of(request: Request) -> Interpals:
    world: World = request.app.state.world
    return world.interpals


def _problem(status: int, *, code: str, error: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    challenge = _CHALLENGE if status == 401 else {}
    return JSONResponse({"error": error, "code": code}, status_code=status, headers={**_NO_STORE, **challenge, **(headers or {})})


def _broken_on_purpose(status: int) -> Response:
    wait = {"Retry-After": "60"} if status in {429, 503} else {}
    return _problem(status, code="broken", error="The service cannot answer now.", headers=wait)


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    code = "not-found" if status == 404 else "refused"
    return _problem(status, code=code, error=f"{request.method} is not possible here.", headers=headers)


async def _broken(request: Request, error: Exception) -> Response:
    del request, error
    return _problem(500, code="broken", error="The service cannot answer now.")
