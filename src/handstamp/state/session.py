"""A session: one login of a profile at a site, as its facts without the storage state."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from handstamp.state.device import Device

if TYPE_CHECKING:
    from datetime import datetime


class Health(StrEnum):
    """How a session stands. Only `EXPIRED` may start a login; `UNKNOWN` never deletes, overwrites or logs in."""

    VALID = "valid"
    EXPIRED = "expired"
    CHALLENGED = "challenged"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that a login is made of and that could not be captured or restored.

    Args:
        what: the kind: ``crypto-key``, ``quota``, ``storage-key``, …
        where: origin, and database or key; never a value.
        why: a sentence.
    """

    what: str
    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Activity:
    """Something that was done in a session.

    Args:
        at: when, UTC.
        kind: ``visit`` (a document was opened), ``move`` (another address within it), ``link`` and ``submit`` (a link or form was used),
            ``download``.
        url: where or where to, without secrets: see `handstamp.state.masking`.
    """

    at: datetime
    kind: str
    url: str


@dataclass(frozen=True, slots=True)
class Session:
    """One login.

    Args:
        session_id: opaque and stable: it survives new logins of the same (profile, site).
        username: as it was given at login, None when a person logged in by hand.
        needs_refresh: somebody found that it should be logged in or verified again.
        health_until: end of a block, when health is `BLOCKED` and the site said so.
        logged_in_at: the last login; None when the state was imported.
        last_used: opened or written the last time.
        last_verified: the last check that could tell.
        expires_at: the earliest end of the cookies that carry the login, None when unknown.
        logins: how many handstamp made.
        losses: what could not be kept.
        first_used: opened the first time.
        activity: what was done in it lately, oldest first; as many entries as the setting ``activity`` says.
    """

    session_id: str
    profile: str
    site: str
    username: str | None = None
    device: Device = Device()
    health: Health = Health.UNKNOWN
    needs_refresh: bool = False
    health_until: datetime | None = None
    created_at: datetime | None = None
    logged_in_at: datetime | None = None
    last_used: datetime | None = None
    last_verified: datetime | None = None
    expires_at: datetime | None = None
    logins: int = 0
    losses: tuple[Loss, ...] = ()
    first_used: datetime | None = None
    activity: tuple[Activity, ...] = field(default=(), repr=False)
