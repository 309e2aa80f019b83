"""The kinds of state: how a page writes each, and what it reads where it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Where(Enum):
    """What writes a kind and reads it again."""

    PAGE = "a page"
    FRAME = "a frame in a page of another site"
    TABS = "two tabs, each for itself"
    POPUP = "a page and the popup that it opens; two tabs read"


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table. It lives at origins of its own, so that none can hide what happens to another.

    Args:
        group: heading.
        name: what it is.
        host: first label of its host names.
        read: body of an async function: a fact about the state that is there, null when nothing is. In `TABS` of each tab.
        write: body of an async function that makes the state; it sees `tab`, the number of its tab, and sets `opened` in `POPUP`.
        where: which documents do both.
        cookies: Set-Cookie lines that the server sends when it is asked for `/set`.
        fields: of the browser's cookies (CDP `Network.Cookie`): these are the fact, instead of `read`.
        subdomain: goes before the host where a domain cookie is set.
    """

    group: str
    name: str
    host: str
    read: str = "return null"
    write: str = ""
    where: Where = Where.PAGE
    cookies: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    subdomain: str = ""


def kinds() -> tuple[Kind, ...]:
    """All of them, in the order of the table."""
    from moving import cookie_kinds, database_kinds, other_kinds, storage_kinds  # noqa: PLC0415  (they are made of this module's classes)

    return (*cookie_kinds.KINDS, *storage_kinds.KINDS, *database_kinds.KINDS, *other_kinds.KINDS)
