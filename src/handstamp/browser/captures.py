"""What was read of a place goes into the mirror: what is there now, and what was deleted since it was last seen. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handstamp.browser.idb import after_restore, changes, file_changes, part_of_database, part_of_files, seen
from handstamp.browser.idb.parts import RECORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from handstamp.browser.idb import Captured, CapturedFiles, Database, Restored
    from handstamp.browser.mirror import Mirror
    from handstamp.browser.places import Place
    from handstamp.state import Key, Loss, PartId


class Captures:
    """Takes captures of databases and files.

    Args:
        mirror: takes what is read.
        lose: called with what cannot be kept.
    """

    def __init__(self, mirror: Mirror, lose: Callable[[Loss], None]) -> None:
        self._mirror = mirror
        self._lose = lose

    def take(self, place: Place, captured: Captured, *, everything: bool) -> None:
        """Databases that were read.

        Args:
            place: where they are from.
            captured: the answer.
            everything: whether all databases were asked for.
        """
        place.versions = captured.versions
        for name, restored in captured.restored.items():
            if restored.outcome == "restored":
                self.restored(place, name, restored)
        lost = {name for name in captured.names if name not in captured.databases}
        for name, database in captured.databases.items():
            self._take_one(place, name, database)
        if everything:
            for name in [name for name in place.seen if name not in captured.names and name not in lost]:
                self._take_one(place, name, None)
                del place.seen[name]
        for loss in captured.losses:
            self._lose(loss)

    def restored(self, place: Place, name: str, how: Restored) -> None:
        """A database has been given back: what is deleted of it from here on is missed."""
        place.seen.setdefault(name, after_restore(self._mirror.values(part_of_database(place.scope, name)), how))

    def compare(self, place: Place, versions: Mapping[str, int]) -> None:
        """Databases that are new, or of another version, are to be read; one that is gone is gone."""
        for name, version in versions.items():
            if place.versions.get(name) != version:
                place.touch(name)
        for name in [name for name in place.seen if name not in versions]:
            self._take_one(place, name, None)
            del place.seen[name]
        place.versions = versions

    def take_files(self, place: Place, captured: CapturedFiles) -> None:
        """Files that were read."""
        part_id = part_of_files(place.scope)
        values, gone = file_changes(place.files, captured)
        self._change(part_id, values, gone)
        place.files = {key: value for key, value in {**place.files, **values}.items() if key not in gone}
        place.signs = captured.signs
        for loss in captured.losses:
            self._lose(loss)

    def _held_before(self, place: Place, name: str, database: Database | None) -> Mapping[Key, Any]:
        """What a database held that nobody has seen yet.

        It is what was saved, if a document was given that and left before it could tell, and some of it is still there. Else nothing is
        known, and what is missing was not necessarily deleted.
        """
        if not place.offered or database is None:
            return {}
        saved = self._mirror.values(part_of_database(place.scope, name))
        now, _ = changes({}, database)
        return saved if any(key[0] == RECORD and now.get(key) == value for key, value in saved.items()) else {}

    def _take_one(self, place: Place, name: str, database: Database | None) -> None:
        part_id = part_of_database(place.scope, name)
        before = place.seen[name] if name in place.seen else self._held_before(place, name, database)
        values, gone = changes(before, database)
        self._change(part_id, values, gone)
        place.seen[name] = seen(before, database)

    def _change(self, part_id: PartId, values: Mapping[Key, Any], gone: Iterable[Key]) -> None:
        for key, value in values.items():
            self._mirror.set(part_id, key, value)
        for key in gone:
            self._mirror.set(part_id, key, None)
