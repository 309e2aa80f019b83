"""Databases and files as parts of a storage state, and back: what is saved, merged and restored record by record.

A part ``idb/<scope>/<database>`` holds

    ("schema",)              {"version": 3, "stores": [{"name", "keyPath", "autoIncrement", "indexes"}, …]}
    ("record", store, key)   text of the value, as `clone_encode.js` writes it; the key is text, too (`keys.js`)
    ("counter", store)       the number that the store's key generator gives next

and a part ``opfs/<scope>`` holds ``(path,)``: ``{"type": "file", "data": base64}`` or ``{"type": "directory"}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handstamp.state import PartId, PartKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handstamp.browser.idb.captured import CapturedFiles, Database, Restored
    from handstamp.state import Key

SCHEMA: Key = ("schema",)
RECORD = "record"
COUNTER = "counter"
_FOLDER = {"type": "directory"}


def part_of_database(scope: str, database: str) -> PartId:
    """Which part holds a database."""
    return PartId(PartKind.IDB, scope, database)


def part_of_files(scope: str) -> PartId:
    """Which part holds the files of an origin."""
    return PartId(PartKind.OPFS, scope)


def changes(previous: Mapping[Key, Any], database: Database | None) -> tuple[dict[Key, Any], set[Key]]:
    """What a reading of a database shows, for `handstamp.state.observed`.

    Args:
        previous: live values that were seen *in this browser*: an earlier reading, or `after_restore`. Only what was seen there
            can be seen to have gone; what merely is in the vault and never came into this browser is no deletion.
        database: as read; None when the names of all databases were listed and it is not among them.

    Returns:
        Values that are there (of a store that was read as differences: the changed ones), and keys that have gone.
    """
    if database is None:
        return {}, set(previous)
    values: dict[Key, Any] = {SCHEMA: {"version": database.version, "stores": list(database.stores)}}
    for store, read in database.reads.items():
        values.update({(RECORD, store, key): text for key, text in read.records.items()})
        if read.counter is not None:
            values[COUNTER, store] = read.counter
    numbered = {store["name"]: store["autoIncrement"] for store in database.stores}
    return values, {key for key in previous if key not in values and _gone(key, database, numbered)}


def _gone(key: Key, database: Database, numbered: Mapping[str, bool]) -> bool:
    if key == SCHEMA:
        return False
    kind, store = key[0], key[1]
    if store not in numbered:
        return True
    if kind == COUNTER:
        return not numbered[store]
    read = database.reads.get(store)
    if read is None:
        return False
    return key[2] not in read.kept if read.whole else key[2] in read.gone


def seen(previous: Mapping[Key, Any], database: Database | None) -> dict[Key, Any]:
    """Live values after a reading: the `previous` of the next one."""
    values, gone = changes(previous, database)
    return {key: value for key, value in {**previous, **values}.items() if key not in gone}


def dump(database: str, values: Mapping[Key, Any]) -> dict[str, Any] | None:
    """A part's live values as `restore_idb.js` takes them; None when they do not say what the database is like.

    Records of stores that the schema does not name are left out: another writer has removed the store.
    """
    schema = values.get(SCHEMA)
    if schema is None:
        return None
    stores = {store["name"]: {**store, "counter": values.get((COUNTER, store["name"])), "records": []} for store in schema["stores"]}
    for key, text in values.items():
        if key[0] == RECORD and key[1] in stores:
            stores[key[1]]["records"].append((key[2], text))
    return {"name": database, "version": schema["version"], "stores": list(stores.values())}


def after_restore(values: Mapping[Key, Any], restored: Restored) -> dict[Key, Any]:
    """What a restored database holds of the values that it was made of: the `previous` of the first reading after it."""
    if restored.outcome != "restored":
        return {}
    missing = {(store, key) for store, key, _why in restored.failed}
    return {key: value for key, value in values.items() if key[0] != RECORD or (key[1], key[2]) not in missing}


def file_changes(previous: Mapping[Key, Any], captured: CapturedFiles) -> tuple[dict[Key, Any], set[Key]]:
    """The same for the files of an origin. A file that could not be read this time is neither there nor gone."""
    values: dict[Key, Any] = {(path,): dict(_FOLDER) for path in captured.folders}
    values.update({(path,): {"type": "file", "data": data} for path, data in captured.files.items() if data is not None})
    unread = {path for path, data in captured.files.items() if data is None} | captured.kept
    return values, {key for key in previous if key not in values and key[0] not in unread}


def file_entries(values: Mapping[Key, Any]) -> list[dict[str, Any]]:
    """A part's live values as `opfs.js` takes them, folders before what is in them."""
    return [{"path": path, **value} for (path,), value in sorted(values.items())]
