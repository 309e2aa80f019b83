"""The library at work in one document: reads and fills it, over CDP or whatever else can evaluate an expression there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handstamp.browser.cdp import ANSWER_TIMEOUT, CdpError
from handstamp.browser.idb import scripts
from handstamp.browser.idb.captured import Captured, CapturedFiles, Restored, captured, captured_files, facts, restored
from handstamp.browser.storage_key import origin_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from handstamp.browser.cdp import Connection

EVALUATE_WITHIN = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class FilesRestored:
    """How writing files went.

    Args:
        restored: how many files and folders were made.
        there: how many files were there already and were left alone.
        failed: path and name of the error of each that could not be written.
    """

    restored: int
    there: int
    failed: tuple[tuple[str, str], ...]


class World:
    """The library in one document. One call at a time: a reading that begins ends another that is under way.

    Args:
        evaluate: evaluates an expression in an isolated world of the document, waits for its promise, gives its value.
        scope: the document's storage key (`PartId.scope`), for the losses.
    """

    def __init__(self, evaluate: Callable[[str], Awaitable[Any]], scope: str) -> None:
        self._evaluate = evaluate
        self._scope = scope

    async def databases(self, call: str | None = None) -> Captured:
        """The databases of the document's origin.

        Args:
            call: a `scripts.capture_call`; None reads all.
        """
        return captured(await self._told(call or scripts.capture_call()), self._scope)

    async def files(self, call: str | None = None) -> CapturedFiles:
        """The origin private file system of the document's origin.

        Args:
            call: a `scripts.capture_files_call`; None reads all.
        """
        return captured_files(await self._told(call or scripts.capture_files_call()), self._scope)

    async def fill(self, dumps: Iterable[Mapping[str, Any]]) -> dict[str, Restored]:
        """Make those databases (`parts.dump`) that are not there. By name, how it went."""
        return restored(json.loads(await self._staged("restoreAbsent", list(dumps))))

    async def fill_files(self, entries: Iterable[Mapping[str, Any]]) -> FilesRestored:
        """Write those files (`parts.file_entries`) that are not there."""
        reports = [json.loads(await self._staged("restoreFiles", batch)) for batch in _batches(entries)]
        failed = tuple((path, why) for report in reports for path, why in report["failed"])
        return FilesRestored(sum(report["restored"] for report in reports), sum(report["there"] for report in reports), failed)

    async def report(self) -> dict[str, Restored]:
        """How the restoring at the document's start went, so far."""
        return restored(json.loads(await self._evaluate(scripts.report_call())))

    async def ended(self) -> dict[str, Restored]:
        """The same, when all of it has ended.

        Raises:
            CdpError: the document went away before. What was not ready by then is not there: a versionchange transaction ends
                with its document, all or nothing, and the next document has to be given it again.
        """
        return restored(json.loads(await self._evaluate(scripts.ended_call())))

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression in this world, its promise waited for."""
        return await self._evaluate(expression)

    async def applied(self) -> list[tuple[str, str | None, int]] | None:
        """How this document has been served at its start (`restore.js`); None if it has not: without any script of its own it may run none of ours.

        For each area that had no room: its scope, the tab of a sessionStorage, and how many items are missing.
        """
        told = await self._evaluate("globalThis.handstampDone === true ? JSON.stringify(globalThis.handstampRefused ?? []) : null")
        return None if told is None else [(scope, tab, over) for scope, tab, over in json.loads(told)]

    async def _told(self, call: str) -> list[dict[str, Any]]:
        told, more = facts(await self._evaluate(call))
        while more:
            further, more = facts(await self._evaluate(scripts.more_call()))
            told += further
        return told

    async def _staged(self, method: str, data: Any) -> str:
        answer = ""
        for call in scripts.staged_calls(method, data):
            answer = await self._evaluate(call)
        return answer


def _batches(entries: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Files in messages of bounded length, one file at least in each."""
    batch: list[Mapping[str, Any]] = []
    length = 0
    for entry in entries:
        batch.append(entry)
        length += len(entry.get("data", ""))
        if length > scripts.STAGE:
            yield batch
            batch, length = [], 0
    if batch:
        yield batch


async def over_cdp(connection: Connection, *, session: str, frame: str, scope: str, name: str, timeout: float = EVALUATE_WITHIN) -> World:
    """The library in a frame's isolated world.

    Args:
        connection: to the browser.
        session: flat session of the page, or of the out-of-process frame.
        frame: id of the frame, as `Page.getFrameTree` of that session knows it.
        scope: its storage key, as `PartId.scope`.
        name: of the isolated world; the same as that of scripts at the document's start gives their world.
        timeout: seconds that one call may take.

    Each call finds out by itself whether it is where it should be: a frame keeps its id when it goes elsewhere, and the id of a world
    may be that of another in the process that the page went to. Another origin's storage is never taken for this one's, nor filled with it.

    Raises:
        CdpError: the frame is gone. The world's methods raise it as well when the frame shows another origin by now.
    """
    made = await connection.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": name}, session=session, timeout=min(timeout, ANSWER_TIMEOUT))

    async def run(expression: str) -> Any:
        params = {"expression": expression, "contextId": made["executionContextId"], "awaitPromise": True, "returnByValue": True}
        answer = await connection.send("Runtime.evaluate", params, session=session, timeout=timeout)
        if details := answer.get("exceptionDetails"):
            raise CdpError(f"storage of {scope} cannot be read or filled: {_reason(details)}")
        return answer["result"].get("value")

    there = only_there(run, origin_of(scope))

    async def evaluate(expression: str) -> Any:
        short = scripts.if_library(expression)
        value = await there(short) if short else scripts.NO_LIBRARY
        return await there(expression) if value == scripts.NO_LIBRARY else value

    return World(evaluate, scope)


def only_there(evaluate: Callable[[str], Awaitable[Any]], origin: str) -> Callable[[str], Awaitable[Any]]:
    """The same, for a document of this origin only: it raises `CdpError` when another is there by now, and evaluates nothing."""

    async def there(expression: str) -> Any:
        value = await evaluate(scripts.only_at(origin, expression))
        if value == scripts.ELSEWHERE:
            raise CdpError(f"the page has left {origin}")
        return value

    return there


def _reason(details: Mapping[str, Any]) -> str:
    description = details.get("exception", {}).get("description") or details.get("text", "")
    return str(description).partition("\n")[0]
