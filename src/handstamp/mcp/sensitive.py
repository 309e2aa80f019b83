"""Fields of forms that hold credentials: what is in them is not shown, and nothing is typed into those for passwords."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handstamp.operations.blanking import SECRET_NAME

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle

LOOK = """element => ({
    tag: element.tagName, kind: element.type || "", complete: element.getAttribute("autocomplete") || "",
    names: ["id", "name", "aria-label", "placeholder"].map(name => element.getAttribute(name) || "")
        .concat([...(element.labels || [])].map(label => label.textContent)),
    value: typeof element.value === "string" ? element.value : "",
})"""
_PASSWORD = re.compile(r"passw|passphrase", re.IGNORECASE)
_COMPLETE = frozenset({"current-password", "new-password", "one-time-code", "cc-csc"})
_SEARCHES = frozenset({"search", "checkbox", "radio", "submit", "button", "reset", "image", "file", "range", "color"})


@dataclass(frozen=True, slots=True)
class Field:
    """What an element says of itself.

    Args:
        tag: in upper case.
        kind: an input's type.
        complete: its tokens of ``autocomplete``.
        names: by which people and programs know it.
        value: what is in it.
    """

    tag: str
    kind: str
    complete: frozenset[str]
    names: tuple[str, ...]
    value: str

    @classmethod
    def read(cls, found: dict[str, Any]) -> Field:
        """What `LOOK` has found; a page can make it say anything."""
        names = tuple(str(name)[:200] for name in found["names"])
        return cls(str(found["tag"]), str(found["kind"]).lower(), frozenset(str(found["complete"]).lower().split()), names, str(found["value"]))

    @property
    def takes_credentials(self) -> bool:
        """Whether a password, or a code in place of one, goes in here."""
        return self.kind == "password" or bool(self.complete & _COMPLETE) or any(_PASSWORD.search(name) for name in self.names[:2])

    @property
    def is_secret(self) -> bool:
        """Whether what is in it is not to be shown: it takes credentials, or is called like what lets somebody in."""
        called = self.kind not in _SEARCHES and any(SECRET_NAME.search(name) for name in self.names)
        return self.takes_credentials or called


async def field_of(element: ElementHandle) -> Field:
    """What an element says of itself."""
    return Field.read(await element.evaluate(LOOK))
