"""Endpoints for operations: one for each, of the default site at /NAME, of all sites at /sites/SITE/NAME."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from handstamp.errors import HandstampError, OperationFailed, RecipeInvalid
from handstamp.server.bodies import OperationCall, WorkflowCall, body_of
from handstamp.server.documents import document_of, failures
from handstamp.server.refusals import InvalidRequest
from handstamp.server.replies import failed, needs, reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from handstamp.operations import Outcome
    from handstamp.pool import Pool
    from handstamp.server.metrics import Metrics
    from handstamp.sites.operation import Operation

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Whose:
    """In which session an operation is to run."""

    session_id: str
    is_new: bool

    def facts(self) -> dict[str, Any]:
        return {"session_id": self.session_id, "is_new_session": self.is_new}


@dataclass(frozen=True, slots=True)
class _Calls:
    """Runs one operation for whoever calls it.

    Args:
        pool: with the sessions.
        metrics: that count it.
        site: its name.
        operation: of that site.
    """

    pool: Pool
    metrics: Metrics
    site: str
    operation: Operation

    async def answer(self, request: Request, given: OperationCall) -> Response:
        """The answer to a call. A client that goes away meanwhile ends nothing: something may have been submitted already."""
        whose: _Whose | None = None
        try:
            whose = await self._whose(given)
            outcome = await self._outcome(whose, given)
        except HandstampError as error:
            self.metrics.operation(self.site, self.operation.name, error.code)
            return failed(request, error, self._beside(whose, given))
        except asyncio.CancelledError:  # the process ends
            if whose is None:
                raise
            # Not `Stopping`, after which clients call again by themselves: it may be done.
            return failed(request, self._cut_off(), self._beside(whose, given))
        self.metrics.operation(self.site, self.operation.name, "done")
        return reply({**whose.facts(), **outcome.facts(), **self._found(outcome)})

    async def _whose(self, given: OperationCall) -> _Whose:
        session_id = given.session_id
        if session_id is None and given.username is None and isinstance(given, WorkflowCall) and given.appointment_session_id:
            session_id = await self.pool.session_of_workflow(given.appointment_session_id)
        if session_id is not None:
            session = await self.pool.known(session_id)
            if session.site != self.site:
                raise InvalidRequest(f"{self.operation.name} is an operation of '{self.site}', and this session is one of '{session.site}'")
            return _Whose(session_id, is_new=False)
        if given.username is None or given.password is None:
            raise InvalidRequest("say in which session: give session_id, or username and password")
        key = given.captcha_api_key
        admission = await self.pool.admit(
            self.site,
            given.username,
            given.password.get_secret_value(),
            captcha_api_key=None if key is None else key.get_secret_value(),
            keep_alive=given.keep_alive,
            live=False,
        )
        return _Whose(admission.session.session_id, admission.is_new)

    async def _outcome(self, whose: _Whose, given: OperationCall) -> Outcome:
        workflow_id = given.appointment_session_id if isinstance(given, WorkflowCall) else None
        return await self.pool.run(whose.session_id, self.operation, given.given(), workflow_id=workflow_id, evidence=given.evidence)

    def _cut_off(self) -> OperationFailed:
        name = self.operation.name
        told = "" if self.operation.repeatable else ": it is not known whether the site has done it. Look there before you call it again"
        return OperationFailed(f"{name} was cut off by the end of the server{told}", operation=name, repeatable=self.operation.repeatable)

    def _beside(self, whose: _Whose | None, given: OperationCall) -> dict[str, Any]:
        """What an error's answer says besides: whose session it was, so that the caller can go on in it."""
        facts = {} if whose is None else whose.facts()
        if isinstance(given, WorkflowCall) and whose is not None:
            facts |= {"appointment_session_id": given.appointment_session_id, "debug_bundle_url": None}
        return facts

    def _found(self, outcome: Outcome) -> dict[str, Any]:
        facts: dict[str, Any] = {"debug_bundle_url": outcome.bundle or None}
        if self.operation.is_workflow:
            facts["appointment_session_id"] = outcome.workflow_id
        return facts


def operation_routes(pool: Pool, operations: Mapping[str, Mapping[str, Operation]], metrics: Metrics) -> APIRouter:
    """The endpoints. An operation whose fields meet those of every request is left out, and the log says so.

    Args:
        pool: with the sessions.
        operations: by site and name.
        metrics: that count them.
    """
    router = APIRouter()
    for site, path, operation in _placed(operations, pool.settings.default_site):
        try:
            body, document = body_of(operation), document_of(operation)
        except RecipeInvalid as error:
            _log.warning("%s is left out: %s", path, error)
            continue
        router.add_api_route(
            path,
            _endpoint(_Calls(pool, metrics, site, operation), body),
            methods=["POST"],
            name=operation.name,
            description=operation.about,
            tags=[site],
            dependencies=[needs("use")],
            responses={200: {"model": document}, **failures(404, 409, 502, 504, 507)},
            operation_id=path.strip("/").replace("/", "_"),
        )
    return router


def _placed(operations: Mapping[str, Mapping[str, Operation]], default_site: str) -> Iterator[tuple[str, str, Operation]]:
    for name, operation in operations.get(default_site, {}).items():
        yield default_site, f"/{name}", operation
    for site, every in operations.items():
        for name, operation in every.items():
            yield site, f"/sites/{site}/{name}", operation


def _endpoint(calls: _Calls, body: type[OperationCall]) -> Callable[..., Awaitable[Response]]:
    async def endpoint(request: Request, given: Any) -> Response:
        return await calls.answer(request, given)

    endpoint.__annotations__ = {"request": Request, "given": body, "return": Response}
    return endpoint
