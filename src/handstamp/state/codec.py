"""A part as bytes and back: what the vault seals.

Compact JSON, ASCII only, so that lone surrogates of JavaScript strings survive. One object per part::

    {"format": 1, "id": ["local", "https://app.example", ""], "writers": ["w1"],
     "entries": [[["token"], "value", 1700000000000, 0, 0], …]}

An entry is key, value (null for a tombstone), and its stamp as milliseconds, counter, index into `writers`. A cookie's
value is a list of what its key does not say already. Two surrogates that make a pair come back as the one character
that they mean, which to JavaScript is the same string.

Format 2 is that object on one line, then the bytes of all values that are bytes, one after the other. In the object a
number stands for such a value, its length; any other value is in a list of its own.

A part is written in the lowest format that can hold it. So an earlier handstamp goes on reading the kinds that it knows,
and says `UnsupportedVersion` to a kind that came later, whatever follows the first line of a record.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from handstamp.errors import UnreadableState, UnsupportedVersion
from handstamp.state.clock import Stamp
from handstamp.state.cookies import Cookie, PartitionKey
from handstamp.state.parts import Entry, Key, Part, PartId, PartKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Pack = Callable[[Key, Any], Any]

FORMAT = 2
_KINDS_OF_FORMAT_2 = frozenset({PartKind.FILES})
_encoder = json.JSONEncoder(separators=(",", ":"))


def encode(part: Part) -> bytes:
    """The bytes of `part`; the same part always gives the same bytes.

    Raises:
        UnreadableState: a value is not what the part's kind holds; the message names the part, never the value.
    """
    writers: dict[str, int] = {}
    raw: list[bytes] = []
    pack = _packing(part.id.kind, raw)
    try:
        entries = [
            (key, pack(key, entry.value), entry.stamp.time, entry.stamp.counter, writers.setdefault(entry.stamp.writer, len(writers)))
            for key, entry in part.entries.items()
        ]
        document = {"format": _format_of(part.id.kind), "id": [part.id.kind, part.id.scope, part.id.name], "writers": list(writers), "entries": entries}
        text = _encoder.encode(document).encode("ascii")
    except (TypeError, ValueError, AttributeError) as error:
        raise UnreadableState(f"{part.id} holds a value that cannot be kept: {type(error).__name__}") from None
    return b"".join((text, b"\n", *raw)) if part.id.kind in _KINDS_OF_FORMAT_2 else text


def decode(data: bytes) -> Part:
    """The part that `encode` made `data` of.

    Raises:
        UnsupportedVersion: a newer handstamp wrote it.
        UnreadableState: it is no encoded part. The message holds nothing of `data`.
    """
    line, _, raw = data.partition(b"\n")
    document = _document(line)
    try:
        kind, scope, name = document["id"]
        unpack = _unpacking(PartKind(kind), raw)
        return Part(PartId(PartKind(kind), scope, name), dict(_entries(unpack, document["writers"], document["entries"])))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise UnreadableState(f"a record is no storage state: its fields are not those of format {document['format']} ({type(error).__name__})") from None


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


def _format_of(kind: PartKind) -> int:
    return 2 if kind in _KINDS_OF_FORMAT_2 else 1


def _entries(unpack: Pack, writers: list[str], entries: list[Any]) -> Iterable[tuple[Key, Entry]]:
    for parts, value, time, counter, writer in entries:
        key = tuple(parts)
        yield key, Entry(unpack(key, value), Stamp(time, counter, writers[writer]))


def _packing(kind: PartKind, raw: list[bytes]) -> Pack:
    """How values of a kind are written; bytes go to `raw`."""

    def pack(_key: Key, value: Any) -> Any:
        if not isinstance(value, bytes):
            return value if value is None else [value]
        raw.append(value)
        return len(value)

    if kind is PartKind.COOKIES:
        return _pack_cookie
    return pack if kind in _KINDS_OF_FORMAT_2 else _as_it_is


def _unpacking(kind: PartKind, raw: bytes) -> Pack:
    """How they are read; bytes come from `raw`, in order."""
    at = 0

    def unpack(_key: Key, value: Any) -> Any:
        nonlocal at
        if not isinstance(value, int):
            return value if value is None else value[0]
        start, at = at, at + value
        if not start <= at <= len(raw):
            raise ValueError("fewer bytes than its entries say")  # `decode` words it for people
        return raw[start:at]

    if kind in _KINDS_OF_FORMAT_2:
        return unpack
    if raw:
        raise ValueError("more than one line")
    return _unpack_cookie if kind is PartKind.COOKIES else _as_it_is


def _as_it_is(_key: Key, value: Any) -> Any:
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
