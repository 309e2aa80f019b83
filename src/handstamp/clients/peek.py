"""A look at the beginning of an answer that comes as a stream; whoever reads it afterwards finds all of it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

MOST = 1 << 20
"""Octets that are looked at, as they come over the wire."""


def peek(library: Any, response: Any) -> str:
    """The text at the beginning of an answer.

    Args:
        library: httpx or httpx2.
        response: unread.
    """
    stream, chunks, size = response.stream, [], 0
    rest = iter(stream)
    for chunk in rest:
        chunks.append(chunk)
        size += len(chunk)
        if size >= MOST:
            break
    response.stream = _kinds(library)[0](chunks, rest, stream)
    return _text(library, response, b"".join(chunks))


async def apeek(library: Any, response: Any) -> str:
    """The same of an answer to an async client."""
    stream, chunks, size = response.stream, [], 0
    rest = aiter(stream)
    async for chunk in rest:
        chunks.append(chunk)
        size += len(chunk)
        if size >= MOST:
            break
    response.stream = _kinds(library)[1](chunks, rest, stream)
    return _text(library, response, b"".join(chunks))


def _text(library: Any, response: Any, data: bytes) -> str:
    named = {name: response.headers[name] for name in ("content-type", "content-encoding") if name in response.headers}
    try:
        return str(library.Response(200, headers=named, content=data).text)
    except library.DecodingError:  # cut off in the middle of what was packed, or not what it says
        return ""


@cache
def _kinds(library: Any) -> tuple[Any, Any]:
    """Streams of this library that give again what was looked at. The library asks for its own classes."""

    class Again(library.SyncByteStream):  # type: ignore[misc]  # of whichever library
        def __init__(self, chunks: list[bytes], rest: Iterator[bytes], stream: Any) -> None:
            self._chunks, self._rest, self._stream = chunks, rest, stream

        def __iter__(self) -> Iterator[bytes]:
            yield from self._chunks
            yield from self._rest

        def close(self) -> None:
            self._stream.close()

    class AgainAsync(library.AsyncByteStream):  # type: ignore[misc]  # of whichever library
        def __init__(self, chunks: list[bytes], rest: AsyncIterator[bytes], stream: Any) -> None:
            self._chunks, self._rest, self._stream = chunks, rest, stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for chunk in self._chunks:
                yield chunk
            async for chunk in self._rest:
                yield chunk

        async def aclose(self) -> None:
            await self._stream.aclose()

    return Again, AgainAsync
