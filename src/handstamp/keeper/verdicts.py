"""What the keeper writes down: verdicts, logins, and what a check over HTTP changed. Blocking; called in worker threads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from handstamp.sites import login_ends_at
from handstamp.state import Health, Key, Part, PartId, PartKind, StorageState, cookie_scope, observed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.sites import Site, Verdict
    from handstamp.state import Clock, Cookie, Device, Loss, Session
    from handstamp.vault import Vault
    from handstamp.vault.model import JSON


def recorded(vault: Vault, site: Site, profile: str, verdict: Verdict) -> Session:
    """Keep a verdict with its session and in the event log."""

    def change(session: Session) -> Session:
        told = verdict.health is not Health.UNKNOWN
        return replace(
            session,
            health=verdict.health if told else session.health,
            health_until=verdict.until,
            needs_refresh=verdict.health is Health.EXPIRED or (session.needs_refresh and verdict.health is not Health.VALID),
            last_verified=verdict.evidence[-1].at if told and verdict.evidence else session.last_verified,
        )

    evidence: list[JSON] = [one.facts() for one in verdict.evidence]
    vault.record_event("check", profile=profile, site=site.name, data={"health": verdict.health.value, "evidence": evidence})
    return vault.update_session(profile, site.name, change)


@dataclass(frozen=True, slots=True)
class Facts:
    """A login that has just been made.

    Args:
        device: that the site saw.
        username: None when a person logged in by hand and did not say.
        state: that came of it.
        losses: what of it cannot be kept.
    """

    device: Device
    username: str | None
    state: StorageState
    losses: tuple[Loss, ...] = ()


def with_login(vault: Vault, site: Site, profile: str, facts: Facts) -> Session:
    """Keep the facts of a login that has just been made and checked."""
    now = datetime.now(UTC)

    def change(session: Session) -> Session:
        return replace(
            session,
            username=facts.username or session.username,
            device=session.device.filled(facts.device),
            health=Health.VALID,
            health_until=None,
            needs_refresh=False,
            logged_in_at=now,
            last_used=now,
            last_verified=now,
            expires_at=login_ends_at(facts.state, site.recipe, logged_in_at=now),
            logins=session.logins + 1,
            losses=facts.losses,
        )

    session = vault.update_session(profile, site.name, change)
    vault.record_event("login", profile=profile, site=site.name, data={"logins": session.logins})
    return session


def saved_changes(state: StorageState, cookies: Iterable[Cookie], clock: Clock, *, now: datetime) -> StorageState:
    """Cookies that answers set (an ended one is a deletion), as changes of `state`."""
    live: dict[PartId, dict[Key, Cookie]] = {}
    gone: dict[PartId, list[Key]] = {}
    for cookie in cookies:
        part_id = PartId(PartKind.COOKIES, cookie_scope(cookie.domain))
        if cookie.expired(now.timestamp()):
            gone.setdefault(part_id, []).append(cookie.key)
        else:
            live.setdefault(part_id, {})[cookie.key] = cookie
    parts: list[Part] = [
        observed(state.parts.get(part_id), part_id, live.get(part_id, {}), clock, gone=gone.get(part_id, ())) for part_id in live.keys() | gone.keys()
    ]
    return StorageState.of(parts, epoch=state.epoch)
