"""What a document gets back in the eager way, and the script that gives it: pure text and choices."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from handstamp.browser.eager_databases import dumps_by_origin
from handstamp.browser.idb import library
from handstamp.browser.restore import tabs_by_use
from handstamp.state import PartKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from handstamp.state import StorageState

    Item = tuple[str, str]


@cache
def _script() -> str:
    return files("handstamp.browser").joinpath("eager.js").read_text(encoding="utf-8").rstrip()


@dataclass(frozen=True, slots=True)
class Storage:
    """The Web Storage of a saved state, as the eager way gives it back: of top-level pages, and of each origin the tab used last.

    Args:
        local: origin -> names and values.
        session: the same of the tab.
        tabs: origin -> that tab.
        databases: origin -> its databases.
    """

    local: Mapping[str, list[Item]] = field(repr=False)
    session: Mapping[str, list[Item]] = field(repr=False)
    tabs: Mapping[str, str]
    databases: Mapping[str, list[dict[str, Any]]] = field(repr=False)

    @classmethod
    def of(cls, state: StorageState) -> Storage:
        """Of what is live in `state`."""
        local = {part.id.scope: [(key[0], value) for key, value in part.live().items()] for part in state.of_kind(PartKind.LOCAL) if "^" not in part.id.scope}
        session: dict[str, list[Item]] = {}
        tabs: dict[str, str] = {}
        for part in state.of_kind(PartKind.SESSION):
            if "^" not in part.id.scope and (order := tabs_by_use(part.entries)):
                tabs[part.id.scope] = order[0]
                session[part.id.scope] = [(key[1], value) for key, value in part.live().items() if key[0] == order[0]]
        return cls({origin: items for origin, items in local.items() if items}, session, tabs, dumps_by_origin(state))

    def script(self, served: Collection[str]) -> str:
        """What stands at the beginning of all documents to come; empty when nothing is left to give.

        Args:
            served: origins that had theirs.
        """
        left = [origin for origin in {**self.local, **self.session, **self.databases} if origin not in served]
        if not left:
            return ""
        saved = {
            origin: {"local": self.local.get(origin, []), "session": self.session.get(origin, []), "databases": self.databases.get(origin, [])}
            for origin in left
        }
        code = f"() => {library()}" if any(origin in self.databases for origin in left) else "null"
        return f"{_script()}({json.dumps(saved, separators=(',', ':'))}, {code});"
