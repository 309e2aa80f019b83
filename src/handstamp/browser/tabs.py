"""Pages of a live context, and which tab of a saved sessionStorage each of them has. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handstamp.state import PartId, PartKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handstamp.browser.mirror import Mirror

    Saved = Mapping[str, tuple[str, ...]]

MOST_TABS = 8  # tabs of one origin whose sessionStorage is kept; beyond it the longest unused go, but none that is open


@dataclass
class Handed:
    """A data script on its way to one document.

    Attributes:
        identifier: CDP's; None until the browser has told.
        wanted: whether the document is still to come. It may be there before the identifier is known.
    """

    identifier: str | None = None
    wanted: bool = True


@dataclass
class Document:
    """A page or an out-of-process frame that we are attached to.

    Attributes:
        session: flat CDP session id, ours.
        target: id of its target.
        tab: name of its page's tab; sessionStorage that no saved tab was given to is kept under it.
        heir_of: the page that opened it: a popup inherits sessionStorage as in any browser, and is given none.
        tabs: scope -> saved tab whose sessionStorage this page may get; shared by the page and its frames.
        names: scope -> tab under which its sessionStorage is kept; shared likewise.
        apply: identifier of the apply script that stands now.
        handed: origin -> the data scripts that wait for its document.
        driven: whether a driver sends it somewhere now.
        is_page: it is a page, not a frame.
    """

    session: str
    target: str
    tab: str
    heir_of: Document | None = None
    tabs: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    apply: str | None = None
    handed: dict[str, list[Handed]] = field(default_factory=dict)
    driven: bool = False
    is_page: bool = True
    refreshing: bool = False
    stale: bool = False

    def framed(self, session: str, target: str) -> Document:
        """A frame in it that has a process of its own."""
        return Document(session, target, self.tab, self.heir_of, self.tabs, self.names, is_page=False)


class Tabs:
    """Gives saved tabs to pages, each to one.

    Args:
        mirror: holds what they store.
        saved: gives scope -> its saved tabs, the latest used first.
        documents: session -> document, of all that are open.
        changed: called when other pages are offered other tabs.

    Attributes:
        claimed: scope and tab of what pages have taken.
    """

    def __init__(self, mirror: Mirror, *, saved: Callable[[], Saved], documents: Mapping[str, Document], changed: Callable[[], None]) -> None:
        self.claimed: set[tuple[str, str]] = set()
        self._mirror = mirror
        self._saved = saved
        self._documents = documents
        self._changed = changed

    def offer(self) -> dict[str, str]:
        """For each scope the saved tab that no page has taken yet, the latest used first."""
        offers = {}
        for scope, tabs in self._saved().items():
            free = [tab for tab in tabs if (scope, tab) not in self.claimed]
            if free:
                offers[scope] = free[0]
        return offers

    def of(self, document: Document, scope: str) -> str:
        """The tab under which this page's sessionStorage of `scope` is kept: the saved one that it was given, else its own."""
        known = document.names.get(scope)
        if known is not None:
            return known
        given = document.tabs.get(scope)
        name = document.names[scope] = given or document.tab
        part_id = PartId(PartKind.SESSION, scope)
        if given is not None:
            self.claim(scope, given)
        elif document.heir_of is not None:
            self._mirror.copy_tab(part_id, document.heir_of.names.get(scope, document.heir_of.tab), name)
        living = {other.names[scope] for other in self._documents.values() if scope in other.names}
        self._mirror.forget_tabs(part_id, keep=MOST_TABS, living=living)
        return name

    def claim(self, scope: str, given: str) -> None:
        """A page has taken a saved tab: whoever was offered the same gets the next."""
        self.claimed.add((scope, given))
        for other in self._documents.values():
            if other.tabs.get(scope) == given:
                del other.tabs[scope]
                if scope not in other.names and (offer := self.offer().get(scope)):
                    other.tabs[scope] = offer
        self._changed()
