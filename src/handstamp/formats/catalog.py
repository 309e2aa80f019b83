"""All formats by name: which one a file has, and reading and writing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.errors import ConfigError, UnreadableState
from handstamp.formats import extensions, har, header, netscape, plain, playwright, selenium, tree
from handstamp.formats.attributes import ALL
from handstamp.formats.document import json_of, text_of
from handstamp.formats.intake import Imported, Intake
from handstamp.formats.outlet import Written
from handstamp.formats.tree import WrittenTree
from handstamp.state import select

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from handstamp.formats.document import Node
    from handstamp.state import Clock, StorageState

    Parse = Callable[[Node, Intake], None]
    Dump = Callable[..., str]

MAX_BYTES = 256 * 2**20
"""The largest file that is read."""

_PARSERS: Mapping[str, Parse] = {
    playwright.NAME: playwright.parse,
    extensions.COOKIE_EDITOR: extensions.parse,
    extensions.EDIT_THIS_COOKIE: extensions.parse,
    selenium.NAME: selenium.parse,
    har.NAME: har.parse,
    plain.NAME: plain.parse,
}
_DUMPERS: Mapping[str, Dump] = {
    playwright.NAME: playwright.dump,
    netscape.NAME: netscape.dump,
    extensions.COOKIE_EDITOR: extensions.dump_cookie_editor,
    extensions.EDIT_THIS_COOKIE: extensions.dump_edit_this_cookie,
    selenium.NAME: selenium.dump,
    plain.NAME: plain.dump,
}
_SAID: Mapping[str, frozenset[str]] = {
    extensions.COOKIE_EDITOR: extensions.HOLDS,
    extensions.EDIT_THIS_COOKIE: extensions.HOLDS,
    selenium.NAME: selenium.HOLDS,
    har.NAME: har.HOLDS,
    plain.NAME: ALL,
}
READABLE = (netscape.NAME, *_PARSERS)
"""Formats that `read` reads; a ``tree`` is several files, see `read_tree`."""
WRITABLE = (*_DUMPERS, header.NAME)
"""Formats that `write` writes; a ``tree`` is several files, see `write_tree`."""


def read(data: bytes, *, name: str = "", format: str | None = None, now: float, clock: Clock) -> Imported:  # noqa: A002  (the user's word)
    """The storage state in a file.

    Args:
        data: the whole file.
        name: what to call it in errors.
        format: one of `READABLE`; None finds out by looking at it.
        now: seconds since the Unix epoch; cookies that have ended are left out, with a note.
        clock: stamps the entries.

    Raises:
        UnreadableState: the file is broken or of no known format; names file, line or JSON path, and what was expected.
        ConfigError: there is no such format to read.
    """
    file = name or "the input"
    chosen = _known(format, READABLE, "read") if format else None
    if len(data) > MAX_BYTES:
        raise UnreadableState(f"{file}: {len(data)} bytes are more than the {MAX_BYTES} that are read; export a part of it")
    text = text_of(data, file)
    if not text.strip():
        raise UnreadableState(f"{file}: the file is empty")
    intake = Intake(now=now, clock=clock)
    if chosen == netscape.NAME or (chosen is None and not text.lstrip().startswith(("[", "{"))):
        if chosen is None and not netscape.matches(text):
            raise UnreadableState(f"{file}: of no known format; known are {', '.join(READABLE)}")
        netscape.parse(text, file, intake)
        return intake.imported(netscape.NAME, netscape.HOLDS)
    document = json_of(text, file)
    chosen = chosen or _detect(document)
    try:
        _PARSERS[chosen](document, intake)
    except RecursionError:
        raise UnreadableState(f"{file}: JSON nested too deep to be a storage state") from None
    return intake.imported(chosen, playwright.said(document) if chosen == playwright.NAME else _SAID[chosen])


def _known(name: str, names: Iterable[str], verb: str) -> str:
    chosen = name.lower().replace("-", "_")
    if chosen not in names:
        raise ConfigError(f"there is no format '{name}' to {verb}; there are {', '.join(names)}")
    return chosen


def _detect(document: Node) -> str:
    """The name of a JSON document's format, from the most telling to the least."""
    if har.matches(document):
        return har.NAME
    if plain.matches(document):
        return plain.NAME
    if extensions.matches(document):
        return extensions.EDIT_THIS_COOKIE if extensions.is_edit_this_cookie(document) else extensions.COOKIE_EDITOR
    if selenium.matches(document):
        return selenium.NAME
    if playwright.matches(document):
        return playwright.NAME
    raise UnreadableState(f"{document.file}: JSON of no known format; known are {', '.join(READABLE)}")


def write(state: StorageState, *, format: str, now: float, domains: Iterable[str] | None = None, url: str | None = None) -> Written:  # noqa: A002
    """A storage state in a format. It holds secrets in clear: give it to a private file only.

    Args:
        state: tombstones in it are not written.
        format: one of `WRITABLE`.
        now: seconds since the Unix epoch; cookies that have ended are left out, with a note (``json`` has them).
        domains: write what belongs to these only; None for all.
        url: of the request, for ``header`` and nothing else.

    Raises:
        ConfigError: there is no such format to write; `url` is missing, cannot be read, or is given to another format.
    """
    chosen = _known(format, WRITABLE, "write")
    chosen_state, notes = select(state, domains), list[str]()
    if chosen == header.NAME:
        text = header.dump(chosen_state, notes, now=now, url=url)
    elif url is not None:
        raise ConfigError(f"a URL goes with format {header.NAME} only; to write a part in format {chosen}, name its domains")
    else:
        text = _DUMPERS[chosen](chosen_state, notes, now=now)
    return Written(text.encode("utf-8", "surrogatepass"), chosen, tuple(notes))


def read_tree(files: Mapping[str, bytes], *, now: float, clock: Clock) -> Imported:
    """The storage state in the files of a tree.

    Args:
        files: by path relative to the tree's folder, ``cookies/example.com.json``.
        now: seconds since the Unix epoch.
        clock: stamps the entries.

    Raises:
        UnreadableState: a file is broken; names file, place, and what was expected.
    """
    intake = Intake(now=now, clock=clock)
    tree.parse(files, intake)
    return intake.imported(tree.NAME)


def write_tree(state: StorageState, *, domains: Iterable[str] | None = None) -> WrittenTree:
    """A storage state as the files of a tree. They hold secrets in clear: give them to a private folder only.

    Args:
        state: tombstones in it are not written.
        domains: write what belongs to these only; None for all.
    """
    return WrittenTree(tree.dump(select(state, domains)))
