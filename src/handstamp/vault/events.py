"""The event log: append-only, queryable, without secrets."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from handstamp.errors import VaultError
from handstamp.vault.model import Event, instant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handstamp.vault.model import JSON
    from handstamp.vault.store import Row, Transaction

_log = logging.getLogger(__name__)


def record(transaction: Transaction, kind: str, *, profile: str | None = None, site: str | None = None, data: Mapping[str, JSON] | None = None) -> None:
    """Append an event."""
    transaction.run("add_event", now=transaction.now(), kind=kind, profile=profile, site=site, data=json.dumps(dict(data or {}), separators=(",", ":")))


def find(transaction: Transaction, *, profile: str | None, site: str | None, kind: str | None, since: int | None, limit: int) -> list[Event]:
    """Events that fit all that is given, the newest first."""
    if profile is not None:
        rows = transaction.rows("events_of_profile", profile=profile, site=site, kind=kind, since=since, limit=limit)
    elif site is not None:
        rows = transaction.rows("events_of_site", site=site, kind=kind, since=since, limit=limit)
    elif kind is not None:
        rows = transaction.rows("events_of_kind", kind=kind, since=since, limit=limit)
    else:
        rows = transaction.rows("events", since=since, limit=limit)
    return [event for row in rows if (event := _event(row)) is not None]


def _event(row: Row) -> Event | None:
    """One damaged row must not hide the others."""
    event_id, at, kind, profile, site, data = row
    try:
        return Event(event_id, instant(at), kind, profile, site, json.loads(data))
    except (ValueError, TypeError, VaultError):
        _log.error("event %s of the vault is damaged and left out", event_id)
        return None
