"""Asking the person at the client for what a site asks during a login, by elicitation in form mode, where the client can.

Only what is read off a page is asked for so: what a picture shows, the answer to a question. A code that was sent to somebody's
phone is a credential, which the protocol forbids to ask for in a form; that, and what is confirmed elsewhere, waits for
`handstamp answer`.

A form cannot hold a picture. On one machine it names a file to look at; elsewhere the picture is first shown as a tool's result, and
asked about when the tool is called again.

A client of a protocol before 2026-07-28 is sent a request in the middle of the call. A later one gets the question as the result of
its call, and calls again with the answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from handstamp.keeper.solvers.terminal import described, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp.server.context import ServerRequestContext
    from mcp_types import CallToolRequestParams

    from handstamp.vault import OpenChallenge

_KINDS = {"image", "text"}
_KEY = "answer"
_FORM: dict[str, Any] = {
    "type": "object",
    "properties": {_KEY: {"type": "string", "title": "Your answer", "description": "What the site wants to know."}},
    "required": [_KEY],
}


class Asking:
    """One call's way to the person.

    Args:
        context: of the call.
        params: of the call.
        same_machine: whether client and server share one, so that a file can be looked at.
    """

    def __init__(self, context: ServerRequestContext[Any, Any], params: CallToolRequestParams, *, same_machine: bool) -> None:
        self._context = context
        self._params = params
        self._same_machine = same_machine

    def can_ask(self, challenge: OpenChallenge) -> bool:
        """Whether the person can be asked for this."""
        able = self._context.session.client_capabilities
        asks = able.elicitation if able else None
        return challenge.kind in _KINDS and asks is not None and (asks.form is not None or asks.url is None)

    @property
    def by_result(self) -> bool:
        """Whether the question is the call's result, and the client calls again."""
        return self._context.protocol_version in MODERN_PROTOCOL_VERSIONS

    @property
    def called_again(self) -> str:
        """Id of the question that this call comes back from; empty for a first call."""
        return self._params.request_state or ""

    def can_show(self, challenge: OpenChallenge) -> bool:
        """Whether the person sees what it is about when they are asked."""
        return self._same_machine or not challenge.image

    def answer(self) -> str | None:
        """What the person has answered before this call was made again; None when they would not."""
        found = (self._params.input_responses or {}).get(_KEY)
        return _answer(found.action, found.content) if isinstance(found, ElicitResult) else None

    def question(self, challenge: OpenChallenge, login: asyncio.Task[Any]) -> InputRequiredResult:
        """The question as a result; for the arguments see `ask`."""
        request = ElicitRequest(params=ElicitRequestFormParams(message=self._message(challenge, login), requested_schema=_FORM))
        return InputRequiredResult(input_requests={_KEY: request}, request_state=challenge.challenge_id)

    async def ask(self, challenge: OpenChallenge, login: asyncio.Task[Any]) -> str | None:
        """What the person answers now; None when they do not, cannot, or the login is over before.

        Args:
            challenge: what is asked.
            login: that waits for it.
        """
        asked = asyncio.create_task(self._elicited(self._message(challenge, login)))
        try:
            await asyncio.wait({asked, login}, return_when=asyncio.FIRST_COMPLETED)
            return asked.result() if asked.done() else None
        finally:
            asked.cancel()

    async def _elicited(self, message: str) -> str | None:
        try:
            found = await self._context.session.elicit_form(message, _FORM, related_request_id=self._context.request_id)
        except MCPError:  # it said that it can, and cannot; the question stays open for others
            return None
        return _answer(found.action, found.content)

    def _message(self, challenge: OpenChallenge, login: asyncio.Task[Any]) -> str:
        file = ""
        if self._same_machine and challenge.image:
            look = shown(challenge.image)
            file = look.__enter__()
            login.add_done_callback(lambda _: look.__exit__(None, None, None))  # nobody says when it was looked at
        said = described(challenge.site, challenge.account, challenge.question, file)
        if challenge.image and not file:
            again = f"show_challenge, or `handstamp answer {challenge.challenge_id}`, shows it again"
            said = f"{said} Type what the picture in the tool's result before shows; {again}."
        return said


def _answer(action: str, content: Mapping[str, Any] | None) -> str | None:
    text = (content or {}).get(_KEY)
    return text if action == "accept" and isinstance(text, str) and text else None
