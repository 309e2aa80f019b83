"""``netscape``: cookies.txt, as curl, wget and yt-dlp read and write it.

A line is seven fields with tabs between them: domain, whether subdomains count, path, Secure, end, name, value. ``#HttpOnly_``
before the domain says HttpOnly (curl, yt-dlp); other lines that begin with ``#`` are comments. An end of 0, or none (Python),
is that of a session cookie. A line whose value is empty may have lost its last tab.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NoReturn

from handstamp.errors import UnreadableState
from handstamp.formats.attributes import BASIC
from handstamp.formats.intake import label
from handstamp.formats.notes import several
from handstamp.formats.outlet import leave_storage, living, sayable
from handstamp.state import Cookie

if TYPE_CHECKING:
    from handstamp.formats.intake import Intake
    from handstamp.state import StorageState

NAME = "netscape"
HOLDS = BASIC
HEADER = "# Netscape HTTP Cookie File\n# Written by handstamp. It holds secrets: keep it private.\n\n"

_HTTP_ONLY = "#HttpOnly_"
_FLAGS = {"TRUE": True, "FALSE": False}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_BREAKS_LINES = re.compile("[\t\n\r\0\ud800-\udfff]")
FIELDS = 7


def matches(text: str) -> bool:
    """Whether the text looks like a cookies.txt: its first line that says something has the tabs, or it begins as one."""
    lines = [line for line in text.split("\n") if line.strip()]
    first = next((line for line in lines if _is_cookie(line)), "")
    return first.count("\t") >= FIELDS - 2 or (not first and any("cookie file" in line.lower() for line in lines[:3]))


def parse(text: str, file: str, intake: Intake) -> None:
    """Reads a cookies.txt.

    Raises:
        UnreadableState: a line is broken; the message names file, line and field.
    """
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.rstrip("\r")
        if _is_cookie(stripped):
            _Line(stripped, f"{file}, line {number}").read(intake)


def _is_cookie(line: str) -> bool:
    return bool(line.strip()) and (not line.startswith("#") or line.startswith(_HTTP_ONLY))


class _Line:
    """One line with a cookie."""

    def __init__(self, line: str, place: str) -> None:
        self._place = place
        self._http_only = line.startswith(_HTTP_ONLY)
        self._fields = line.removeprefix(_HTTP_ONLY).split("\t")
        if len(self._fields) == FIELDS - 1:
            self._fields.append("")
        if len(self._fields) != FIELDS:
            found = len(self._fields)
            hint = "; a value cannot hold a tab" if found > FIELDS else "; were the tabs turned into spaces?"
            raise UnreadableState(f"{place}: expected {FIELDS} fields with tabs between them, found {found}{hint}")

    def read(self, intake: Intake) -> None:
        domain, below, path, secure, end, name, value = self._fields
        cookie = Cookie(
            name,
            value,
            domain,
            host_only=not self._flag("subdomains", below),
            path=path or "/",
            expires=intake.end(self._number("end", end)),
            secure=self._flag("secure", secure),
            http_only=self._http_only,
        )
        intake.add_cookie(cookie, self._fail)

    def _flag(self, field: str, text: str) -> bool:
        if text.upper() not in _FLAGS:
            self._fail(field, "TRUE or FALSE")
        return _FLAGS[text.upper()]

    def _number(self, field: str, text: str) -> float | None:
        if not text:
            return None
        if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
            self._fail(field, "seconds since 1970, or 0 for a session cookie")
        return float(text)

    def _fail(self, field: str, expected: str) -> NoReturn:
        raise UnreadableState(f"{self._place}, field {field}: expected {expected}")


def dump(state: StorageState, notes: list[str], *, now: float) -> str:
    """The cookies of `state` as a cookies.txt. Ends are whole seconds, rounded down."""
    leave_storage(state, name=NAME, notes=notes)
    cookies = sayable(living(state.cookies(), now=now, notes=notes), holds=HOLDS, name=NAME, notes=notes)
    broken = [cookie for cookie in cookies if _BREAKS_LINES.search(cookie.name + cookie.value + cookie.path)]
    if broken:
        notes.append(f"cookies that would break the lines of {NAME} were left out: {several([label(cookie.key) for cookie in broken])}")
    return HEADER + "".join(_as_line(cookie) for cookie in cookies if cookie not in broken)


def _as_line(cookie: Cookie) -> str:
    fields = (
        (_HTTP_ONLY if cookie.http_only else "") + ("" if cookie.host_only else ".") + cookie.domain,
        "FALSE" if cookie.host_only else "TRUE",
        cookie.path,
        "TRUE" if cookie.secure else "FALSE",
        "0" if cookie.expires is None else str(int(cookie.expires)),
        cookie.name,
        cookie.value,
    )
    return "\t".join(fields) + "\n"
