"""What is typed becomes what is wanted."""

from __future__ import annotations

import argparse
import inspect

import pytest

from handstamp.cli.menu import MENU, Command
from handstamp.cli.parser import Shared, Usage, menu_text, parse

COMMANDS = [command for commands in MENU.values() for command in commands]


def test_without_a_command_the_menu_is_shown_and_names_all() -> None:
    assert parse([]).text == parse(["--help"]).text == menu_text()
    assert [command.name for command in COMMANDS if f"  {command.name} " not in menu_text()] == []


def test_the_version_needs_no_command() -> None:
    assert parse(["--version"]).text.startswith("handstamp ")


@pytest.mark.parametrize("typed", [["--json", "-v", "ls"], ["ls", "--json", "-v"], ["--json", "ls", "-v"]])
def test_shared_options_stand_before_or_behind_the_command(typed: list[str]) -> None:
    assert parse(typed).shared == Shared(as_json=True, verbose=1)


def test_what_is_said_behind_the_command_goes_before() -> None:
    assert parse(["--home", "a", "ls", "--home", "b"]).shared.home == "b"


def test_a_command_gets_its_own_options_only() -> None:
    wanted = parse(["--json", "login", "portside", "--username", "dana", "--home", "x"])
    assert wanted.given == {
        "site": "portside", "profile": "default", "username": "dana", "password_stdin": False, "totp_stdin": False,
        "save_credentials": False, "no_login": False, "again": False, "window": False, "by_hand": False,
    }  # fmt: skip


def test_arguments_may_stand_between_options() -> None:
    given = parse(["open", "portside", "--headless", "/account", "--screenshot", "x.png"]).given
    assert given is not None
    assert (given["site"], given["url"], given["headless"]) == ("portside", "/account", True)


@pytest.mark.parametrize("typed", [["nonsense"], ["ls", "--nonsense"], ["login"], ["--nonsense"], ["cookies", "x", "--format", "xml"], ["open", "a", "b", "c"]])
def test_what_cannot_be_done_is_an_error_of_usage(typed: list[str]) -> None:
    with pytest.raises(Usage) as caught:
        parse(typed)
    assert (caught.value.code, caught.value.exit_status) == ("usage", 2)


def test_a_command_that_was_nearly_typed_is_proposed() -> None:
    with pytest.raises(Usage, match="did you mean login"):
        parse(["logn"])


def test_no_option_takes_a_password() -> None:
    """Command lines can be read by every user of the machine."""
    for command in COMMANDS:
        for option in _parser(command)._actions:
            if any(word in option.dest for word in ("password", "totp", "passphrase")):
                assert option.nargs == 0, option


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_each_command_says_what_it_is_for_and_takes_what_it_declares(command: Command) -> None:
    module = command.load()
    assert inspect.getdoc(module)
    declared = {action.dest for action in _parser(command)._actions} - {"help"}
    parameters = inspect.signature(module.run).parameters.values()
    taken = {parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
    takes_settings = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)  # many, made from their declaration
    assert taken <= declared if takes_settings else taken == declared


def _parser(command: Command) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    command.load().arguments(parser)
    return parser
