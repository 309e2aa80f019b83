"""The text of an answer, never more of it than asked for: not from an endless stream, nor from a small one that unpacks to gigabytes."""

from __future__ import annotations

import codecs
import time
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import httpx2

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def read_text(response: httpx2.Response, *, limit: int, deadline: float) -> str:
    """The first `limit` octets of the body as text; empty when it is packed in a way that was not asked for.

    Args:
        response: unread; the caller closes it.
        limit: octets after unpacking.
        deadline: on the monotonic clock.

    Raises:
        TimeoutError: it did not come in time.
    """
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    chunks = _until(response.iter_raw(), deadline)
    if packing in {"gzip", "x-gzip", "deflate"}:
        data = _joined(_unpacked(chunks, limit), limit)
    else:
        data = _joined(chunks, limit) if packing in {"identity", ""} else b""
    return decoded(data, response.headers.get("content-type", ""))


def decoded(data: bytes, content_type: str) -> str:
    """Text of `data` in the charset that the Content-Type names, else UTF-8; what cannot be read is replaced."""
    charset = "utf-8"
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip(" \t\"'")
    try:
        codecs.lookup(charset)
        return data.decode(charset, "replace")
    except (LookupError, UnicodeError):
        return data.decode("utf-8", "replace")


def _until(chunks: Iterable[bytes], deadline: float) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        # A server that sends a byte now and then never trips a timeout for one read.
        if time.monotonic() > deadline:
            raise TimeoutError


def _joined(chunks: Iterable[bytes], limit: int) -> bytes:
    data = bytearray()
    for chunk in chunks:
        data += chunk[: limit - len(data)]
        if len(data) >= limit:
            break
    return bytes(data)


def _unpacked(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """What the chunks unpack to, at most `limit` octets at a time; ends without a word where they are broken."""
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
    for chunk in chunks:
        try:
            yield unpacker.decompress(chunk, limit)
        except zlib.error:
            return
