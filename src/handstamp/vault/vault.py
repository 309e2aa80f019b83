"""The vault as programs see it: every method is one transaction of the modules beside."""

from __future__ import annotations

import contextlib
import secrets
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from handstamp import home as homes
from handstamp.errors import ConfigError, Conflict, KeyMissing, SessionNotFound, VaultError
from handstamp.state import Clock, StorageState
from handstamp.vault import check, credentials, events, forget, history, names, save, sessions
from handstamp.vault.forks import tell_after_fork
from handstamp.vault.leases import Place, Purpose, take
from handstamp.vault.model import SaveResult, maybe_milliseconds, milliseconds
from handstamp.vault.parts import Parts, find_profile, listed_profile
from handstamp.vault.store import Raced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from types import TracebackType

    from handstamp.home import Finding, Settings
    from handstamp.state import Part, PartId, Session
    from handstamp.vault.keys import KeyRecord, MasterKey
    from handstamp.vault.leases import Lease, LeaseInfo
    from handstamp.vault.model import JSON, Event, Version
    from handstamp.vault.parts import Damage
    from handstamp.vault.store import Store, Transaction
    from handstamp.vault.unlock import Unlocked

_T = TypeVar("_T")
_ATTEMPTS = 20  # of a transaction that lost a race; on SQLite it cannot, there writers queue
LEASE_LIFE = 30.0


