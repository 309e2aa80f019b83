"""portside's long container list, and the page of one container with its timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from handstamp.demo.portside.fleet import record_of
from handstamp.demo.portside.pregate import SIZE, draw, events_of, pregate_of
from handstamp.demo.portside.web import error_page, member, render, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from handstamp.demo.portside.fleet import Record
    from handstamp.demo.sessions import Session


async def long_list(request: Request, session: Session) -> Response:
    """GET /containers/all: the page; its rows come from the API as one scrolls."""
    return render("containers_all.html", context=member(request, session))


async def container(request: Request, session: Session) -> Response:
    """GET /containers/{number}."""
    record = _record(request, session)
    if record is None:
        number = request.path_params["number"][:20]
        return error_page(404, title="Unknown container", text=f"There is no container {number} in your account.")
    context = {
        **member(request, session),
        "record": record,
        "events": events_of(record),
        "pregate": pregate_of(record, always_drawn=site_of(request).knobs.pregate_image),
        "badge_size": SIZE,
    }
    return render("container.html", context=context)


async def badge(request: Request, session: Session) -> Response:
    """GET /containers/{number}/pregate.png."""
    record = _record(request, session)
    if record is None:
        return error_page(404)
    return Response(draw(record, passed=pregate_of(record).passed), media_type="image/png", headers={"Cache-Control": "no-store"})


def _record(request: Request, session: Session) -> Record | None:
    return record_of(session.username, request.path_params["number"])
