"""Calls about the event log and credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.vault import credentials, events, names
from handstamp.vault.face.access import Access
from handstamp.vault.model import maybe_milliseconds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from handstamp.vault.model import JSON, Event


class RecordCalls(Access):
    """The event log, and credentials."""

    def record_event(self, kind: str, *, profile: str | None = None, site: str | None = None, data: Mapping[str, JSON] | None = None) -> None:
        """Append to the event log. `data` is kept in clear: no secrets, no URLs with secrets."""
        self._write(lambda transaction: events.record(transaction, kind, profile=profile, site=site, data=data))

    def events(
        self, *, profile: str | None = None, site: str | None = None, kind: str | None = None, since: datetime | None = None, limit: int = 100
    ) -> list[Event]:
        """Up to `limit` events that fit all that is given, the newest first."""
        earliest = maybe_milliseconds(since)
        return self._read(lambda transaction: events.find(transaction, profile=profile, site=site, kind=kind, since=earliest, limit=limit))

    def set_secret(self, site: str, account: str, name: str, value: str) -> None:
        """Keep a credential, in place of what was there; `name` is `password`, `totp` or the like."""
        names.site_name(site)
        names.account_name(account)
        self._write_sealed(lambda transaction, unlocked: credentials.put(transaction, unlocked, site, account, name=name, value=value))

    def secret(self, site: str, account: str, name: str) -> str | None:
        """A credential, None when it is not kept.

        Raises:
            SealBroken: it does not open.
        """
        return self._read_sealed(lambda transaction, unlocked: credentials.get(transaction, unlocked, site, account, name))

    def forget_secret(self, site: str, account: str, name: str | None = None) -> int:
        """Remove a credential, or all of an account; how many there were."""
        return self._write_sealed(lambda transaction, unlocked: credentials.delete(transaction, unlocked, site, account, name))

    def accounts(self, site: str) -> list[str]:
        """Accounts of a site that have a credential."""
        return self._read_sealed(lambda transaction, unlocked: credentials.accounts(transaction, unlocked, site))
