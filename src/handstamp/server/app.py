"""The application: all endpoints, and every error in our shape. What stands before it is in `handstamp.server.front`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from handstamp._version import __version__
from handstamp.errors import HandstampError
from handstamp.server.docs_page import PAGE_POLICY, docs_page
from handstamp.server.front import Front, Intake
from handstamp.server.gate import Gate
from handstamp.server.metrics import Metrics
from handstamp.server.mistakes import of_fields, of_routing
from handstamp.server.operations import operation_routes
from handstamp.server.replies import failed
from handstamp.server.sessions import session_routes
from handstamp.server.status import status_routes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handstamp.pool import Pool
    from handstamp.server.settings import ServerSettings
    from handstamp.sites.operation import Operation

_log = logging.getLogger(__name__)
ABOUT = """Sessions that stay logged in, and what can be done in them.

Every answer has `success`; an error has `error`, a sentence, and `code`, which stays the same. A call of an operation names a
`session_id`, or the credentials to get a session by; who sends the same credentials gets the same session.
"""


class _Described(FastAPI):
    """FastAPI, whose description says what this server does with a request that does not fit: 400, and not 422."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        document = super().openapi()
        for methods in document["paths"].values():
            for endpoint in methods.values():
                endpoint["responses"].pop("422", None)
        for unused in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(unused, None)
        return document


def build(
    pool: Pool,
    operations: Mapping[str, Mapping[str, Operation]],
    settings: ServerSettings,
    *,
    names: frozenset[str],
    with_tokens: bool = True,
    intake: Intake | None = None,
) -> Front:
    """The server as an ASGI application.

    Args:
        pool: that is open already.
        operations: of all sites, by site and name.
        settings: limits.
        names: by which the server may be called, see `allowed_names`.
        with_tokens: whether callers need one.
        intake: shared with who stops the server.
    """
    metrics = Metrics(pool.facts)
    app = _Described(title="handstamp", version=__version__, description=ABOUT, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.include_router(session_routes(pool))
    app.include_router(status_routes(pool, metrics))
    app.include_router(operation_routes(pool, operations, metrics))
    _add_page(app)
    _add_handlers(app)
    gate = Gate(pool.vault if with_tokens else None)
    return Front(app, gate=gate, names=names, settings=settings, metrics=metrics, intake=intake or Intake())


def _add_page(app: FastAPI) -> None:
    page: list[str] = []

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        """All endpoints on a page."""
        if not page:
            page.append(docs_page(app.openapi()))
        return HTMLResponse(page[0], headers={"Content-Security-Policy": PAGE_POLICY})


def _add_handlers(app: FastAPI) -> None:
    async def ours(request: Request, error: Any) -> Response:
        return failed(request, error)

    async def invalid(request: Request, error: Any) -> Response:
        return failed(request, of_fields(error.errors()))

    async def refused(request: Request, error: Any) -> Response:
        answer = failed(request, of_routing(error.status_code))
        answer.headers.update(error.headers or {})
        return answer

    async def unexpected(request: Request, error: Any) -> Response:
        del error  # the front writes it to the log
        return failed(request, of_routing(500))

    app.add_exception_handler(HandstampError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(Exception, unexpected)
