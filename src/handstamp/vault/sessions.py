"""Sessions as rows: facts that can be listed and queried without opening a seal.

The device's proxy, which may hold a password, and the losses and the activity, which name visited places, are sealed beside.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from handstamp.errors import SealBroken, UnreadableState, VaultUnavailable
from handstamp.state import Activity, Device, Health, Loss, Session
from handstamp.vault.identity import Identity, Purpose
from handstamp.vault.model import instant, maybe_instant, maybe_milliseconds
from handstamp.vault.store import Raced, whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from handstamp.vault.parts import Profile
    from handstamp.vault.seal import Seals
    from handstamp.vault.store import Row, Transaction

_log = logging.getLogger(__name__)


def list_sessions(transaction: Transaction, profile: str | None, site: str | None) -> list[Row]:
    """Rows of sessions, by profile and site."""
    if profile is not None and site is not None:
        return transaction.rows("session", profile=profile, site=site)
    if profile is not None:
        return transaction.rows("sessions_of_profile", profile=profile)
    return transaction.rows("sessions_of_site", site=site) if site is not None else transaction.rows("sessions")


def is_private(row: Row) -> bool:
    """Whether something of this session is sealed."""
    return row[-1] is not None


def opened(row: Row, seals: Seals | None) -> Session:
    """The session of a row.

    Args:
        row: as `list_sessions` gives it.
        seals: opens what is sealed; None leaves that out.

    Raises:
        SealBroken: what is sealed does not open.
        UnreadableState: what is not sealed is damaged.
    """
    try:
        return _opened(row, seals)
    except (ValueError, TypeError, KeyError, AttributeError, VaultUnavailable):
        raise UnreadableState(f"the facts of the session of profile '{row[1]}' at '{row[2]}' are damaged; forget it and log in again") from None


def _opened(row: Row, seals: Seals | None) -> Session:
    session_id, profile, site, _, username, health, needs_refresh, until, created, logged_in, used, verified, expires, logins, device, _ = row
    facts = _device(device) if device else Device()
    private = _private(row, seals)
    return Session(
        session_id=session_id,
        profile=profile,
        site=site,
        username=username,
        device=replace(facts, proxy=private.proxy) if private.proxy is not None else facts,
        health=Health(health),
        needs_refresh=bool(needs_refresh),
        health_until=maybe_instant(until),
        created_at=maybe_instant(created),
        logged_in_at=maybe_instant(logged_in),
        last_used=maybe_instant(used),
        last_verified=maybe_instant(verified),
        expires_at=maybe_instant(expires),
        logins=logins,
        losses=private.losses,
        first_used=private.first_used,
        activity=private.activity,
    )


@lru_cache(maxsize=256)
def _device(text: str) -> Device:
    """Few devices serve many sessions, and a list of all is parsed in one go."""
    return Device(**json.loads(text))


def opened_leniently(row: Row, seals: Seals | None) -> Session | None:
    """As `opened`, without what is sealed when that does not open, None when the rest is damaged; says so in the log."""
    try:
        return opened(row, seals)
    except SealBroken as error:
        _log.error("%s; its proxy and losses are left out", error)
        return opened_leniently(row, None)
    except UnreadableState as error:
        _log.error("%s", error)
        return None


def update(transaction: Transaction, seals: Seals, profile: Profile, site: str, change: Callable[[Session], Session]) -> Session:
    """Read, change, write.

    Raises:
        SealBroken: what is sealed of it does not open.
        ValueError: `change` gave another session.
        Raced: somebody else wrote it meanwhile; try the transaction again.
    """
    rows = transaction.rows("session", profile=profile.name, site=site)
    whole(*(row[3] for row in rows))
    revision = rows[0][3] + 1 if rows else 1
    before = opened(rows[0], seals) if rows else Session(secrets.token_hex(16), profile.name, site, created_at=instant(transaction.now()))
    after = change(before)
    if (after.session_id, after.profile, after.site) != (before.session_id, before.profile, before.site):
        raise ValueError(f"a change of the session of profile '{profile.name}' at '{site}' must keep its session_id, profile and site")
    if rows and after == before:
        return before
    if not transaction.run("put_session", profile_id=profile.profile_id, revision=revision, **_row(after, revision, seals)):
        raise Raced
    return after


def add_loss(transaction: Transaction, seals: Seals, profile: Profile, loss: Loss) -> None:
    """Put a loss on the sessions of a profile that do not tell of it yet; whose it is, only the sites could say."""
    for row in transaction.rows("sessions_of_profile", profile=profile.name):
        with contextlib.suppress(SealBroken, UnreadableState):
            update(transaction, seals, profile, row[2], lambda session: session if loss in session.losses else replace(session, losses=(*session.losses, loss)))


def _row(session: Session, revision: int, seals: Seals) -> dict[str, Any]:
    public = {name: value for name, value in asdict(session.device).items() if value is not None and name != "proxy"}
    return {
        "session_id": session.session_id,
        "site": session.site,
        "username": session.username,
        "health": session.health,
        "needs_refresh": int(session.needs_refresh),
        "health_until": maybe_milliseconds(session.health_until),
        "created_at": maybe_milliseconds(session.created_at),
        "logged_in_at": maybe_milliseconds(session.logged_in_at),
        "last_used": maybe_milliseconds(session.last_used),
        "last_verified": maybe_milliseconds(session.last_verified),
        "expires_at": maybe_milliseconds(session.expires_at),
        "logins": session.logins,
        "device": json.dumps(public) if public else None,
        "private_sealed": _sealed(session, revision, seals),
    }


def _sealed(session: Session, revision: int, seals: Seals) -> bytes | None:
    if session.device.proxy is None and not session.losses and session.first_used is None and not session.activity:
        return None
    facts = {
        "proxy": session.device.proxy,
        "losses": [asdict(loss) for loss in session.losses],
        "first_used": maybe_milliseconds(session.first_used),
        "activity": [(maybe_milliseconds(one.at), one.kind, one.url) for one in session.activity],
    }
    return seals.seal(Purpose.SESSION, identity(session.session_id, revision, session.profile, session.site), json.dumps(facts).encode())


@dataclass(frozen=True, slots=True)
class _Private:
    """What of a session is sealed."""

    proxy: str | None = field(default=None, repr=False)
    losses: tuple[Loss, ...] = ()
    first_used: datetime | None = None
    activity: tuple[Activity, ...] = field(default=(), repr=False)


def _private(row: Row, seals: Seals | None) -> _Private:
    session_id, profile, site, revision, *_, sealed = row
    if sealed is None or seals is None:
        return _Private()
    try:
        facts = json.loads(seals.open(Purpose.SESSION, identity(session_id, revision, profile, site), sealed))
    except SealBroken:
        raise SealBroken(f"what is sealed of the session of profile '{profile}' at '{site}' does not open: it was changed, or another key sealed it") from None
    # Records of earlier releases have neither of the last two.
    activity = tuple(Activity(instant(at), kind, url) for at, kind, url in facts.get("activity", ()))
    return _Private(facts["proxy"], tuple(Loss(**loss) for loss in facts["losses"]), maybe_instant(facts.get("first_used")), activity)


def identity(session_id: str, revision: int, profile: str, site: str) -> Identity:
    """What the sealed facts of a session are sealed as."""
    return Identity(bytes.fromhex(session_id), revision, f"{profile}\n{site}")
