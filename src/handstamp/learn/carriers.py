"""What could carry a login: cookies, storage items and databases, and states made of some of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from handstamp.sites.recipe import Bearer
from handstamp.state import Cookie, Part, PartId, PartKind, StorageState, select
from handstamp.state.masking import is_token_like

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from handstamp.state import Key

_LIKELY = re.compile(r"sess|sid\b|auth|token|jwt|login|user|remember|ident|account|passw", re.IGNORECASE)
_UNLIKELY = re.compile(r"csrf|xsrf|^_ga|^_gid|^_fbp|consent|theme|locale|lang\b|message", re.IGNORECASE)
_LEAST_BEARER = 8  # characters of a value that is looked for in headers
_WHOLE = frozenset({PartKind.IDB, PartKind.OPFS})


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """One thing that can be there or be left out.

    Args:
        part: where it is.
        key: which; empty for a part that is there as a whole, or not at all.
    """

    part: PartId
    key: Key = ()

    @property
    def name(self) -> str:
        """Of the cookie or storage item; of a part its own."""
        if not self.key:
            return str(self.part)
        return self.key[2] if self.part.kind is PartKind.COOKIES else self.key[-1]

    def __str__(self) -> str:
        kinds = {PartKind.COOKIES: "cookie", PartKind.LOCAL: "localStorage item", PartKind.SESSION: "sessionStorage item"}
        return f"{kinds.get(self.part.kind, 'stored')} {self.name}"


def items_of(state: StorageState, domains: Iterable[str], *, now: datetime) -> list[Item]:
    """What is there of these domains and has not expired, the likely carriers first."""
    found: list[Item] = []
    for part in select(state, domains).parts.values():
        if part.id.kind in _WHOLE:
            found += [Item(part.id)] if part.live() else []
        elif part.id.kind is not PartKind.FILES:
            live = part.live().items()
            found += [Item(part.id, key) for key, value in live if not (isinstance(value, Cookie) and value.expired(now.timestamp()))]
    return sorted(found, key=lambda item: (_unlikelihood(item, value_of(state, item)), item))


def _unlikelihood(item: Item, value: Any) -> int:
    points = -4 if _UNLIKELY.search(item.name) else 0
    points += 2 if _LIKELY.search(item.name) else 0
    points += 2 if isinstance(value, Cookie) and value.http_only else 0
    return -(points + (1 if is_token_like(text_of(value)) else 0))


def value_of(state: StorageState, item: Item) -> Any:
    """Its value; None when it is not there or is a part as a whole."""
    part = state.parts.get(item.part)
    entry = part.entries.get(item.key) if part else None
    return entry.value if entry else None


def text_of(value: Any) -> str:
    """What of a value could be a secret."""
    return value.value if isinstance(value, Cookie) else str(value or "")


def only(state: StorageState, items: Collection[Item]) -> StorageState:
    """`state` with these items and nothing else."""
    parts: dict[PartId, Part] = {}
    for item in items:
        whole = state.parts[item.part]
        if not item.key:
            parts[item.part] = whole
        else:
            entries = parts[item.part].entries if item.part in parts else {}
            parts[item.part] = Part(item.part, {**entries, item.key: whole.entries[item.key]})
    return StorageState.of(parts.values(), epoch=state.epoch)


def replaced(before: StorageState, after: StorageState, items: Iterable[Item]) -> tuple[Item, ...]:
    """Which of `items` hold another credential now than before: a site that changes them with use. Tokens of forms come and go."""
    pairs = ((item, text_of(value_of(before, item)), text_of(value_of(after, item))) for item in items if item.key and not is_csrf(item))
    return tuple(item for item, old, new in pairs if old != new and is_token_like(old) and is_token_like(new))


def lasting_name(name: str, base_url: str) -> str:
    """The name of a cookie as a pattern, where it holds the address of the server: ``username-127-0-0-1-8888`` is ``username-*``."""
    parts = urlsplit(base_url)
    host = re.sub(r"[^a-z0-9]+", "[^a-zA-Z0-9]", (parts.hostname or "").lower())
    return re.sub(rf"{host}[^a-zA-Z0-9]{parts.port}$", "*", name) if parts.port and host else name


def is_csrf(item: Item) -> bool:
    """Whether it guards forms, and carries no login, by its name."""
    return "csrf" in item.name.lower() or "xsrf" in item.name.lower()


@dataclass(frozen=True, slots=True)
class Sent:
    """A header that the page's scripts sent; holds a secret."""

    url: str
    method: str
    header: str
    value: str

    def __repr__(self) -> str:
        return f"<{self.header} of a {self.method} request>"


def bearer_of(state: StorageState, origin: str, sent: Sequence[Sent]) -> tuple[Bearer, Item] | None:
    """The storage item whose value goes along as a header, and how; None when none was seen to."""
    for kind in (PartKind.LOCAL, PartKind.SESSION):
        part = state.parts.get(PartId(kind, origin))
        for key, value in part.live().items() if part else ():
            for one in sent:
                form = one.value.replace(str(value), "{value}")
                if len(str(value)) >= _LEAST_BEARER and form.count("{value}") == 1 and form.count("{") == form.count("}") == 1:
                    place = {"local_storage": key[-1]} if kind is PartKind.LOCAL else {"session_storage": key[-1]}
                    return Bearer(**place, header=one.header, format=form), Item(PartId(kind, origin), key)
    return None
