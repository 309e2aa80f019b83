"""What the managers are told, and what they tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from handstamp.state import Health


@dataclass(frozen=True, slots=True)
class ProfileManagerConfig:
    """What a `ProfileManager` does.

    Args:
        enable_cookie_persistence: save and restore cookies.
        enable_localstorage_persistence: save and restore localStorage; after a login also sessionStorage and databases.
        cookie_export_on_login: `on_successful_login` saves cookies.
        session_health_check_interval: seconds after which a session is due for a look again; 0 for never by its age.
        cookie_expiry_warning_days: cookies that end within so many days are named in a warning when they are put in; 0 for none.
        enable_profile_locking: `acquire_profile_lock` takes the profile; otherwise it says yes to everybody.
        lock_timeout_seconds: how long a lock outlives its holder's last sign of life where nobody can look at the process.

    Raises:
        ValueError: a number is negative, or `lock_timeout_seconds` is not positive.
    """

    enable_cookie_persistence: bool = True
    enable_localstorage_persistence: bool = True
    cookie_export_on_login: bool = True
    session_health_check_interval: float = 3600
    cookie_expiry_warning_days: float = 7
    enable_profile_locking: bool = True
    lock_timeout_seconds: float = 300

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        for name in ("session_health_check_interval", "cookie_expiry_warning_days"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is not negative; 0 switches it off")
        if self.lock_timeout_seconds <= 0:
            raise ValueError("lock_timeout_seconds is more than 0; to do without locks set enable_profile_locking=False")


@dataclass(frozen=True, slots=True)
class SessionState:
    """How the session of a profile at a domain stands, as it is saved.

    Args:
        domain: as it was asked for.
        logged_in: it was valid at the last look.
        last_verified: the last look that could tell, UTC.
        cookie_count: saved cookies that have not ended.
        session_expires: when the login will end at the latest, UTC; None when nobody knows.
        needs_refresh: it should be looked at, or logged in again.
        health: the class in full.
    """

    domain: str
    logged_in: bool
    last_verified: datetime | None
    cookie_count: int
    session_expires: datetime | None
    needs_refresh: bool
    health: Health


@dataclass(frozen=True, slots=True)
class LockInfo:
    """Who holds a profile; every field also as ``info["pid"]``.

    Args:
        pid: of the process.
        host: of its machine.
        locked_at: since when, UTC, by the database's clock.
        seen_at: its last sign of life.
        alive: whether it still counts: a dead holder's lock is free for the next who asks.
    """

    pid: int
    host: str
    locked_at: datetime
    seen_at: datetime
    alive: bool

    def __getitem__(self, name: str) -> Any:
        """A field by name.

        Raises:
            KeyError: there is none.
        """
        if name not in self.__slots__:
            raise KeyError(name)
        return getattr(self, name)


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile, as it is saved.

    Args:
        name: of it.
        path: where it is kept, sealed; the same for all profiles of a vault. Holds no secret.
        domains: whose sessions are in it.
        cookie_count: saved cookies that have not ended.
        lock: who holds it; None when nobody does.
    """

    name: str
    path: str
    domains: tuple[str, ...]
    cookie_count: int
    lock: LockInfo | None
