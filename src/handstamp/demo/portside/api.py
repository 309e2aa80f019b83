"""portside's JSON API. It takes the bearer token that its pages keep in localStorage, and no cookie."""

from __future__ import annotations

import asyncio
import functools
import json
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from handstamp.demo.portside.fleet import containers_of, records_of
from handstamp.demo.portside.web import site_of, user_agent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from handstamp.demo.sessions import Session

_NO_STORE = {"Cache-Control": "no-store"}
_MOST_BODY = 4096
_PAGE = 10  # rows
_PART = 100  # rows of the long list, when the request names no number
_MOST_PART = 200


def problem(status: int, *, code: str, error: str) -> JSONResponse:
    """An error of the API; 401 carries the challenge that RFC 6750 §3 asks for."""
    challenge = {"WWW-Authenticate": 'Bearer realm="portside", error="invalid_token"'} if status == 401 else {}
    return JSONResponse({"error": error, "code": code}, status_code=status, headers=_NO_STORE | challenge)


def with_bearer(handler: Callable[[Request, Session], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for a good token of a living session, whose life it extends."""

    @functools.wraps(handler)
    async def endpoint(request: Request) -> Response:
        site = site_of(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        session = site.tokens.session_of(token.strip()) if scheme.lower() == "bearer" else None
        if session is None or site.sessions.touch(session, knobs=site.knobs, user_agent=user_agent(request)) is not None:
            return problem(401, code="unauthorized", error="The API token is missing or no longer good. Sign in again.")
        request.state.username = session.username
        return await handler(request, session)

    return endpoint


async def account(request: Request, session: Session) -> Response:
    """GET /api/account."""
    site = site_of(request)
    found = site.accounts.get(session.username)
    sign_ins = site.sign_ins.get(session.username)
    body: dict[str, Any] = {
        "username": session.username,
        "name": found.name if found else session.username,
        "company": found.company if found else "",
        "last_login": sign_ins[0].at.isoformat(timespec="seconds") if sign_ins else None,
        "login_count": site.tally.logins_of(session.username),
    }
    return JSONResponse(body, headers=_NO_STORE)


async def containers(request: Request, session: Session) -> Response:
    """GET /api/containers; `status` keeps one status, `q` what contains this text in number, vessel or line, `page` gives so many at a time."""
    status, text = request.query_params.get("status", ""), request.query_params.get("q", "").casefold()
    rows = [row for row in containers_of(session.username) if status in {"", row.status} and text in f"{row.number} {row.vessel} {row.line}".casefold()]
    page = request.query_params.get("page", "")
    if not page:
        return JSONResponse({"containers": [row.as_json() for row in rows], "count": len(rows)}, headers=_NO_STORE)
    if not (page.isascii() and page.isdigit() and int(page[:9]) > 0):
        return problem(400, code="bad-request", error="page takes a number from 1.")
    start = (int(page[:9]) - 1) * _PAGE
    shown = {"containers": [row.as_json() for row in rows[start : start + _PAGE]], "count": len(rows), "pages": -(-len(rows) // _PAGE)}
    return JSONResponse(shown, headers=_NO_STORE)


async def long_list(request: Request, session: Session) -> Response:
    """GET /api/containers/all: the long list by parts, `limit` rows from `offset` on; `next` is the offset to go on with, null at the end."""
    offset, limit = (_whole(request.query_params.get(name, ""), default=default) for name, default in (("offset", 0), ("limit", _PART)))
    if offset is None or limit is None or not 0 < limit <= _MOST_PART:
        return problem(400, code="bad-request", error=f"offset takes a number from 0, limit from 1 to {_MOST_PART}.")
    await asyncio.sleep(site_of(request).knobs.list_slow_ms / 1000)
    records = records_of(session.username)
    after = offset + limit
    rows = [record.as_json() for record in records[offset:after]]
    return JSONResponse({"containers": rows, "count": len(records), "next": after if after < len(records) else None}, headers=_NO_STORE)


def _whole(text: str, *, default: int) -> int | None:
    """The whole number in a query, `default` where there is none; None for anything else."""
    if not text:
        return default
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


async def refresh_token(request: Request) -> Response:
    """POST /api/token with ``{"refresh_token": ...}``: a new token; with rotation, a new refresh token too."""
    site, given = site_of(request), await _refresh_token_in(request)
    if given is None:
        return problem(400, code="bad-request", error='Send JSON: {"refresh_token": "…"}.')
    refused = problem(401, code="unauthorized", error="The refresh token is not good. Sign in again.")
    session = site.tokens.owner(given)
    if session is None or site.sessions.touch(session, knobs=site.knobs, user_agent=user_agent(request)) is not None:
        return refused
    grant = site.tokens.renew(given, knobs=site.knobs)
    if grant is None:
        site.sessions.end(session, "token-reuse")
        return refused
    request.state.username = session.username
    return JSONResponse({"token": grant.token, "refresh_token": grant.refresh_token, "expires_in": grant.expires_in}, headers=_NO_STORE)


async def _refresh_token_in(request: Request) -> str | None:
    body = await request.body()
    try:
        data = json.loads(body) if len(body) <= _MOST_BODY else None
    except (ValueError, RecursionError):
        return None
    given = data.get("refresh_token") if isinstance(data, dict) else None
    return given if isinstance(given, str) else None
