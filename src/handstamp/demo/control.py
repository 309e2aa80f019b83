"""The control endpoint: how tests and demonstrations turn knobs, add accounts and read counts, on a port of its own.

    GET  /stats                                    counts of both sites
    GET  /knobs                                    all knobs
    POST /knobs      {portside?: {…}, interpals?: {…}}   turn some; all knobs come back
    POST /accounts   {username, password, name?, company?, totp_secret?}
    GET  /accounts                                 user names
    POST /sessions   {site, username, count?, remember?, user_agent?}   open sessions without a login
    POST /revoke     {site?, username?}            end sessions now
    POST /unlock     {username}                    forget failed logins
    POST /advance    {seconds}                     move the sites' clock on
    GET  /captcha                                  answers of open captchas
    POST /solver     {api_key, image}              the answer to one picture, by a key of its own, see `solver`
    POST /reset                                    as at the start

Every other request needs the bearer token of the start line, so no page and no other local user can turn anything.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from handstamp.demo import solver
from handstamp.demo.accounts import Account
from handstamp.demo.knobs import SiteName, turned
from handstamp.demo.sessions import new_secret
from handstamp.demo.world import Portside
from handstamp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from handstamp.demo.world import World

_SITES: tuple[SiteName, ...] = ("portside", "interpals")
_MOST_SESSIONS = 100_000
_MOST_SECONDS = 10 * 366 * 86_400.0


async def read_stats(request: Request) -> Response:
    """GET /stats."""
    world = _world(request)
    return JSONResponse({name: asdict(world.site(name).stats()) for name in _SITES})


async def read_knobs(request: Request) -> Response:
    """GET /knobs."""
    return _knobs(_world(request))


async def turn_knobs(request: Request) -> Response:
    """POST /knobs: all of the changes, or none when one is wrong."""
    world, body = _world(request), await _body(request, takes=_SITES)
    portside = turned(world.portside.knobs, _object(body, "portside"))
    interpals = turned(world.interpals.knobs, _object(body, "interpals"))
    world.portside.knobs, world.interpals.knobs = portside, interpals
    return _knobs(world)


async def read_accounts(request: Request) -> Response:
    """GET /accounts."""
    return JSONResponse({"usernames": _world(request).accounts.names()})


async def add_account(request: Request) -> Response:
    """POST /accounts."""
    body = await _body(request, takes=("username", "password", "name", "company", "totp_secret"))
    account = Account(
        _text(body, "username"),
        _text(body, "password"),
        _text(body, "name", default=""),
        _text(body, "company", default="Independent"),
        _text(body, "totp_secret", default="") or None,
    )
    _world(request).accounts.add(account)
    return JSONResponse({"username": account.username}, status_code=201)


async def open_sessions(request: Request) -> Response:
    """POST /sessions: not counted as logins."""
    world, body = _world(request), await _body(request, takes=("site", "username", "count", "remember", "user_agent"))
    site, username, count = _site_name(body), _text(body, "username"), body.get("count", 1)
    if world.accounts.get(username) is None:
        raise ConfigError(f"no account has the user name {username!r}; add it first")
    if type(count) is not int or not 1 <= count <= _MOST_SESSIONS:
        raise ConfigError(f"'count' takes 1 to {_MOST_SESSIONS}")
    agent, remember = _text(body, "user_agent", default=""), body.get("remember") is True
    opened = [_open(world, site, username, user_agent=agent, remember=remember) for _ in range(count)]
    return JSONResponse({"sessions": opened}, status_code=201)


async def revoke(request: Request) -> Response:
    """POST /revoke."""
    world, body = _world(request), await _body(request, takes=("site", "username"))
    names = _SITES if body.get("site") is None else (_site_name(body),)
    username = _text(body, "username", default="") or None
    sites = [world.site(name) for name in names]
    return JSONResponse({"revoked": sum(site.sessions.end_all("revoked", knobs=site.knobs, username=username) for site in sites)})


async def unlock(request: Request) -> Response:
    """POST /unlock."""
    world, username = _world(request), _text(await _body(request, takes=("username",)), "username")
    world.portside.lockouts.clear(username)
    world.interpals.attempts.clear(username)
    return JSONResponse({"username": username})


async def advance(request: Request) -> Response:
    """POST /advance."""
    body = await _body(request, takes=("seconds",))
    seconds = body.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= _MOST_SECONDS:
        raise ConfigError(f"'seconds' takes a number from 0 to {_MOST_SECONDS:g}")
    _world(request).clock.advance(seconds)
    return JSONResponse({"advanced": seconds})


async def read_captcha(request: Request) -> Response:
    """GET /captcha: the one asked last, and all by the value of the browser's pre-session cookie."""
    answers = _world(request).portside.presessions.answers()
    return JSONResponse({"answer": next(reversed(answers.values()), None), "by_presession": answers})


