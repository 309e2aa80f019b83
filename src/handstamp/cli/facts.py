"""What commands print for programs: sessions, parts, events and versions as JSON values. Names, never secrets.

Field names are stable. Instants are UTC in RFC 3339, what is not known is null.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC
from typing import TYPE_CHECKING, Any

from handstamp.state import Cookie, PartKind

if TYPE_CHECKING:
    from datetime import datetime

    from handstamp.sites import KnownSite, Verdict
    from handstamp.state import Activity, Device, Part, Session, StorageState
    from handstamp.vault import Event, LeaseInfo, Version

Facts = dict[str, Any]


def instant(moment: datetime | None) -> str | None:
    """RFC 3339 with milliseconds: ``2026-03-01T12:00:00.000Z``."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def session_facts(session: Session) -> Facts:
    """A session."""
    return {
        "session_id": session.session_id,
        "site": session.site,
        "profile": session.profile,
        "username": session.username,
        "health": session.health.value,
        "health_until": instant(session.health_until),
        "needs_refresh": session.needs_refresh,
        "created_at": instant(session.created_at),
        "logged_in_at": instant(session.logged_in_at),
        "first_used": instant(session.first_used),
        "last_used": instant(session.last_used),
        "last_verified": instant(session.last_verified),
        "expires_at": instant(session.expires_at),
        "logins": session.logins,
        "losses": [asdict(loss) for loss in session.losses],
        "device": device_facts(session.device),
    }


def device_facts(device: Device) -> Facts:
    """A device; of its proxy only whether there is one."""
    return {**asdict(device), "proxy": device.proxy is not None}


def parts_facts(state: StorageState) -> list[Facts]:
    """The parts that hold something: how much, under which names."""
    return [_part(part) for part in sorted(state.parts.values(), key=lambda part: part.id) if part.live()]


def _part(part: Part) -> Facts:
    live = part.live()
    facts: Facts = {"part": str(part.id), "kind": part.id.kind.value, "scope": part.id.scope, "count": len(live)}
    if part.id.kind is PartKind.COOKIES:
        return facts | {"cookies": [_cookie(cookie) for cookie in live.values()]}
    return facts | {"names": sorted({key[-1] for key in live})}


def _cookie(cookie: Cookie) -> Facts:
    return {
        "name": cookie.name,
        "domain": cookie.domain,
        "host_only": cookie.host_only,
        "path": cookie.path,
        "expires": cookie.expires,
        "secure": cookie.secure,
        "http_only": cookie.http_only,
        "same_site": cookie.same_site,
    }


def verdict_facts(verdict: Verdict) -> Facts:
    """How a session stands and the evidence for it, from cheap to dear."""
    return {
        "health": verdict.health.value,
        "until": instant(verdict.until),
        "why": verdict.text,
        "evidence": [evidence.facts() for evidence in verdict.evidence],
    }


def event_facts(event: Event) -> Facts:
    """Something that happened."""
    return {"at": instant(event.at), "kind": event.kind, "profile": event.profile, "site": event.site, "data": dict(event.data)}


def activity_facts(done: Activity) -> Facts:
    """Something that was done in a session; its URL is without secrets."""
    return {"at": instant(done.at), "kind": done.kind, "url": done.url}


def version_facts(version: Version) -> Facts:
    """A kept version of a part."""
    return {
        "part": None if version.part is None else str(version.part),
        "generation": version.generation,
        "written_at": instant(version.written_at),
        "current": version.current,
        "pinned": version.pinned,
        "size": version.size,
    }


def lease_facts(lease: LeaseInfo) -> Facts:
    """Who holds what."""
    return {
        "profile": lease.profile,
        "purpose": lease.purpose.value,
        "site": lease.site,
        "holder": str(lease.holder),
        "pid": lease.holder.pid,
        "host": lease.holder.host,
        "since": instant(lease.since),
        "beat_at": instant(lease.beat_at),
        "standing": lease.standing.value,
        "waiting": [str(process) for process in lease.waiting],
        "token": lease.token,
    }


def site_facts(known: KnownSite) -> Facts:
    """A site that can be named."""
    facts: Facts = {"name": known.name, "source": known.source, "problem": known.problem or None}
    if known.site is None:
        return facts
    recipe = known.site.recipe
    return facts | {
        "base_url": recipe.base_url,
        "domains": list(recipe.domains),
        "login": known.site.can_login,
        "check": known.site.can_check,
        "keep_alive_seconds": recipe.keep_alive.every if recipe.keep_alive else None,
    }
