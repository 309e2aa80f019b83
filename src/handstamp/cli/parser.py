"""From what was typed to what is wanted: the options that every command has, and its own.

By argparse: it starts in a tenth of the time that the larger libraries take, and a command line is typed often.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from handstamp._version import __version__
from handstamp.cli.menu import MENU, Command, Module, find_command, near
from handstamp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = "handstamp keeps the logins of web sites: log in once, get back in everywhere."
FOOT = "`handstamp COMMAND --help` says what a command takes."


class Usage(ConfigError):
    """What was typed is no command, or not one that can be done."""

    code = "usage"
    exit_status = 2


@dataclass(frozen=True, slots=True)
class Shared:
    """The options that every command has.

    Args:
        as_json: print one JSON object, and nothing else, on stdout.
        home: the home directory; None for the usual one.
        vault: URL of the vault; None for the usual one.
        verbose: 0 warnings, 1 what happens, 2 everything.
    """

    as_json: bool = False
    home: str | None = None
    vault: str | None = None
    verbose: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody typed.

    Args:
        command: None to print `text` and be done.
        module: the command's.
        given: its own options.
        shared: those of every command.
        text: for people.
    """

    command: Command | None
    module: Module | None = None
    given: dict[str, Any] | None = None
    shared: Shared = Shared()
    text: str = ""


class Parser(argparse.ArgumentParser):
    """argparse's, whose errors are ours."""

    def error(self, message: str) -> NoReturn:
        """Refuse what was typed.

        Raises:
            Usage: always.
        """
        raise Usage(f"{message}; see `{self.prog} --help`")


def parse(typed: Sequence[str]) -> Wanted:
    """What `typed` (without the program's name) asks for.

    Raises:
        Usage: nothing that can be done.
        SystemExit: help was asked for, and has been printed.
    """
    parser = Parser(prog="handstamp", add_help=False, allow_abbrev=False)
    _add_shared(parser, hidden=True)
    parser.add_argument("--version", action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("command", nargs="?")
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    first = parser.parse_args(typed)
    if first.version:
        return Wanted(None, text=f"handstamp {__version__}")
    if first.help or first.command is None:
        return Wanted(None, text=menu_text())
    return _command(first)


def _command(first: argparse.Namespace) -> Wanted:
    command = find_command(first.command)
    if command is None:
        hint = f"did you mean {' or '.join(near(first.command))}?" if near(first.command) else "`handstamp --help` lists them"
        raise Usage(f"there is no command '{first.command}'; {hint}")
    module = command.load()
    described = argparse.RawDescriptionHelpFormatter
    parser = Parser(prog=f"handstamp {command.name}", description=module.__doc__, allow_abbrev=False, formatter_class=described)
    module.arguments(parser)
    _add_shared(parser.add_argument_group("everywhere"))
    if further := getattr(module, "further_arguments", None):  # what `run` takes depends on which operation was typed
        further(parser, first.rest, first.home)
    given = vars(parser.parse_intermixed_args(first.rest))
    before = vars(first)
    shared = {name: given.pop(name, before.get(name)) for name in ("as_json", "home", "vault", "verbose")}
    return Wanted(command, module, given, Shared(**shared))


def _add_shared(parser: argparse._ActionsContainer, *, hidden: bool = False) -> None:
    """The same options before the command's name and behind it; behind, what is not said leaves what was said before."""

    def about(text: str) -> str:
        return argparse.SUPPRESS if hidden else text

    def default(value: object) -> object:
        return value if hidden else argparse.SUPPRESS

    parser.add_argument("--json", action="store_true", dest="as_json", default=default(value=False), help=about("print one JSON object instead of words"))
    parser.add_argument("--home", metavar="DIR", default=default(None), help=about("where handstamp's files are (else HANDSTAMP_HOME)"))
    parser.add_argument("--vault", metavar="URL", default=default(None), help=about("which vault (else HANDSTAMP_VAULT, else the one in the home directory)"))
    parser.add_argument("-v", "--verbose", action="count", default=default(0), help=about("say on stderr what happens; twice for more"))


def menu_text() -> str:
    """The menu of all commands."""
    width = max(len(command.name) for commands in MENU.values() for command in commands)
    lines = ["usage: handstamp [--json] [--home DIR] [--vault URL] [-v] COMMAND …", "", HEAD]
    for title, commands in MENU.items():
        lines += ["", f"{title}:", *(f"  {command.name:<{width}}  {command.about}" for command in commands)]
    return "\n".join([*lines, "", FOOT])
