"""Asking the person at the terminal: on stderr, so that stdout holds the result alone. Nobody is asked in a script."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from handstamp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence


def at_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str) -> bool:
    """Whether the person says yes; anything but ``y`` or ``yes`` is no.

    Raises:
        ConfigError: nobody can be asked.
    """
    if not at_terminal():
        raise ConfigError(f"{question} Nobody can be asked here: say `--yes` if that is what you want")
    return _line(f"{question} [y/N] ").strip().lower() in {"y", "yes"}


def text(what: str) -> str:
    """What the person types, shown; without spaces around."""
    return _line(f"{what}: ").strip()


def hidden(what: str) -> str:
    """What the person types, not shown."""
    from getpass import getpass  # noqa: PLC0415  (only where something is typed in secret)

    return getpass(f"{what}: ", stream=sys.stderr)


def lines_of_stdin(names: Sequence[str]) -> list[str]:
    """Secrets from stdin, a line each; a line's end is not part of it, all else is.

    Raises:
        ConfigError: there are fewer lines than names, or an empty one.
    """
    found = [sys.stdin.readline().rstrip("\r\n") for _ in names]
    for name, value in zip(names, found, strict=True):
        if not value:
            raise ConfigError(f"stdin has no {name}; give there, a line each: {', '.join(names)}")
    return found


async def line(prompt: str) -> str:
    """What the person types, while the event loop goes on; no thread is left waiting for them at the end of the process."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    loop, typed = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, typed.set)
    try:
        await typed.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline().strip()


def _line(prompt: str) -> str:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:  # Ctrl-D: as good as Ctrl-C
        raise KeyboardInterrupt
    return line
