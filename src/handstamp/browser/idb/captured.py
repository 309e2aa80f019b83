"""What the library told, put together: databases, files, and how restoring went. Values only; the texts stay as they are."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from handstamp.errors import BrowserError
from handstamp.state import Loss

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

QUOTA = "QuotaExceededError"


@dataclass(frozen=True, slots=True)
class Read:
    """One store, as it was read.

    Args:
        records: text of the value by text of the key, in the order of the keys; without those that are lost.
        whole: whether these are all; else they are the changed ones, and `gone` names those that went.
        gone: keys of records that went since the last answer.
        kept: keys of records whose value could not be read this time: what is known of them stays.
        counter: the number that the key generator gives next; None when there is none or it was not looked at.
    """

    records: Mapping[str, str] = field(repr=False)
    whole: bool = True
    gone: frozenset[str] = field(default=frozenset(), repr=False)
    kept: frozenset[str] = field(default=frozenset(), repr=False)
    counter: int | None = None


@dataclass(frozen=True, slots=True)
class Database:
    """One database, as it was read.

    Args:
        version: as `open` takes it.
        stores: of each: ``name``, ``keyPath`` (None, a text, or a list), ``autoIncrement``, ``indexes`` (each ``name``,
            ``keyPath``, ``unique``, ``multiEntry``).
        reads: by store; a store that was not asked for is not in it.
    """

    version: int
    stores: tuple[Mapping[str, Any], ...]
    reads: Mapping[str, Read]


@dataclass(frozen=True, slots=True)
class Restored:
    """How the restoring of one database in a document went.

    Args:
        outcome: ``restored``, ``there`` (it existed and was left alone), ``failed`` (nothing was made), ``pending``.
        why: name of the error, of a failure.
        failed: store, text of the key (empty: the store itself or its counter) and name of the error of what is missing in it.
    """

    outcome: str
    why: str
    failed: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Captured:
    """A whole answer.

    Args:
        databases: by name, those that were read.
        versions: of all databases that are there, by name. One that is in it and not in `databases` was not asked for, or is among the losses.
        losses: what could not be read; `Loss.where` begins with the scope that was given to `captured`.
        token: names this answer for the next call in the same document.
        restored: by database, what was restored in this document.
    """

    databases: Mapping[str, Database]
    versions: Mapping[str, int]
    losses: tuple[Loss, ...]
    token: str
    restored: Mapping[str, Restored]

    @property
    def names(self) -> frozenset[str]:
        """Of all databases that are there."""
        return frozenset(self.versions)


@dataclass(frozen=True, slots=True)
class CapturedFiles:
    """The origin private file system, as it was read.

    Args:
        files: base64 by path; None says that the file is as it was when `signs` was made.
        folders: paths of all directories.
        kept: paths of files that could not be read this time: what is known of them stays.
        losses: what could not be read.
        signs: for the next call: size and date of files that need not be read again while both stay.
    """

    files: Mapping[str, str | None] = field(repr=False)
    folders: frozenset[str]
    kept: frozenset[str]
    losses: tuple[Loss, ...]
    signs: Mapping[str, tuple[float, float]]


def facts(piece: str) -> tuple[list[dict[str, Any]], bool]:
    """The facts in one piece of an answer, and whether there are more."""
    told = json.loads(piece)
    return told["facts"], told["more"]


def captured(told: Iterable[dict[str, Any]], scope: str) -> Captured:
    """The facts of a whole answer to `scripts.capture_call`.

    Args:
        told: all facts in order.
        scope: where they are from (`PartId.scope`), for the losses.

    Raises:
        BrowserError: the answer has no end: another call in the same document cut it off.
    """
    databases: dict[str, Database] = {}
    for fact in told:
        if "version" in fact:
            databases[fact["database"]] = Database(int(fact["version"]), tuple(fact["stores"]), {})
        elif "store" in fact:
            reads = dict(databases[fact["database"]].reads)
            reads[fact["store"]] = _read(reads.get(fact["store"]), fact)
            databases[fact["database"]] = Database(databases[fact["database"]].version, databases[fact["database"]].stores, reads)
        elif "versions" in fact:
            losses = tuple(_loss(loss, scope) for loss in fact["losses"])
            return Captured(databases, {name: int(version) for name, version in fact["versions"]}, losses, fact["token"], restored(fact["restored"]))
    raise _cut_off()


def _read(before: Read | None, fact: Mapping[str, Any]) -> Read:
    records = {**(before.records if before else {}), **dict(fact["records"])}
    if "whole" not in fact:  # the first of several pieces of one store
        return Read(records)
    counter = fact.get("counter")
    return Read(records, fact["whole"], frozenset(fact["gone"]), frozenset(fact["kept"]), None if counter is None else int(counter))


def captured_files(told: Iterable[dict[str, Any]], scope: str) -> CapturedFiles:
    """The facts of a whole answer to `scripts.capture_files_call`; arguments and errors as for `captured`."""
    files: dict[str, str | None] = {}
    folders: set[str] = set()
    kept: set[str] = set()
    signs: dict[str, tuple[float, float]] = {}
    for fact in told:
        if "listing" in fact:
            return CapturedFiles(files, frozenset(folders), frozenset(kept), tuple(_loss(loss, scope) for loss in fact["losses"]), signs)
        path = fact["path"]
        if fact["type"] == "directory":
            folders.add(path)
        elif fact.get("kept"):
            kept.add(path)
        elif "data" in fact or fact.get("same"):
            files[path] = fact.get("data")
        if sign := fact.get("sign"):
            signs[path] = (sign[0], sign[1])
    raise _cut_off()


def _cut_off() -> BrowserError:
    return BrowserError("a page's storage could not be read to the end: another reading of the same page cut it off; read one after the other")


def restored(report: Mapping[str, Any]) -> dict[str, Restored]:
    """A report of the library, by database."""
    return {name: Restored(told["outcome"], told["why"], tuple((store, key, why) for store, key, why in told["failed"])) for name, told in report.items()}


def not_restored(scope: str, database: str, how: Restored) -> tuple[Loss, ...]:
    """What of a database is not back, for the session's losses; nothing when all is."""
    where = f"{scope}, database {database!r}"
    if how.outcome == "failed":
        return (Loss("quota" if how.why == QUOTA else "database", where, f"it was not given back ({how.why})"),)
    counts = Counter((store, why) for store, _key, why in how.failed)
    return tuple(Loss("record", f"{where}, store {store!r}", f"{count} of its records were not given back ({why})") for (store, why), count in counts.items())


def _loss(told: Mapping[str, Any], scope: str) -> Loss:
    places = [scope]
    if "database" in told:
        places.append(f"database {told['database']!r}")
    if "store" in told:
        places.append(f"store {told['store']!r}")
    if told["path"]:
        places.append(f"at {told['path']!r}")
    others = f" (and {told['count'] - 1} more like it)" if told["count"] > 1 else ""
    return Loss(told["what"], ", ".join(places), told["why"] + others)
