"""portside's pages beside the login: landing, about, account, container list, and the keep-alive address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import FileResponse, JSONResponse, Response

from handstamp.demo.accounts import BUILT_IN
from handstamp.demo.portside.web import HERE, member, person, render, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from handstamp.demo.sessions import Session


async def landing(request: Request, session: Session | None) -> Response:
    """GET /."""
    return render("landing.html", context=person(request, session))


async def about(request: Request, session: Session | None) -> Response:
    """GET /about: that this is a stand-in, and who can sign in."""
    return render("about.html", context={**person(request, session), "accounts": BUILT_IN})


async def account(request: Request, session: Session) -> Response:
    """GET /account."""
    site = site_of(request)
    context = {
        **member(request, session),
        "sign_ins": list(site.sign_ins.get(session.username, ())),
        "login_count": site.tally.logins_of(session.username),
        "idle_minutes": site.knobs.session_seconds / 60,
    }
    return render("account.html", context=context)


async def containers(request: Request, session: Session) -> Response:
    """GET /containers: the page; its rows come from the API."""
    return render("containers.html", context=member(request, session))


async def ping(request: Request, session: Session | None) -> Response:
    """GET /ping: 204 and a longer life for whoever is signed in, else 401."""
    del request
    if session is None:
        return JSONResponse({"error": "Not signed in.", "code": "signed-out"}, status_code=401, headers={"Cache-Control": "no-store"})
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


async def favicon(request: Request) -> Response:
    """GET /favicon.ico, which browsers ask for on pages that are not ours to write, such as the captcha."""
    del request
    return FileResponse(HERE / "static" / "favicon.svg", media_type="image/svg+xml")
