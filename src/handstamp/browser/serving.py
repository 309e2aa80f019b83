"""Giving documents their saved storage: which scripts they find when they appear, and what is given back once and then no more."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from handstamp.browser.restore import WORLD, Areas, apply_script
from handstamp.browser.tabs import Handed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handstamp.browser.cdp import Connection, Message
    from handstamp.browser.tabs import Document
    from handstamp.state import StorageState


class Serving:
    """Serves the documents of one live context. Belongs to the engine's loop; nothing in it waits.

    Args:
        connection: to the browser.
        documents: session -> document, of all that are open.
        state: what to give back.
        guest: see `Areas.of`.

    Attributes:
        served: what has been given back, and is not given again.
    """

    def __init__(self, connection: Connection, documents: Mapping[str, Document], state: StorageState, *, guest: bool) -> None:
        self.served: set[str] = set()
        self._connection = connection
        self._documents = documents
        self._state = state
        self._guest = guest

    @cached_property
    def areas(self) -> Areas:
        """The storage to give back. Made when it is first needed; another may be put in its place before."""
        return Areas.of(self._state, guest=self._guest)

    @cached_property
    def late(self) -> set[str]:
        """Origins of `Areas.late` of which something is still to be given back."""
        return set(self.areas.late)

    # -- what has been served -----------------------------------------------------------------------------------

    def awaits(self, scope: str) -> bool:
        """Whether a document of this scope would still be given something that is given once."""
        return (scope in self.areas.local and scope not in self.served) or (scope in self.areas.databases and _idb(scope) not in self.served)

    def give(self, scope: str) -> None:
        """A document of this scope was seen to have its localStorage."""
        if scope in self.areas.local:
            self._serve(scope, scope)

    def give_databases(self, scope: str) -> None:
        """A document of this scope was seen to have its databases."""
        if scope in self.areas.databases:
            self._serve(scope, _idb(scope))

    def _serve(self, scope: str, what: str) -> None:
        """What belongs to this scope once in a context has been given back: never do it again."""
        if what not in self.served:
            self.served.add(what)
            if scope in self.areas.once and not self.awaits(scope):
                self.late.discard(scope)
            self.refresh()

    # -- scripts that stand in every document -------------------------------------------------------------------

    def arm(self, document: Document) -> None:
        """Give a new page or frame its scripts, before it runs."""
        if self.areas.data:
            params = {"source": self.areas.data, "worldName": WORLD}
            self._connection.post("Page.addScriptToEvaluateOnNewDocument", params, session=document.session)
            self._refresh(document)

    def refresh(self) -> None:
        """What is to be given back has changed: tell all documents that are open."""
        for document in self._documents.values():
            self._refresh(document)

    def _refresh(self, document: Document) -> None:
        """Replace the apply script of a document by one that knows what has been served since. Sent at once, in order with what follows."""
        if not self.areas.data:
            return  # nothing that it could apply
        if document.refreshing:
            document.stale = True
            return
        document.refreshing, document.stale = True, False
        params = {"source": apply_script(self.served, document.tabs), "worldName": WORLD}
        message = {"method": "Page.addScriptToEvaluateOnNewDocument", "params": params, "sessionId": document.session}
        self._connection.forward(message, lambda reply: self._refreshed(document, reply))

    def _refreshed(self, document: Document, reply: Message) -> None:
        document.refreshing = False
        if "error" in reply:
            return  # the target is gone
        if document.apply is not None:
            self._remove(document, document.apply)
        document.apply = reply["result"]["identifier"]
        if document.stale:
            self._refresh(document)

    # -- data that is handed to one document --------------------------------------------------------------------

    def hand_over(self, document: Document, origin: str) -> None:
        """A document of this origin has been asked for. If the origin has a large state, give it its data.

        While a document request is paused, commands to the page's renderer are held back; they reach the renderer that the
        document comes to live in before its first script. So nothing may be awaited here.
        """
        self.take_back(document, origin)  # what was handed for a document that never came knows too little by now
        if origin in self.late:
            source = self.areas.handed(origin, apply_script(self.served, document.tabs))
            message = {"method": "Page.addScriptToEvaluateOnNewDocument", "params": {"source": source, "worldName": WORLD}, "sessionId": document.session}
            handed = Handed()
            document.handed.setdefault(origin, []).append(handed)
            self._connection.forward(message, lambda reply: self._handed_over(document, handed, reply))

    def _handed_over(self, document: Document, handed: Handed, reply: Message) -> None:
        """The browser tells of the script, sometimes only after the document: then it goes at once."""
        handed.identifier = reply.get("result", {}).get("identifier")
        if not handed.wanted:
            self._remove(document, handed.identifier)

    def take_back(self, document: Document, origin: str) -> None:
        """What stands in this page for documents of `origin` is needed no more."""
        for handed in document.handed.pop(origin, ()):
            handed.wanted = False
            self._remove(document, handed.identifier)

    def _remove(self, document: Document, script: str | None) -> None:
        if script is not None:
            self._connection.post("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script}, session=document.session)


def _idb(scope: str) -> str:
    """Name of a scope's databases among what has been served."""
    return "idb:" + scope
