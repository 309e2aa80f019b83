"""portside's ASGI application: its addresses, and what it answers when something is missing or breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from handstamp.demo.front import STATIC_PATH, Front
from handstamp.demo.portside import api, boxes, login, pages, wizard
from handstamp.demo.portside.web import HERE, error_page, page, signed_in_page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from handstamp.demo.world import World

_ROUTES = [
    Route("/", page(pages.landing)),
    Route("/about", page(pages.about)),
    Route("/login", page(login.show_form), methods=["GET"]),
    Route("/login", page(login.send_form), methods=["POST"]),
    Route("/login/otp", page(login.show_code_form), methods=["GET"]),
    Route("/login/otp", page(login.send_code_form), methods=["POST"]),
    Route("/captcha.png", login.show_captcha),
    Route("/logout", signed_in_page(login.sign_out), methods=["POST"]),
    Route("/account", signed_in_page(pages.account)),
    Route("/containers", signed_in_page(pages.containers)),
    Route("/containers/all", signed_in_page(boxes.long_list)),
    Route("/containers/{number}", signed_in_page(boxes.container)),
    Route("/containers/{number}/pregate.png", signed_in_page(boxes.badge)),
    Route("/appointments", signed_in_page(wizard.listing)),
    Route("/appointments/new", signed_in_page(wizard.show_first), methods=["GET"]),
    Route("/appointments/new", signed_in_page(wizard.send_first), methods=["POST"]),
    Route("/appointments/new/{draft}/truck", signed_in_page(wizard.show_second), methods=["GET"]),
    Route("/appointments/new/{draft}/truck", signed_in_page(wizard.send_second), methods=["POST"]),
    Route("/appointments/new/{draft}/time", signed_in_page(wizard.show_third), methods=["GET"]),
    Route("/appointments/new/{draft}/time", signed_in_page(wizard.send_third), methods=["POST"]),
    Route("/appointments/made/{number}", signed_in_page(wizard.confirmation)),
    Route("/ping", page(pages.ping)),
    Route("/api/account", api.with_bearer(api.account)),
    Route("/api/containers", api.with_bearer(api.containers)),
    Route("/api/containers/all", api.with_bearer(api.long_list)),
    Route("/api/token", api.refresh_token, methods=["POST"]),
    Route("/favicon.ico", pages.favicon),
]


def build(world: World) -> ASGIApp:
    """The whole site, with its knobs at work."""
    app = Starlette(
        routes=[*_ROUTES, Mount(STATIC_PATH, StaticFiles(directory=HERE / "static"))],
        exception_handlers={HTTPException: _refused, Exception: _broken},
    )
    app.state.world = world
    known = frozenset(route.path for route in _ROUTES)
    return Front(app, name="portside", site=lambda: world.portside, known=known, broken=_broken_on_purpose)


def _broken_on_purpose(status: int) -> Response:
    wait = {"Retry-After": "60"} if status in {429, 503} else {}
    return error_page(status, headers=wait)


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    if request.url.path.startswith("/api/"):
        refusal = api.problem(status, code="not-found" if status == 404 else "refused", error=f"{request.method} is not possible here.")
        refusal.headers.update(headers or {})
        return refusal
    return error_page(status, headers=headers)


async def _broken(request: Request, error: Exception) -> Response:
    del request, error
    return error_page(500)
