"""A part as bytes and back: what the vault seals.

Compact JSON, ASCII only, so that lone surrogates of JavaScript strings survive. One object per part::

    {"format": 1, "id": ["local", "https://app.example", ""], "writers": ["w1"],
     "entries": [[["token"], "value", 1700000000000, 0, 0], …]}

An entry is key, value (null for a tombstone), and its stamp as milliseconds, counter, index into `writers`. A cookie's
value is a list of what its key does not say already. Two surrogates that make a pair come back as the one character
that they mean, which to JavaScript is the same string.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from handstamp.errors import UnreadableState, UnsupportedVersion
from handstamp.state.clock import Stamp
from handstamp.state.cookies import Cookie, PartitionKey
from handstamp.state.parts import Entry, Key, Part, PartId, PartKind

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = 1
_encoder = json.JSONEncoder(separators=(",", ":"))


def encode(part: Part) -> bytes:
    """The bytes of `part`; the same part always gives the same bytes.

    Raises:
        UnreadableState: a value is not what the part's kind holds; the message names the part, never the value.
    """
    writers: dict[str, int] = {}
    pack = _pack_cookie if part.id.kind is PartKind.COOKIES else _pack_value
    try:
        entries = [
            (key, pack(key, entry.value), entry.stamp.time, entry.stamp.counter, writers.setdefault(entry.stamp.writer, len(writers)))
            for key, entry in part.entries.items()
        ]
        text = _encoder.encode({"format": FORMAT, "id": [part.id.kind, part.id.scope, part.id.name], "writers": list(writers), "entries": entries})
    except (TypeError, ValueError, AttributeError) as error:
        raise UnreadableState(f"{part.id} holds a value that cannot be kept: {type(error).__name__}") from None
    return text.encode("ascii")


def decode(data: bytes) -> Part:
    """The part that `encode` made `data` of.

    Raises:
        UnsupportedVersion: a newer handstamp wrote it.
        UnreadableState: it is no encoded part. The message holds nothing of `data`.
    """
    document = _document(data)
    try:
        kind, scope, name = document["id"]
        return Part(PartId(PartKind(kind), scope, name), dict(_entries(PartKind(kind), document["writers"], document["entries"])))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise UnreadableState(f"a record is no storage state: its fields are not those of format {FORMAT} ({type(error).__name__})") from None


def _document(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    written = document.get("format") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(written, int) or isinstance(written, bool) or written < 1:
        raise UnreadableState("a record is no storage state: it is not the JSON that handstamp writes")
    if written > FORMAT:
        raise UnsupportedVersion(f"a record has format {written}, this handstamp reads up to {FORMAT}; upgrade handstamp")
    return document


def _entries(kind: PartKind, writers: list[str], entries: list[Any]) -> Iterable[tuple[Key, Entry]]:
    unpack = _unpack_cookie if kind is PartKind.COOKIES else _pack_value
    for parts, value, time, counter, writer in entries:
        key = tuple(parts)
        yield key, Entry(unpack(key, value), Stamp(time, counter, writers[writer]))


def _pack_value(_key: Key, value: Any) -> Any:
    return value


def _pack_cookie(key: Key, cookie: Cookie | None) -> list[Any] | None:
    if cookie is None:
        return None
    if cookie.key != key:
        raise ValueError("a cookie under another's key")  # `encode` words it for people
    return [
        cookie.value,
        cookie.expires,
        cookie.secure,
        cookie.http_only,
        cookie.same_site,
        cookie.priority,
        cookie.source_scheme,
        cookie.source_port,
    ]


def _unpack_cookie(key: Key, packed: list[Any] | None) -> Cookie | None:
    if packed is None:
        return None
    domain, path, name, top_level_site, ancestor = key
    value, expires, secure, http_only, same_site, priority, source_scheme, source_port = packed
    return Cookie(
        name=name,
        value=value,
        domain=domain.removeprefix("."),
        host_only=not domain.startswith("."),
        path=path,
        expires=expires,
        secure=secure,
        http_only=http_only,
        same_site=same_site,
        partition_key=PartitionKey(top_level_site, ancestor == "1") if ancestor else None,
        priority=priority,
        source_scheme=source_scheme,
        source_port=source_port,
    )