async def reset(request: Request) -> Response:
    """POST /reset."""
    world = _world(request)
    world.reset()
    return _knobs(world)


_ROUTES = [
    Route("/stats", read_stats),
    Route("/knobs", read_knobs, methods=["GET"]),
    Route("/knobs", turn_knobs, methods=["POST"]),
    Route("/accounts", read_accounts, methods=["GET"]),
    Route("/accounts", add_account, methods=["POST"]),
    Route("/sessions", open_sessions, methods=["POST"]),
    Route("/revoke", revoke, methods=["POST"]),
    Route("/unlock", unlock, methods=["POST"]),
    Route("/advance", advance, methods=["POST"]),
    Route("/captcha", read_captcha),
    Route("/reset", reset, methods=["POST"]),
    Route("/solver", solver.solve, methods=["POST"]),
]


class _Guard:
    """Lets in who has the token, whatever the path; the solver has a key of its own."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope.get("headers", ())).get(b"authorization", b"")
        app = self._app
        guarded = scope["type"] == "http" and scope["path"] != "/solver"
        if guarded and not hmac.compare_digest(given, self._expected):
            headers = {"WWW-Authenticate": 'Bearer realm="demo control"'}
            app = JSONResponse({"error": "The control token is missing or wrong.", "code": "unauthorized"}, status_code=401, headers=headers)
        await app(scope, receive, send)


def build(world: World, *, token: str, solver_key: str) -> ASGIApp:
    """The control endpoint over `world`, for who has `token`, and the solver for who has `solver_key`."""
    app = Starlette(routes=_ROUTES, exception_handlers={ConfigError: _wrong, HTTPException: _refused})
    app.state.world = world
    app.state.solver_key = solver_key
    return _Guard(app, token=token)


def _open(world: World, name: SiteName, username: str, *, user_agent: str, remember: bool) -> dict[str, str | None]:
    site = world.site(name)
    session = site.sessions.open(username, knobs=site.knobs, user_agent=user_agent, remember=remember)
    if isinstance(site, Portside):
        grant = site.tokens.issue(session, knobs=site.knobs)
        return {"cookie": session.sid, "token": grant.token, "refresh_token": grant.refresh_token}
    session.auth_token = new_secret(site.knobs.canary)
    return {"cookie": session.sid, "token": session.auth_token, "refresh_token": None}


def _world(request: Request) -> World:
    world: World = request.app.state.world
    return world


def _knobs(world: World) -> Response:
    return JSONResponse({name: asdict(world.site(name).knobs) for name in _SITES})


async def _body(request: Request, *, takes: tuple[str, ...]) -> dict[str, Any]:
    """The request's JSON object; an empty body is an empty one."""
    try:
        data = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or not set(data) <= set(takes):
        raise ConfigError(f"send a JSON object with some of: {', '.join(takes)}")
    return data


def _object(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{name!r} takes a JSON object of knobs")
    return value


def _text(body: Mapping[str, Any], name: str, *, default: str | None = None) -> str:
    value = body.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise ConfigError(f"{name!r} takes text")
    return value


def _site_name(body: Mapping[str, Any]) -> SiteName:
    for name in _SITES:
        if body.get("site") == name:
            return name
    raise ConfigError(f"'site' takes one of: {', '.join(_SITES)}")


async def _wrong(request: Request, error: Exception) -> Response:
    del request
    return JSONResponse({"error": str(error), "code": ConfigError.code}, status_code=400)


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return JSONResponse({"error": f"{request.method} {request.url.path} is not possible here.", "code": "refused"}, status_code=status)
