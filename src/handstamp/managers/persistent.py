"""A session as it is saved: the record, its text in the vault, and the state that goes with it. Values only."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from handstamp.state import Device, PartKind, StorageState

if TYPE_CHECKING:
    from handstamp.managers.recorder import BrowserSession
    from handstamp.state import Cookie

_STATE = frozenset({"cookies", "local_storage", "session_storage"})


@dataclass(frozen=True, slots=True)
class PersistentSession:
    """A session as it is saved.

    Args:
        session_id: the caller's name of it.
        profile_name: the jar that its state is in.
        user_agent: what sites saw; as are viewport, language and time zone.
        start_time: when it began, UTC.
        last_activity: the last thing that was done, UTC.
        pages_visited: how many documents were opened.
        navigation_history: their addresses, the latest 1000, without what could let in or name a person.
        actions_performed: see `BrowserSession.actions_performed`.
        cookies: that have not ended.
        local_storage: origin -> items.
        session_storage: origin -> items of all its tabs.
        viewport_width: CSS pixels.
        viewport_height: CSS pixels.
        language: as in ``navigator.language``.
        timezone: as ``Europe/Zurich``.
    """

    session_id: str
    profile_name: str
    user_agent: str | None
    start_time: datetime
    last_activity: datetime
    pages_visited: int
    navigation_history: list[str]
    actions_performed: list[str]
    viewport_width: int | None = None
    viewport_height: int | None = None
    language: str | None = None
    timezone: str | None = None
    cookies: list[Cookie] = field(default_factory=list, repr=False)
    local_storage: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    session_storage: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)


def noted(session_id: str, session: BrowserSession, device: Device) -> PersistentSession:
    """What is noted of a browser session now, without its state."""
    return PersistentSession(
        session_id,
        session.profile_name,
        device.user_agent,
        session.start_time,
        session.last_activity,
        session.pages_visited,
        session.navigation_history,
        session.actions_performed,
        device.viewport_width,
        device.viewport_height,
        device.language,
        device.timezone,
    )


def device_in(record: PersistentSession | None) -> Device:
    """The device that a record tells of."""
    if record is None:
        return Device()
    return Device(
        user_agent=record.user_agent,
        viewport_width=record.viewport_width,
        viewport_height=record.viewport_height,
        language=record.language,
        timezone=record.timezone,
    )


def with_state(record: PersistentSession, state: StorageState) -> PersistentSession:
    """The session with what its profile holds."""
    at = time.time()
    tabs = {part.id.scope: state.session_storage(part.id.scope) for part in state.of_kind(PartKind.SESSION)}
    return replace(
        record,
        cookies=[cookie for cookie in state.cookies() if not cookie.expired(at)],
        local_storage={part.id.scope: state.local_storage(part.id.scope) for part in state.of_kind(PartKind.LOCAL) if part.live()},
        session_storage={origin: {name: value for items in by_tab.values() for name, value in items.items()} for origin, by_tab in tabs.items() if by_tab},
    )


def facts(record: PersistentSession) -> dict[str, Any]:
    """Its fields, without the state."""
    return {name: value for name, value in asdict(record).items() if name not in _STATE}


def text(record: PersistentSession) -> str:
    """As it is kept in the vault."""
    return json.dumps(facts(record), default=datetime.isoformat)


def parsed(kept: str) -> PersistentSession:
    """What `text` made."""
    found = json.loads(kept)
    return PersistentSession(**found | {name: datetime.fromisoformat(found[name]) for name in ("start_time", "last_activity")})
