"""Cookies for another program and back: which options give it a cookie file, and what it has changed in there. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from handstamp.state import Cookie, PartId, PartKind, StorageState, cookie_scope, observed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from handstamp.state import Clock, Device, Key

_PORT = re.compile(rb"^([^\t\n:]+):[0-9]+(?=\t)")
COOKIES = "{cookies}"
"""What stands for the cookie file's path in the words of a command."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that knows cookies.txt.

    Args:
        cookies: options that make it read and write the file.
        agent: option for the user agent.
        header: option for a further header.
        http_only: whether it reads lines that are marked as HttpOnly; to others they are comments.
    """

    cookies: tuple[str, ...]
    agent: str
    header: str
    http_only: bool = True


PROGRAMS = {
    "curl": Program(("--cookie", COOKIES, "--cookie-jar", COOKIES), "--user-agent", "--header"),
    "wget": Program(("--load-cookies", COOKIES, "--save-cookies", COOKIES, "--keep-session-cookies"), "--user-agent", "--header", http_only=False),
    "yt-dlp": Program(("--cookies", COOKIES), "--user-agent", "--add-headers"),
}


def command(words: Sequence[str], file: str, device: Device) -> list[str]:
    """The command to start: a program that is known gets the options for its cookie file, and appears as the device of the login.

    Args:
        words: as typed; ``{cookies}`` in them becomes the file, and then no option for it is added.
        file: path of the cookie file.
        device: of the session.
    """
    known = _known(words)
    options: list[str] = []
    if known is not None:
        options += () if any(COOKIES in word for word in words) else known.cookies
        if device.user_agent and not any(word in {known.agent, "-A", "-U"} for word in words):
            options += (known.agent, device.user_agent)
        if device.language:
            separator = ":" if known.header == "--add-headers" else ": "
            options += (known.header, f"Accept-Language{separator}{device.language}")
    return [words[0], *(word.replace(COOKIES, file) for word in (*options, *words[1:]))]


def file_for(words: Sequence[str], cookies: bytes) -> bytes:
    """The cookie file as the program of a command reads it.

    Args:
        words: as typed.
        cookies: a cookies.txt.
    """
    known = _known(words)
    return cookies if known is None or known.http_only else cookies.replace(b"\n#HttpOnly_", b"\n")


def file_from(data: bytes) -> bytes:
    """A cookie file as a program left it, in the form that all others have.

    wget writes a port behind the host of what answers set, and leaves the line that it replaces; so these come last, and count.
    """
    lines = data.splitlines(keepends=True)
    return b"".join([line for line in lines if not _PORT.match(line)] + [_PORT.sub(rb"\1", line) for line in lines if _PORT.match(line)])


def _known(words: Sequence[str]) -> Program | None:
    return PROGRAMS.get(PurePath(words[0]).name.removesuffix(".exe"))


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """What the program inherits: nothing of ours, which may be a key or a password."""
    return {name: value for name, value in env.items() if not name.upper().startswith("HANDSTAMP_")}


def changes(given: Iterable[Cookie], found: Iterable[Cookie], state: StorageState, clock: Clock) -> StorageState:
    """What the program has changed: new cookies and new values.

    A cookie that is missing in its file was maybe deleted, maybe only not written, so it stays. What a cookies.txt cannot say of a
    cookie (SameSite, priority, where it was set) stays as it was.

    Args:
        given: what was written for it.
        found: what it left, without what has ended.
        state: that `given` is of.
        clock: stamps the changes.
    """
    before = {_told(cookie): cookie for cookie in given}
    live: dict[PartId, dict[Key, Cookie]] = {}
    for cookie in found:
        old = before.get(_told(cookie))
        new = cookie if old is None else replace(old, value=cookie.value, expires=_end(old, cookie))
        if new != old:
            live.setdefault(PartId(PartKind.COOKIES, cookie_scope(new.domain)), {})[new.key] = new
    parts = (observed(state.parts.get(part_id), part_id, cookies, clock) for part_id, cookies in live.items())
    return StorageState.of(parts, epoch=state.epoch)


def _end(old: Cookie, new: Cookie) -> float | None:
    """The file has whole seconds only."""
    if old.expires is not None and new.expires is not None and int(old.expires) == int(new.expires):
        return old.expires
    return new.expires


def _told(cookie: Cookie) -> tuple[str, ...]:
    """What makes it the same cookie in a cookies.txt. Some programs write every cookie as one for subdomains, too."""
    return (cookie.domain, cookie.path, cookie.name)
