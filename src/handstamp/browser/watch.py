"""The watch over a browser's targets: which page is whose, armed before its first script, and whose events they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.browser.cdp import Connection, Message
    from handstamp.browser.live import LiveContext

_PAGES = [{"type": "page", "exclude": False}, {"exclude": True}]


class Watch:
    """Attaches to every new page, and lets go at once of those that belong to no context of ours.

    Args:
        connection: to the browser; events of its root session and of sessions that no driver owns go to `hear`.
        found_open: called with context and session of a page or frame that was open before we came, once it is armed.

    Attributes:
        contexts: `browserContextId` -> the live context; a page of any other is none of ours.
        looked_at: ids of targets that somebody here has attached to for a purpose of their own.
    """

    def __init__(self, connection: Connection, *, found_open: Callable[[LiveContext, str], None] = lambda _live, _session: None) -> None:
        self._found_open = found_open
        self.contexts: dict[str, LiveContext] = {}
        self.looked_at: set[str] = set()
        self._connection = connection
        self._sessions: dict[str, LiveContext] = {}

    async def start(self) -> None:
        """Begin: from now on every new page stops before its first script until it is armed, or let go."""
        await self._connection.send("Target.setAutoAttach", {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True, "filter": _PAGES})

    async def stop(self) -> None:
        """End: let go of every page."""
        await self._connection.send("Target.setAutoAttach", {"autoAttach": False, "waitForDebuggerOnStart": False, "flatten": True})
        self._sessions.clear()

    def hear(self, message: Message) -> None:
        """An event of ours."""
        method, params, session = message["method"], message.get("params", {}), message.get("sessionId")
        if method == "Target.attachedToTarget":
            self._attached(params, session)
        elif method == "Target.detachedFromTarget":
            if live := self._sessions.pop(params["sessionId"], None):
                live.drop(params["sessionId"])
        elif live := self._sessions.get(session or ""):
            live.hear(session or "", method, params)

    def driven(self, target: str) -> None:
        """A driver sends this page somewhere."""
        for live in self.contexts.values():
            live.driven(target)

    def _attached(self, params: Message, parent: str | None) -> None:
        session, target = params["sessionId"], params["targetInfo"]
        if target["type"] == "browser" or target["targetId"] in self.looked_at:
            return  # a driver's own session, or a page that we look at ourselves
        live = self.contexts.get(target.get("browserContextId", ""))
        if live is None:
            self._connection.post("Runtime.runIfWaitingForDebugger", session=session)
            self._connection.post("Target.detachFromTarget", {"sessionId": session})
            return
        self._sessions[session] = live
        opener = target.get("openerId") if target.get("canAccessOpener") else None
        live.arm(session, target=target["targetId"], parent=parent, opener=opener)
        if not params.get("waitingForDebugger"):
            self._found_open(live, session)
