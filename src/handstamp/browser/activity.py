"""What was done in a context, as the browser tells it by itself: where its pages went, and by what.

Nothing is put into the pages for it. So there are no clicks that lead nowhere and no keys in it: the browser tells of those only by
scripts in the page. What is typed is never in it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from handstamp.state import Activity
from handstamp.state.masking import masked_url

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from handstamp.state import Session

MOST_AT_ONCE = 1000  # entries that wait to be saved; more than any session keeps
_WHY = {"anchorClick": "link", "formSubmissionGet": "submit", "formSubmissionPost": "submit"}


class ActivityLog:
    """The latest of what was done. Belongs to the engine's loop; `latest` may be read from any thread."""

    def __init__(self) -> None:
        self._entries: deque[Activity] = deque(maxlen=MOST_AT_ONCE)

    def hear(self, target: str, method: str, params: dict[str, Any]) -> None:
        """An event of a page.

        Args:
            target: of the page; its main frame has the same id.
            method: CDP's ``Page.frameNavigated`` (a document), ``navigatedWithinDocument`` (another address in the same),
                ``frameRequestedNavigation`` (a link or form was used) and ``downloadWillBegin``; any other is not looked at.
            params: of the event.
        """
        if method == "Page.frameNavigated":
            frame = params["frame"]
            if frame["id"] == target and not frame.get("unreachableUrl"):
                self._add("visit", frame["url"])
        elif params.get("frameId") != target:
            return
        elif method == "Page.navigatedWithinDocument":
            self._add("move", params["url"])
        elif method == "Page.frameRequestedNavigation" and params["reason"] in _WHY:
            self._add(_WHY[params["reason"]], params["url"])
        elif method == "Page.downloadWillBegin":
            self._add("download", params["url"])

    def _add(self, kind: str, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            return  # empty pages, and those of the browser itself
        entry = Activity(datetime.now(UTC), kind, masked_url(url))
        if not self._entries or (self._entries[-1].kind, self._entries[-1].url) != (entry.kind, entry.url):
            self._entries.append(entry)

    def latest(self, since: datetime | None = None) -> tuple[Activity, ...]:
        """What was done after `since`, in order of time."""
        return tuple(entry for entry in tuple(self._entries) if since is None or entry.at > since)


def with_activity(session: Session, done: Sequence[Activity], *, most: int) -> Session:
    """The session with what was done added to what it remembers: the last `most` entries of all, by time."""
    if not most:
        return replace(session, activity=())
    return replace(session, activity=tuple(sorted([*session.activity, *done], key=lambda one: one.at))[-most:])
