"""Which commands there are. A command's module is imported when it is run, and no sooner: `handstamp --help` starts at once."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    import argparse

    from handstamp.cli.call import Call


class Module(Protocol):
    """What a command's module has; its docstring is the text of the command's help."""

    def arguments(self, parser: argparse.ArgumentParser, /) -> None:
        """Say what the command takes."""

    def run(self, call: Call, /, **given: Any) -> int | None:
        """Do it, with what `arguments` named; the exit status, None for 0."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Args:
        name: as it is typed.
        about: what it does, for the menu.
        module: in `handstamp.cli.commands`; empty when it is called like the command.
    """

    name: str
    about: str
    module: str = ""

    def load(self) -> Module:
        """Its module."""
        return cast("Module", import_module(f"handstamp.cli.commands.{self.module or self.name}"))


MENU: dict[str, tuple[Command, ...]] = {
    "Get in": (
        Command("demo", "see it work: log in once, come back from a fresh process and a fresh browser"),
        Command("login", "log in at a site, once; by recipe, or by hand in a window"),
        Command("learn", "write a site's recipe by watching one login that you make"),
        Command("sites", "the sites that are known by name"),
    ),
    "Sessions": (
        Command("ls", "the sessions that are kept"),
        Command("show", "one session: what it is made of, names and no values"),
        Command("check", "is a session still alive, and how that is known"),
        Command("refresh", "see that a session lives, and log in again if it has ended"),
        Command("open", "a browser window (or a screenshot) in a session"),
        Command("run", "one of a site's operations, in a session"),
        Command("exec", "curl, wget, yt-dlp or another program in a session"),
        Command("forget", "remove a session, or all of a profile"),
    ),
    "Keeping": (
        Command("keep", "keep sessions alive, until stopped"),
        Command("stats", "how long sessions of a site live"),
        Command("challenges", "what sites ask during logins that wait"),
        Command("answer", "answer one of them"),
    ),
    "Serve": (
        Command("serve", "sessions and operations for programs, over HTTP"),
        Command("mcp", "sessions for agents, over the Model Context Protocol"),
    ),
    "Files": (
        Command("export", "a session as a file for other tools"),
        Command("import", "a session from another tool's file", "import_"),
        Command("cookies", "a site's cookies for curl, yt-dlp and the like"),
    ),
    "Vault": (
        Command("history", "earlier versions that are kept"),
        Command("diff", "what changed between two times: names and no values"),
        Command("rollback", "bring a profile back to an earlier time"),
        Command("lock", "who holds a profile, and how to free it"),
        Command("key", "the vault's key: where it comes from, a copy of it, a new one"),
        Command("backup", "everything in one sealed file, while others go on"),
        Command("restore", "bring a backup back, after all of it was verified"),
        Command("cleanup", "remove what is too old to be of use"),
        Command("doctor", "is everything in order, and what to do if not"),
    ),
}


def find_command(name: str) -> Command | None:
    """The command of this name."""
    return next((command for commands in MENU.values() for command in commands if command.name == name), None)


def near(name: str) -> list[str]:
    """Names of commands that somebody who typed `name` may have meant."""
    return difflib.get_close_matches(name, [command.name for commands in MENU.values() for command in commands], n=3)
