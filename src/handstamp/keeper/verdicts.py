"""What the keeper writes down: verdicts, logins, and how long they lived. Blocking; called in worker threads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from handstamp.sites import login_ends_at
from handstamp.state import Health

if TYPE_CHECKING:
    from handstamp.sites import Site, Verdict
    from handstamp.state import Device, Loss, Session, StorageState
    from handstamp.vault import Vault
    from handstamp.vault.model import JSON


def recorded(vault: Vault, site: Site, profile: str, verdict: Verdict, *, seen: Session | None) -> Session:
    """Keep a verdict with its session and in the event log.

    Args:
        vault: where to.
        site: of the session.
        profile: of the session.
        verdict: on it.
        seen: the session as it was when the look began. If somebody has logged in since, the verdict is on a session that is
            no more: it goes into the log only.
    """
    outlived, life = False, None

    def change(session: Session) -> Session:
        nonlocal outlived, life
        outlived = session.logins != (seen.logins if seen else 0)
        life = None
        if outlived:
            return session
        life = lived(session, verdict)
        told = verdict.health is not Health.UNKNOWN
        return replace(
            session,
            health=verdict.health if told else session.health,
            health_until=verdict.until,
            needs_refresh=verdict.health is Health.EXPIRED or (session.needs_refresh and verdict.health is not Health.VALID),
            last_verified=verdict.evidence[-1].at if told and verdict.evidence else session.last_verified,
        )

    after = vault.update_session(profile, site.name, change)
    evidence: list[JSON] = [one.facts() for one in verdict.evidence]
    data: dict[str, JSON] = {"health": verdict.health.value, "evidence": evidence}
    vault.record_event("check", profile=profile, site=site.name, data=data | ({"outlived": True} if outlived else {}))
    if life is not None:
        vault.record_event("ended", profile=profile, site=site.name, data={"lived": life, "why": verdict.text})
    return after


def lived(seen: Session, verdict: Verdict) -> float | None:
    """Seconds that a login lasted, if the verdict is that it is over: until half-way between the last time that it was found alive and now.

    None when it was known to be over before, or nobody knows when the login was made.
    """
    if verdict.health is not Health.EXPIRED or seen.logged_in_at is None or seen.health is Health.EXPIRED or not verdict.evidence:
        return None
    found = verdict.evidence[-1].at
    alive = max(seen.logged_in_at, seen.last_verified or seen.logged_in_at)
    return round(max(0.0, ((alive - seen.logged_in_at) + (found - alive) / 2).total_seconds()), 3)


def blocked(vault: Vault, site: Site, profile: str, *, until: datetime | None) -> None:
    """The site, or the login budget, wants no login now; with the budget until a person has looked. Makes no session."""

    def change(session: Session) -> Session:
        return replace(session, health=Health.BLOCKED, health_until=until, needs_refresh=True)

    if vault.session(profile, site.name) is not None:
        vault.update_session(profile, site.name, change)


def challenged(vault: Vault, site: Site, profile: str) -> None:
    """A login stopped at something that only a person can give. Makes no session."""
    if vault.session(profile, site.name) is not None:
        vault.update_session(profile, site.name, lambda session: replace(session, health=Health.CHALLENGED, health_until=None, needs_refresh=True))


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
    replaced: float | None = None

    def change(session: Session) -> Session:
        nonlocal replaced
        replaced = None
        if session.health is not Health.EXPIRED and session.logged_in_at is not None and session.last_verified is not None:
            replaced = max(0.0, (session.last_verified - session.logged_in_at).total_seconds())
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
    data: dict[str, JSON] = {"logins": session.logins}
    vault.record_event("login", profile=profile, site=site.name, data=data if replaced is None else data | {"replaced_after": round(replaced, 3)})
    return session
