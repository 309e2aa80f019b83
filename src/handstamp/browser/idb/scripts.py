"""The JavaScript that reads and fills databases, as one expression, and the calls of it. Pure text.

All of it is for an isolated world of a document (CDP `Page.createIsolatedWorld`, or `worldName` of
`Page.addScriptToEvaluateOnNewDocument`; the same name is the same world): there the page sees nothing of it, and what the
page has changed of JavaScript's own objects does not reach it.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_RESTORING = ("bytes", "keys", "clone_decode", "restore_idb")  # a third of it, and all that a document's start needs
_SOURCES = ("clone_encode", "losses", "pieces", "store_read", "capture", "opfs", "face")
_NAME = "handstampStorage"
_RESTORING_NAME = "handstampRestoring"
NO_LIBRARY = "no library"
ELSEWHERE = "elsewhere"
OPEN_WITHIN = 5.0  # seconds
MOST_OF_RECORD = 64 << 20  # bytes of one value
MOST_OF_DATABASE = 256 << 20  # characters of all values' texts
MOST_OF_FILES = 256 << 20  # bytes of all files of an origin
STAGE = 4 << 20  # characters of one message: other messages of the connection wait behind it (30 MB a second), and over 100 MB it is refused


@cache
def library() -> str:
    """An expression that gives the library's object, made once in a world, on top of what restored there at the document's start."""
    core = f"const {{ {', '.join(_names())} }} = globalThis.{_RESTORING_NAME} ?? {_restoring()};"
    return f"(globalThis.{_NAME} ??= (() => {{\n'use strict';\n{core}\n{_text(_SOURCES)}\n}})())"


@cache
def restoring() -> str:
    """An expression that gives the part of the library that restores databases, made once in a world: `restoreDatabases`."""
    return f"(globalThis.{_RESTORING_NAME} ??= {_restoring()})"


def _restoring() -> str:
    return f"(() => {{\n'use strict';\n{_text(_RESTORING)}\nreturn {{ {', '.join(_names())} }};\n}})()"


def _names() -> list[str]:
    """What is declared at the top of the part that restores."""
    return re.findall(r"^(?:const|class|(?:async )?function) (\w+)", _source(_RESTORING), re.MULTILINE)


def _text(sources: tuple[str, ...]) -> str:
    """The code of these, without indents and the lines that are comments: it is read by every document that gets it."""
    lines = (line.strip() for line in _source(sources).splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


@cache
def _source(sources: tuple[str, ...]) -> str:
    folder = files("handstamp.browser.idb")
    return "\n".join(folder.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in sources)


def restore_call(dumps: Iterable[Mapping[str, Any]]) -> str:
    """Fill databases; for the start of a document, in the data that only it gets.

    Args:
        dumps: as `parts.dump` gives them.
    """
    return _call("restore", list(dumps))


def restore_absent_call(dumps: Iterable[Mapping[str, Any]]) -> str:
    """The same for a document that is at work already. The expression gives a promise of a report (see `captured.Restored`)."""
    return _call("restoreAbsent", list(dumps))


def capture_call(
    databases: Iterable[tuple[str, Sequence[str] | None]] | None = None,
    *,
    known: str | None = None,
    counters: str = "changed",
    open_within: float = OPEN_WITHIN,
    most_of_record: int = MOST_OF_RECORD,
    most_of_database: int = MOST_OF_DATABASE,
) -> str:
    """Read databases; the expression gives a promise of the first piece of the answer.

    Args:
        databases: name and stores of each to read, None for all stores; None reads every database. An empty list tells names only.
        known: `Captured.token` of the last answer from the same document, if all of it arrived: differences are told, not all.
        counters: when the next number of a key generator is looked at, which makes one content event of its store though nothing
            changes: ``changed`` (when the store's records did), ``all``, ``none``.
        open_within: seconds that one database has to open; one that the page is upgrading takes as long as that takes.
        most_of_record: bytes; a bigger value is reported as lost.
        most_of_database: characters; a bigger database is reported as lost.
    """
    wanted = None if databases is None else [[name, None if stores is None else list(stores)] for name, stores in databases]
    limits = {"openWithin": open_within, "mostOfRecord": most_of_record, "mostOfDatabase": most_of_database}
    return _call("capture", {"databases": wanted, "known": known, "counters": counters, **limits})


def capture_files_call(known: Mapping[str, Sequence[float]] | None = None, *, most_of_file: int = MOST_OF_RECORD, most_of_all: int = MOST_OF_FILES) -> str:
    """Read the origin private file system; the expression gives a promise of the first piece of the answer.

    Args:
        known: `CapturedFiles.signs` of the last answer: content of files that are the same is not read again.
        most_of_file: bytes; a bigger file is reported as lost.
        most_of_all: bytes of all files.
    """
    signs = [[path, *sign] for path, sign in (known or {}).items()]
    return _call("captureFiles", {"known": signs, "mostOfFile": most_of_file, "mostOfAll": most_of_all})


def more_call() -> str:
    """The next piece of an answer that says that there is more."""
    return f"{library()}.more()"


def restore_files_call(entries: Iterable[Mapping[str, Any]]) -> str:
    """Write files where there are none; the expression gives a promise of a report."""
    return _call("restoreFiles", list(entries))


def report_call() -> str:
    """How the restoring in this document went, so far."""
    return f"{library()}.report()"


def ended_call() -> str:
    """The expression gives a promise of that report when all restoring in this document has ended."""
    return f"{library()}.ended()"


def staged_calls(method: str, data: Any) -> Iterator[str]:
    """Calls that bring `data` over in messages of bounded length, the last of which runs ``method`` with it.

    Args:
        method: ``restore``, ``restoreAbsent`` or ``restoreFiles``.
        data: its argument.
    """
    text = json.dumps(data, separators=(",", ":"))
    for at in range(0, len(text), STAGE):
        yield f"{library()}.stage({json.dumps(text[at : at + STAGE])})"
    yield f"{library()}.{method}({library()}.take())"


def only_at(origin: str, expression: str) -> str:
    """An expression that is evaluated in a document of this origin only; elsewhere it gives `ELSEWHERE`.

    A page can give itself another `origin`, but no other `location` (HTML: LegacyUnforgeable); one without an address has that of its maker.
    """
    here = json.dumps(origin)
    return f"location.origin === {here} || (location.protocol === 'about:' && self.origin === {here}) ? ({expression}) : {json.dumps(ELSEWHERE)}"


def if_library(call: str) -> str | None:
    """A call without the library's text, which is most of it: gives `NO_LIBRARY` in a world that has not got it yet.

    None for an expression that needs no library.
    """
    if not call.startswith(library()):
        return None
    return f"globalThis.{_NAME} === undefined ? {json.dumps(NO_LIBRARY)} : globalThis.{_NAME}{call.removeprefix(library())}"


def _call(method: str, argument: Any) -> str:
    return f"{library()}.{method}({json.dumps(argument, separators=(',', ':'))})"
