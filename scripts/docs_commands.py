"""The options of each command, as its parser has them."""

from __future__ import annotations

import argparse
import inspect

from docs_tables import table
from handstamp.cli.menu import MENU, Command


def commands() -> list[str]:
    """A section for each command: what it does, how it is called, its options."""
    return [line for group in MENU.values() for command in group for line in _section(command)]


def _section(command: Command) -> list[str]:
    module = command.load()
    parser = argparse.ArgumentParser(prog=f"handstamp {command.name}", add_help=False)
    module.arguments(parser)
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    rows = [(f"`{_written(action)}`", action.help or "") for action in parser._actions]  # noqa: SLF001  (argparse offers no other way to them)
    about = (inspect.getdoc(module) or "").split("\n\n")[0].replace("\n", " ")
    return [f"### {command.name}", "", about, "", f"`{usage}`", "", *([*table(("", ""), rows), ""] if rows else [])]


def _written(action: argparse.Action) -> str:
    """How a person types it."""
    if not action.option_strings:
        return action.dest
    value = "" if action.nargs == 0 else f" {action.metavar or '|'.join(map(str, action.choices or ())) or action.dest.upper()}"
    return ", ".join(action.option_strings) + value
