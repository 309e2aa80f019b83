"""Calls that keep a vault small: cleaning up, and what went into the archive."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from handstamp.vault import cleanup, names
from handstamp.vault.cleanup import AT_ONCE, PARTS_AT_ONCE, Cleanup
from handstamp.vault.face.access import Access

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.vault.cleanup import ArchivedSession
    from handstamp.vault.store import Transaction


class UpkeepCalls(Access):
    """Cleaning up."""

    def cleanup(
        self,
        *,
        history: timedelta | None = None,
        events: timedelta | None = None,
        inactive: timedelta | None = None,
        archive: timedelta | None = None,
        compact: bool = False,
    ) -> Cleanup:
        """Remove what is too old to be of use, in small transactions beside others. Costs what it removes, whatever else there is.

        What a session is made of now, and what is pinned, stays. By the database's clock; what is None is as the settings say.

        Args:
            history: remove versions that were replaced, and deletions that were made, longer ago than this.
            events: remove events that are older.
            inactive: archive sessions that were not used for longer (by the settings: none); their storage state stays.
            archive: remove sessions that have been in the archive for longer.
            compact: write the database anew, without its free room. That costs what there is, and others wait meanwhile;
                without it, free room goes back to the file system as far as that is cheap.
        """
        settings = self._settings()
        now = self._read(lambda transaction: transaction.now())

        def before(age: timedelta | None, days: int | None) -> int | None:
            age = timedelta(days=days) if age is None and days is not None else age
            return None if age is None else now - round(age.total_seconds() * 1000)

        archived = self._archive(before(inactive, settings.inactive_days))
        versions, deletions = self._clean_parts(before(history, settings.history_days))
        forgotten = self._delete("delete_old_archived", before(archive, settings.archive_days))
        gone = self._delete("delete_old_events", before(events, settings.events_days))
        return Cleanup(versions, deletions, archived, forgotten, gone, self._store().shrink(whole=compact))

    def archived_sessions(self, profile: str | None = None, *, limit: int = 1000) -> list[ArchivedSession]:
        """Sessions that were not used for long, of a profile or all, those that came last first."""
        query, values = ("archived_sessions", {}) if profile is None else ("archived_sessions_of_profile", {"profile": names.profile_name(profile)})
        return [cleanup.archived_session(row) for row in self._read(lambda transaction: transaction.rows(query, limit=limit, **values))]

    def _archive(self, before: int | None) -> int:
        return 0 if before is None else self._repeated(lambda transaction: cleanup.archive(transaction, before=before))

    def _delete(self, query: str, before: int | None) -> int:
        return 0 if before is None else self._repeated(lambda transaction: transaction.run(query, before=before, limit=AT_ONCE))

    def _repeated(self, work: Callable[[Transaction], int]) -> int:
        total = 0
        while True:
            done = self._write(work)
            total += done
            if done < AT_ONCE:
                return total

    def _clean_parts(self, before: int | None) -> tuple[int, int]:
        versions = deletions = 0
        if before is None or not self._read(lambda transaction: transaction.rows("due_parts", before=before, limit=1)):
            return 0, 0
        while True:
            looked, more_versions, more_deletions = self._write_sealed(lambda transaction, unlocked: cleanup.clean_parts(transaction, unlocked, before=before))
            versions, deletions = versions + more_versions, deletions + more_deletions
            if looked < PARTS_AT_ONCE:
                return versions, deletions