class Vault:
    """Where sessions are kept: sealed, durable, versioned.

    Synchronous and quick; safe across threads and processes, and after a fork. Making one does no I/O: the first call
    that needs the file opens it, the first that needs a sealed record finds the key. Everything that a call changed is on
    the disk when it returns.

    Args:
        url: `sqlite:///` and a path; by default what the settings say, else `vault.db` in the home directory.
        home: the home directory, for settings and key file; by default `handstamp.home.home()`.
        key: the master key, if the caller has it; it must be the vault's own, or the vault empty.

    All methods raise `VaultUnavailable` when the file cannot be reached, `VaultFull` when there is no room,
    `UnsupportedVersion` when a newer handstamp wrote it, `KeyMissing` when they need the key and it is not to be had, and
    `ConfigError` for names that cannot be.
    """

    def __init__(self, url: str | None = None, *, home: Path | None = None, key: MasterKey | None = None) -> None:
        self._url = url
        self._home_given = home
        self._key_given = key
        self._clock = Clock(secrets.token_hex(6))
        self._lock = threading.RLock()
        self._store_opened: Store | None = None
        self._unlocked_once: Unlocked | None = None
        self._settings_read: Settings | None = None
        tell_after_fork(self)

    def forked(self) -> None:
        """In a child process nobody holds the lock. Called by itself after a fork."""
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"Vault({self.where!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and drop the key from memory. A later call opens again; leases are not touched."""
        with self._lock:
            if self._store_opened is not None:
                self._store_opened.close()
            self._store_opened = self._unlocked_once = self._settings_read = None

    @property
    def where(self) -> str:
        """Where it is, for people."""
        return self._store().where

    # --- storage state

    def profiles(self) -> list[str]:
        """Names of the profiles that hold something."""
        with self._store().read() as transaction:
            return [str(name) for (name,) in transaction.rows("profile_names")]

    def epoch(self, profile: str) -> int:
        """How often something of the profile was forgotten; what new changes must carry (see `StorageState.epoch`)."""
        with self._store().read() as transaction:
            found = find_profile(transaction, names.profile_name(profile))
            return found.epoch if found else 0

    def load(self, profile: str, *, domains: Iterable[str] | None = None) -> StorageState:
        """The profile's storage state, empty for one that does not exist. Without a browser's own files: see `pieces`.

        A part whose current version is damaged comes from its last version that opens, with an error in the log and a
        `part-damaged` event.

        Args:
            profile: its name.
            domains: only what belongs to these domains, their subdomains, and what parent domains send to them.

        Raises:
            SealBroken: a part has no version that opens; other domains can still be loaded.
        """
        wanted = None if domains is None else tuple(domains)
        unlocked = self._unlock()
        with self._store().read() as transaction:
            found = find_profile(transaction, names.profile_name(profile))
            if found is None:
                return StorageState()
            parts = Parts(transaction, unlocked, found)
            state = parts.load(wanted)
        self._report(parts.damages)
        return state

    def pieces(self, profile: str, wanted: Iterable[PartId]) -> list[Part]:
        """Some parts as they are now, by name; of a browser's files the only way to get them. What is not there is left out.

        Raises:
            SealBroken: one of them has no version that opens.
        """
        unlocked = self._unlock()
        with self._store().read() as transaction:
            found = find_profile(transaction, names.profile_name(profile))
            if found is None:
                return []
            parts = Parts(transaction, unlocked, found)
            heads = [head for part_id in wanted if (head := parts.head(part_id)) is not None]
            read = [parts.current(head) for head in heads]
        self._report(parts.damages)
        return read

    def save(self, profile: str, changes: StorageState, *, lease: Lease | None = None) -> SaveResult:
        """Merge changes into the profile; durable at return. Costs what `changes` holds, whatever else there is.

        Args:
            profile: its name; it is made when missing.
            changes: the changed entries, with the epoch of the state that they came from.
            lease: the caller's open lease, if it has one; the write is refused when it is lost.

        Raises:
            Conflict: something of `changes` was forgotten after their epoch.
            LeaseLost: the lease is no longer the caller's.
            SealBroken: what is there of a part does not open in any version, so nothing can be merged with it.
        """
        name, unlocked = names.profile_name(profile), self._unlock()
        if lease is not None and lease.profile != name:
            raise ValueError(f"a lease of profile '{lease.profile}' was given for a save of profile '{name}'")

        def saving(transaction: Transaction) -> tuple[SaveResult, list[Damage]]:
            if lease is not None:
                lease.check(transaction)
            if (found := find_profile(transaction, name)) is not None:
                save.refuse_forgotten(transaction, unlocked, found, changes)
            if not any(part.entries for part in changes.parts.values()):
                return SaveResult((), found.epoch if found else 0), []
            parts = Parts(transaction, unlocked, found if found and found.listed else listed_profile(transaction, name))
            return save.save(parts, changes, keep=self._settings().history_versions), parts.damages

        result, damages = self._write(saving)
        self._report(damages)
        return result

    def forget_files(self, profile: str, *, lease: Lease | None = None) -> None:
        """Remove a browser's own files from the profile; its state stays.

        Raises:
            LeaseLost: `lease` is given, and no longer the caller's.
        """
        name, unlocked = names.profile_name(profile), self._unlock()

        def forgetting(transaction: Transaction) -> None:
            if lease is not None:
                lease.check(transaction)
            if (found := find_profile(transaction, name)) is not None:
                Parts(transaction, unlocked, found).drop_files()

        self._write(forgetting)

    def history(self, profile: str) -> list[Version]:
        """The kept versions of all parts of a profile, the newest first."""
        unlocked = self._unlock()
        with self._store().read() as transaction:
            found = find_profile(transaction, names.profile_name(profile))
            return history.history(transaction, Parts(transaction, unlocked, found)) if found else []

    def rollback(self, profile: str, *, to: datetime) -> SaveResult:
        """Bring a profile back to what it was at `to`, as new versions: going back can be undone by going back.

        Args:
            profile: its name.
            to: an aware datetime.

        Raises:
            ConfigError: no version that old is kept of some part.
            ValueError: `to` has no time zone.
        """
        name, moment, unlocked = names.profile_name(profile), milliseconds(to), self._unlock()

        def rolling(transaction: Transaction) -> SaveResult:
            if (found := find_profile(transaction, name)) is None:
                return SaveResult()
            result = history.rollback(Parts(transaction, unlocked, found), moment, self._clock, keep=self._settings().history_versions)
            events.record(transaction, "rollback", profile=name, data={"to": to.isoformat(), "parts": len(result.written)})
            return result

        return self._write(rolling)

    def pin(self, profile: str, *, domains: Iterable[str] | None = None) -> None:
        """Keep the current versions for rollback, however many come after; in place of those pinned before.

        For when a session was just found valid.

        Args:
            profile: its name.
            domains: only of the parts that may hold something of these; None for all.
        """
        name, wanted, unlocked = names.profile_name(profile), None if domains is None else tuple(domains), self._unlock()

        def pinning(transaction: Transaction) -> None:
            if (found := find_profile(transaction, name)) is not None:
                history.pin(transaction, Parts(transaction, unlocked, found), wanted)

        self._write(pinning)

    def forget(self, profile: str, *, domain: str | None = None) -> int:
        """Remove a profile with its sessions and history, or what belongs to one domain from all versions of its parts.

        Who still has something of it open cannot save it back: the profile's epoch rises, and saves of what was
        forgotten under an earlier one raise `Conflict`. The event log stays.

        Returns:
            The profile's new epoch.
        """
        name = names.profile_name(profile)
        unlocked = None if domain is None else self._unlock()

        def forgetting(transaction: Transaction) -> int:
            if (found := find_profile(transaction, name)) is None:
                return 0
            events.record(transaction, "forget", profile=name, data={"whole": domain is None})
            if domain is None or unlocked is None:
                return forget.forget_profile(transaction, found)
            return forget.forget_domain(transaction, unlocked, Parts(transaction, unlocked, found), domain)

        return self._write(forgetting)

    # --- sessions

    def sessions(self, profile: str | None = None, site: str | None = None) -> list[Session]:
        """Sessions by profile and site, all or some. Their proxy and losses are left out when the key is not to be had."""
        with self._store().read() as transaction:
            rows = sessions.list_sessions(transaction, profile, site)
        seals = None
        if any(sessions.is_private(row) for row in rows):
            with contextlib.suppress(KeyMissing):  # the list is of use without what is sealed, and whoever opens a session meets the error
                seals = self._unlock().seals
        return [session for row in rows if (session := sessions.opened_leniently(row, seals)) is not None]

    def session(self, profile: str, site: str) -> Session | None:
        """The session of a profile at a site; None when there is none.

        Raises:
            SealBroken: its sealed facts (proxy, losses) do not open.
        """
        with self._store().read() as transaction:
            rows = transaction.rows("session", profile=names.profile_name(profile), site=names.site_name(site))
        return self._opened_session(rows[0]) if rows else None

    def session_by_id(self, session_id: str) -> Session:
        """The session with this id; raises as `session` does.

        Raises:
            SessionNotFound: there is none.
        """
        with self._store().read() as transaction:
            rows = transaction.rows("session_by_id", session_id=session_id)
        if not rows:
            raise SessionNotFound(f"no session {session_id!r} is kept in {self.where}; `handstamp ls` lists those that are")
        return self._opened_session(rows[0])

    def update_session(self, profile: str, site: str, change: Callable[[Session], Session]) -> Session:
        """Read a session, change it, write it, in one transaction; it is made with a fresh id when missing.

        Args:
            profile: of the session.
            site: of the session.
            change: gives the new session; must keep id, profile and site, and not call the vault. May be called again
                when somebody else wrote meanwhile.

        Raises:
            SealBroken: its sealed facts do not open; nothing is overwritten.
            ValueError: `change` gave another session.
        """
        names.profile_name(profile)
        names.site_name(site)
        seals = self._unlock().seals
        return self._write(lambda transaction: sessions.update(transaction, seals, listed_profile(transaction, profile), site, change))

    def forget_session(self, profile: str, site: str) -> bool:
        """Remove a session's facts, not its storage state; whether there was one."""
        name = names.profile_name(profile)

        def forgetting(transaction: Transaction) -> bool:
            found = find_profile(transaction, name)
            gone = found is not None and bool(transaction.run("delete_session", profile_id=found.profile_id, site=site))
            if gone:
                events.record(transaction, "forget-session", profile=name, site=site)
            return gone

        return self._write(forgetting)

    # --- leases

    def lease(self, profile: str, *, wait: float = 0.0, site: str | None = None, life: float = LEASE_LIFE, purpose: str = "open") -> Lease:
        """Take the right to write a profile, or to log it in at a site; release it by leaving its `with`.

        Args:
            profile: its name.
            wait: seconds to wait while somebody else has it.
            site: for the purpose `login`.
            life: seconds that a sign of life of ours counts for those who cannot look at this process.
            purpose: `open`, for the whole profile, or `login`, for a site.

        Raises:
            LeaseHeld: somebody else has it still; names who and since when.
        """
        return take.acquire(self._store(), _place(profile, purpose, site), wait=wait, life=life)

    def lease_info(self, profile: str, *, site: str | None = None, purpose: str = "open") -> LeaseInfo | None:
        """Who holds a lease; None when nobody does."""
        with self._store().read() as transaction:
            return take.info(transaction, _place(profile, purpose, site))

    def leases(self) -> list[LeaseInfo]:
        """All leases that somebody holds."""
        with self._store().read() as transaction:
            return take.held(transaction)

    def break_lease(self, profile: str, *, reason: str, site: str | None = None, purpose: str = "open") -> LeaseInfo | None:
        """Free a lease whoever holds it; the holder's later writes are refused. The reason goes to the event log.

        Returns:
            Whom it was taken from, None when nobody had it.
        """
        place = _place(profile, purpose, site)
        return self._write(lambda transaction: take.break_open(transaction, place, reason))

    # --- events and credentials

    def record_event(self, kind: str, *, profile: str | None = None, site: str | None = None, data: Mapping[str, JSON] | None = None) -> None:
        """Append to the event log. `data` is kept in clear: no secrets, no URLs with secrets."""
        self._write(lambda transaction: events.record(transaction, kind, profile=profile, site=site, data=data))

    def events(
        self, *, profile: str | None = None, site: str | None = None, kind: str | None = None, since: datetime | None = None, limit: int = 100
    ) -> list[Event]:
        """Up to `limit` events that fit all that is given, the newest first."""
        with self._store().read() as transaction:
            return events.find(transaction, profile=profile, site=site, kind=kind, since=maybe_milliseconds(since), limit=limit)

    def set_secret(self, site: str, account: str, name: str, value: str) -> None:
        """Keep a credential, in place of what was there; `name` is `password`, `totp` or the like."""
        names.site_name(site)
        names.account_name(account)
        unlocked = self._unlock()
        self._write(lambda transaction: credentials.put(transaction, unlocked, site, account, name=name, value=value))

    def secret(self, site: str, account: str, name: str) -> str | None:
        """A credential, None when it is not kept.

        Raises:
            SealBroken: it does not open.
        """
        unlocked = self._unlock()
        with self._store().read() as transaction:
            return credentials.get(transaction, unlocked, site, account, name)

    def forget_secret(self, site: str, account: str, name: str | None = None) -> int:
        """Remove a credential, or all of an account; how many there were."""
        unlocked = self._unlock()
        return self._write(lambda transaction: credentials.delete(transaction, unlocked, site, account, name))

    def accounts(self, site: str) -> list[str]:
        """Accounts of a site that have a credential."""
        unlocked = self._unlock()
        with self._store().read() as transaction:
            return credentials.accounts(transaction, unlocked, site)

    # --- the whole

    def check(self) -> list[Finding]:
        """Everything that is wrong with the vault: the database's own check, then every sealed record is opened."""
        found = list(check.check_store(self._store()))
        with self._store().read() as transaction:
            if not transaction.rows("vault") and not transaction.rows("any_sealed"):
                return found  # nothing was ever sealed: no key to look for, and none to make
        return found + check.check_records(self._store(), self._unlock())

    def _opened_session(self, row: tuple[object, ...]) -> Session:
        return sessions.opened(row, self._unlock().seals if sessions.is_private(row) else None)

    def _report(self, damages: list[Damage]) -> None:
        for damage in damages:
            data: dict[str, JSON] = {"kind": damage.kind, "generation": damage.generation, "used": damage.used}
            with contextlib.suppress(VaultError):  # the log has it; what was read is good
                self.record_event("part-damaged", profile=damage.profile, data=data)

    def _write(self, work: Callable[[Transaction], _T]) -> _T:
        for _ in range(_ATTEMPTS):
            try:
                with self._store().write() as transaction:
                    return work(transaction)
            except Raced:
                continue
        raise Conflict(f"others wrote to {self.where} {_ATTEMPTS} times while this change was made; nothing of it was saved, try again")

    def _home(self) -> Path:
        return homes.home() if self._home_given is None else self._home_given

    def _settings(self) -> Settings:
        if self._settings_read is None:
            self._settings_read = homes.settings(self._home())
        return self._settings_read

    def _store(self) -> Store:
        with self._lock:
            if self._store_opened is None:
                self._store_opened = _open_store(self._url or self._settings().vault, self._home())
            return self._store_opened

    def _unlock(self) -> Unlocked:
        from handstamp.vault.unlock import unlock  # noqa: PLC0415  (cryptography and zstandard: 50 ms that a list does without)

        with self._lock:
            if self._unlocked_once is None:
                self._unlocked_once = unlock(self._store(), self._home(), given=self._key_given)
            return self._unlocked_once


