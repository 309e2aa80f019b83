"""What of a state a format can say, and sentences about the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handstamp.formats.attributes import ALL
from handstamp.formats.intake import label
from handstamp.formats.notes import several
from handstamp.state import Cookie, PartitionKey, PartKind, cookie_scope, host_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from handstamp.state import StorageState

NAMES = {
    PartKind.LOCAL: "localStorage",
    PartKind.SESSION: "sessionStorage",
    PartKind.IDB: "IndexedDB",
    PartKind.OPFS: "files (OPFS)",
}
_UNSAID = Cookie("", "", "")


@dataclass(frozen=True, slots=True)
class Written:
    """A state in some format.

    Args:
        data: what to write to the file.
        format: its name.
        notes: what it cannot say, a sentence each; names, never values.
    """

    data: bytes = field(repr=False)
    format: str
    notes: tuple[str, ...] = ()


def living(cookies: Iterable[Cookie], *, now: float, notes: list[str]) -> list[Cookie]:
    """The cookies that have not ended."""
    found = list(cookies)
    ended = [label(cookie.key) for cookie in found if cookie.expired(now)]
    if ended:
        notes.append(f"cookies that have ended were left out: {several(ended)}")
    return [cookie for cookie in found if not cookie.expired(now)]


def sayable(cookies: Iterable[Cookie], *, holds: Collection[str], name: str, notes: list[str]) -> list[Cookie]:
    """The cookies that a format whose cookies have the attributes `holds` may carry, with notes on what they lose.

    A partitioned cookie of an embedded page is left out where the format has no partitions: a client that reads the file
    would send it when the site is on top.
    """
    found = list(cookies)
    if "partition_key" not in holds:
        embedded = [label(cookie.key) for cookie in found if not on_top(cookie)]
        if embedded:
            notes.append(f"partitioned cookies of embedded pages were left out, since {name} has no partitions: {several(embedded)}")
        found = [cookie for cookie in found if on_top(cookie)]
    losses: dict[tuple[str, ...], list[str]] = {}
    for attribute in sorted(ALL - set(holds)):
        losers = tuple(label(cookie.key) for cookie in found if getattr(cookie, attribute) != getattr(_UNSAID, attribute))
        losses.setdefault(losers, []).append(attribute)
    notes += [f"{name} cannot say {several(attributes)}, which these cookies have: {several(losers)}" for losers, attributes in losses.items() if losers]
    return found


def on_top(cookie: Cookie) -> bool:
    """Whether the cookie is sent when its own site is in the address bar."""
    key = cookie.partition_key
    return key is None or (key == PartitionKey(key.top_level_site) and cookie_scope(host_of(key.top_level_site)) == cookie_scope(cookie.domain))


def leave_storage(state: StorageState, *, name: str, notes: list[str], kinds: Collection[PartKind] = tuple(NAMES)) -> None:
    """Notes the parts of these kinds that hold anything: the format has no place for them."""
    for kind in kinds:
        scopes = [f"{part.id.scope} {part.id.name}".rstrip() for part in state.of_kind(kind) if part.live()]
        if scopes:
            notes.append(f"{name} has no place for {NAMES[kind]}, which was left out: {several(scopes)}")
