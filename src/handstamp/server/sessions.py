"""Endpoints for sessions: get one, list them, look at one, let one rest, close one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response  # noqa: TC002  (FastAPI reads the annotations)

from handstamp.server.bodies import CloseSession, GetSession  # noqa: TC001  (the same)
from handstamp.server.documents import Checked, ClosedSession, Hibernated, OpenedSession, Sessions, failures
from handstamp.server.replies import needs, reply

if TYPE_CHECKING:
    from handstamp.pool import Admission, Pool

_SessionId = Annotated[str, Path(min_length=1, max_length=128, description="As get_session gave it.")]


def session_routes(pool: Pool) -> APIRouter:
    """The endpoints.

    Args:
        pool: whose sessions they are.
    """
    router = APIRouter(tags=["sessions"])

    @router.post("/get_session", dependencies=[needs("use")], responses={200: {"model": OpenedSession}, **failures(404, 409, 502, 504, 507)})
    async def get_session(given: GetSession) -> Response:
        """A session for these credentials: the one that is there, or a new login. Who asks again gets the same one."""
        key = given.captcha_api_key
        admission = await pool.admit(
            given.site or pool.settings.default_site,
            given.username,
            given.password.get_secret_value(),
            captcha_api_key=None if key is None else key.get_secret_value(),
            keep_alive=given.keep_alive,
        )
        return reply(opened(admission, given.username))

    @router.get("/sessions", dependencies=[needs("read")], responses={200: {"model": Sessions}, **failures(507)})
    async def sessions() -> Response:
        """The sessions that the server has, open or hibernated."""
        every = await pool.listed()
        facts = [{name: getattr(one, name) for name in _LISTED} for one in every]
        return reply({"active_sessions": facts, "count": len(facts)})

    @router.post("/close_session", dependencies=[needs("use")], responses={200: {"model": ClosedSession}, **failures(404, 409, 502, 504, 507)})
    async def close_session(given: CloseSession) -> Response:
        """Close a session: its id is not taken any more. The next get_session with its credentials brings it back, without a login unless it was forgotten."""
        await pool.known(given.session_id)
        await pool.end(given.session_id, forget=given.forget)
        said = "closed, and deleted from the vault" if given.forget else "closed; its login is kept"
        return reply({"session_id": given.session_id, "forgotten": given.forget, "message": f"Session {said}"})

    @router.post("/sessions/{session_id}/check", dependencies=[needs("use")], responses={200: {"model": Checked}, **failures(404, 409, 502, 504, 507)})
    async def check(session_id: _SessionId) -> Response:
        """See how a session stands, at its site."""
        verdict = await pool.check(session_id)
        return reply({"session_id": session_id, "health": verdict.health.value, "message": verdict.text})

    @router.post("/sessions/{session_id}/hibernate", dependencies=[needs("use")], responses={200: {"model": Hibernated}, **failures(404, 409, 502, 504, 507)})
    async def hibernate(session_id: _SessionId) -> Response:
        """Save a session and close its window, if nobody is using it. Its next call opens it again, without a login."""
        await pool.known(session_id)
        return reply({"session_id": session_id, "hibernated": await pool.hibernate(session_id)})

    return router


_LISTED = ("session_id", "username", "site", "keep_alive", "created_at", "last_used", "age_seconds", "last_refresh", "health", "state", "in_use")


def opened(admission: Admission, username: str) -> dict[str, Any]:
    """What `get_session` answers."""
    return {
        "session_id": admission.session.session_id,
        "is_new": admission.is_new,
        "username": username,
        "created_at": admission.served.served_at,
        "expires_at": None,
        "message": "New session created" if admission.is_new else "Existing session reused",
    }