def export_key(vault: Vault) -> str:
    """The vault's master key as base64url: a secret that opens everything in it, on any machine, as `HANDSTAMP_KEY`."""
    return vault._unlock().key.text()  # noqa: SLF001  (one face, kept off the class so that nobody prints it by accident)


def key_record(vault: Vault) -> KeyRecord:
    """What the vault records of its key: id and source, no secret. Opens the vault with the key, which thereby is seen to be right."""
    return vault._unlock().record  # noqa: SLF001  (beside `export_key`)


def _open_store(url: str | None, home: Path) -> Store:
    """The adapter for a URL; raises `ConfigError` for one that no adapter serves."""
    from handstamp.vault.sqlite import SqliteStore  # noqa: PLC0415

    if url is None:
        return SqliteStore(home / "vault.db")
    scheme, _, rest = url.partition("://")
    path = rest.removeprefix("/")
    if scheme != "sqlite" or not rest.startswith("/") or not path or path.startswith(":"):
        shown = f"{scheme}://…" if "://" in url else repr(url)
        raise ConfigError(f"{shown} is not a vault URL that this handstamp serves; use sqlite:///PATH, with a fourth slash when PATH is absolute")
    return SqliteStore(Path.cwd() / Path(path).expanduser())


def _place(profile: str, purpose: str, site: str | None) -> Place:
    names.profile_name(profile)
    if purpose not in set(Purpose):
        raise ValueError(f"a lease is for 'open' or 'login', not for {purpose!r}")
    if (purpose == Purpose.LOGIN) != (site is not None):
        raise ValueError("a lease for 'login' names the site, one for 'open' does not")
    return Place(profile, Purpose(purpose), names.site_name(site) if site is not None else "")
