"""Running an operation in a session: in one go, or phase by phase with what is known, until something is missing or it is done."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, cast

from handstamp.errors import BrowserGone, HandstampError, InputMissing, OperationError, WorkflowEnded
from handstamp.operations import fields, stage
from handstamp.operations.acting import result_of
from handstamp.operations.doing import Doing
from handstamp.operations.evidence import Evidence
from handstamp.operations.failures import REFUSALS, failure, wrong_result
from handstamp.operations.known_secrets import secrets_of
from handstamp.operations.outcome import Outcome
from handstamp.operations.waiting_pages import close_behind, close_quietly, leave_waiting, let_go_in_time, taken_page
from handstamp.operations.workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playwright.async_api import BrowserContext, Page
    from pydantic import BaseModel

    from handstamp.operations.files import Files
    from handstamp.sites import Site
    from handstamp.sites.operation import Operation
    from handstamp.state import Session
    from handstamp.vault import Vault

_log = logging.getLogger(__name__)


async def perform(
    operation: Operation,
    site: Site,
    session: Session,
    context: BrowserContext,
    given: Mapping[str, Any],
    *,
    vault: Vault,
    files: Files,
    pages: dict[str, Page],
    workflow_id: str | None = None,
    seconds: float = 600,
    evidence: bool = False,
    tell: Callable[[str], None] | None = None,
) -> Outcome:
    """What an operation came to, done in a page of its own in a session that is open.

    A workflow goes through its phases as far as what was given reaches. Then it waits: what was given is kept in the vault, its
    page stays open, and the error says what is missing. Called again with `workflow_id` and that, it goes on where it stopped; when
    the page is gone, or something is corrected that an earlier phase used, from the first phase on a fresh page. Its last phase, if
    it may not be done twice, is begun once: that it begins is kept before it does.

    Args:
        operation: of the site, see `find_operations`.
        site: where.
        session: whose context it is.
        context: Playwright's, async, open and logged in.
        given: fields of the operation by name; of a workflow those of any phases. None is as good as not given.
        vault: keeps workflows that wait.
        files: keeps what the operation makes, and debug bundles.
        pages: where pages of waiting workflows stay, by the workflow's id; one for each context, for as long as that is open.
        workflow_id: goes on with a workflow that waits.
        seconds: how long a workflow waits.
        evidence: leave a debug bundle also when nothing fails.
        tell: gets the operation's sentences about how far it is.

    Raises:
        InputMissing: a field is missing; a workflow waits for it.
        InputInvalid: a field is unknown or cannot have this value; nothing was done.
        OperationRefused: the site did not accept something; a workflow waits for it to be corrected.
        OperationFailed: it failed or was cut off; `repeatable` says whether it may be called again.
        BrowserGone: the browser ended; it may be called again.
        WorkflowEnded: `workflow_id` does not wait; says why.
        Conflict: somebody else goes on with the same workflow.
    """
    call = _Call(operation, site, session, context, vault=vault, files=files, pages=pages, seconds=seconds, evidence=evidence, tell=tell)
    new = fields.plain(operation, given)
    if operation.is_workflow:
        return await call.workflow(new, workflow_id)
    if workflow_id:
        raise WorkflowEnded(f"{operation.name} is no workflow, so none of its waits; call it without an id", operation=operation.name)
    return await call.once(new)


class _Call:
    """One call of `perform`."""

    def __init__(
        self,
        operation: Operation,
        site: Site,
        session: Session,
        context: BrowserContext,
        *,
        vault: Vault,
        files: Files,
        pages: dict[str, Page],
        seconds: float,
        evidence: bool,
        tell: Callable[[str], None] | None,
    ) -> None:
        self._operation = operation
        self._site = site
        self._session = session
        self._context = context
        self._vault = vault
        self._files = files
        self._pages = pages
        self._seconds = seconds
        self._tell = tell
        self._page: Page | None = None
        self._waits = False  # on its page, for what is missing
        self._secret_fields: set[str] = set()
        self._evidence = Evidence(
            operation.name,
            facts={"operation": operation.name, "site": site.name, "username": session.username, "session_id": session.session_id},
            username=session.username,
            files=files,
            wanted=evidence or operation.evidence,
            secrets=self._secrets,
        )

    async def once(self, known: dict[str, Any]) -> Outcome:
        """An operation in one phase."""
        model = fields.model_of(self._operation, known)
        self._secret_fields = fields.secret_values(self._operation, known)
        try:
            result = await self._act(0, model)
            self._check(result)
            await self._evidence.phase_end(self._open_page(), "end")
            return Outcome(cast("BaseModel", result), bundle=await self._bundle("done"))
        except HandstampError as error:
            await self._explain(error)
            raise
        finally:
            self._leave()

    async def workflow(self, new: dict[str, Any], workflow_id: str | None) -> Outcome:
        """An operation in several phases."""
        flow, known, start = await self._begun(new, workflow_id)
        self._secret_fields = fields.secret_values(self._operation, known)
        result: BaseModel | None = None
        try:
            for number in range(start, len(self._operation.phases)):
                model = await self._input(flow, number, known)
                if stage.is_once_only(self._operation, number):
                    await self._page_or_fresh()
                    await flow.begin_last(known)
                result = await self._phase(flow, number, model, known)
            await flow.end()
            self._check(result)
            return Outcome(cast("BaseModel", result), flow.id, await self._bundle("done"))
        except HandstampError as error:
            await self._explain(error, flow.id)
            raise
        finally:
            self._leave(stay=flow.id if self._waits else None)

    async def _begun(self, new: dict[str, Any], workflow_id: str | None) -> tuple[Workflow, dict[str, Any], int]:
        """The workflow to go on with, all that is known, and the phase to begin with."""
        if workflow_id is None:
            fields.check(self._operation, new)
            return Workflow(self._vault, self._operation, self._session.session_id, self._seconds), new, 0
        flow = await Workflow.recalled(self._vault, self._operation, self._session.session_id, self._seconds, workflow_id)
        waiting = flow.waiting
        if waiting is None:
            raise AssertionError("a recalled workflow waits")
        known = {**waiting.given, **new}
        fields.check(self._operation, known, workflow_id=workflow_id, phase=waiting.phase + 1)
        await flow.wait(waiting.phase, known)
        self._page = await taken_page(self._pages, workflow_id)
        start = stage.first_phase(self._operation, waiting, known, has_page=self._page is not None)
        if start == 0 and self._page is not None and waiting.phase > 0:
            await close_quietly(self._page)
            self._page = None
        if self._page is not None:
            self._evidence.watch(self._page)
        return flow, known, start

    async def _input(self, flow: Workflow, number: int, known: dict[str, Any]) -> BaseModel:
        """A phase's input; without all of it, the workflow waits there."""
        phase = self._operation.phases[number]
        found = fields.read(phase, known)
        if found.model is not None:
            return found.model
        await flow.wait(number, known)
        self._waits = True
        raise InputMissing(
            fields.missing_sentence(found.missing, phase),
            operation=self._operation.name,
            missing=found.missing,
            appointment_session_id=flow.id,
            phase=number + 1,
        )

    async def _phase(self, flow: Workflow, number: int, model: BaseModel, known: dict[str, Any]) -> BaseModel | None:
        """One phase; when it fails and may be done again, the workflow waits in it."""
        try:
            result = await self._act(number, model)
        except OperationError as error:
            if error.repeatable:
                await flow.wait(number, known)
                error.appointment_session_id = flow.id
            raise
        await self._evidence.phase_end(self._open_page(), f"phase {number + 1}")
        return result

    async def _act(self, number: int, model: BaseModel) -> BaseModel | None:
        """Run a phase on the page.

        Raises:
            HandstampError: what its failure means.
        """
        page = await self._page_or_fresh()
        doing = Doing(page, self._site, self._session.username, files=self._files, evidence=self._evidence, tell=self._tell)
        once_only = stage.is_once_only(self._operation, number)
        try:
            return await result_of(self._operation.phases[number].act(doing, model), self._operation.name)
        except BaseException as error:
            if _is_cut_off():
                raise
            # A site package's code: whatever it raises is told in our words, also what would end the process.
            found = failure(error, page, self._operation, once_only=once_only, phase=number + 1 if self._operation.is_workflow else 0)
        raise found from None

    async def _page_or_fresh(self) -> Page:
        if self._page is None:
            try:
                self._page = await self._context.new_page()
            except Exception as error:  # noqa: BLE001  (Playwright's: the browser or the context has ended)
                _log.debug("no page for %s (%s)", self._operation.name, type(error).__name__)
                raise BrowserGone(f"the browser ended before {self._operation.name} could go on; nothing is lost, call it again") from None
            self._evidence.watch(self._page)
        return self._page

    def _open_page(self) -> Page:
        if self._page is None:
            raise AssertionError("a phase was run on a page")
        return self._page

    def _check(self, result: object) -> None:
        wrong = wrong_result(self._operation, result, phase=len(self._operation.phases) if self._operation.is_workflow else 0)
        if wrong is not None:
            raise wrong

    async def _explain(self, error: HandstampError, workflow_id: str = "") -> None:
        """Put a bundle to an error."""
        how = "waits" if self._waits else ("refused" if isinstance(error, REFUSALS) else "failed")
        bundle = await self._bundle(how, failed=not self._waits, facts={"error": error.code, "workflow_id": workflow_id or None})
        if isinstance(error, OperationError):
            error.bundle = bundle

    async def _bundle(self, how: str, *, failed: bool = False, facts: dict[str, Any] | None = None) -> str:
        return await self._evidence.bundle(self._page, how=how, failed=failed, facts=facts)

    async def _secrets(self) -> set[str]:
        return self._secret_fields | await secrets_of(self._vault, self._site, self._session, self._context)

    def _leave(self, *, stay: str | None = None) -> None:
        """Close what was opened; the page of a workflow that waits stays."""
        kept = self._page if stay is not None else None
        if stay is not None and kept is not None:
            leave_waiting(self._pages, stay, kept)
            let_go_in_time(self._vault, self._pages, stay, self._seconds)
        close_behind(self._evidence.others(kept))


def _is_cut_off() -> bool:
    """Whether it is this call that is cancelled, and not something of the operation's own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
