"""Knobs and accounts of the stand-in sites: what they take, and what they say when they do not."""

from __future__ import annotations

from dataclasses import fields

import pytest

from handstamp.demo import BUILT_IN, Account, InterpalsKnobs, OpenSession, PortsideKnobs
from handstamp.demo.__main__ import parser
from handstamp.demo.accounts import Accounts
from handstamp.demo.extra import MODULES, require_extra
from handstamp.demo.knobs import turned
from handstamp.demo.portside.admission import Entry
from handstamp.demo.server import Listening
from handstamp.errors import ConfigError


def test_turning_a_knob_leaves_the_others() -> None:
    before = PortsideKnobs(captcha=True)
    assert turned(before, {"totp": True, "session_seconds": 5}) == PortsideKnobs(captcha=True, totp=True, session_seconds=5.0)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"captchas": True}, "no knob 'captchas'"),
        ({"captcha": 1}, "'captcha' takes a value of type bool, not int"),
        ({"lock_after": True}, "'lock_after' takes a value of type int, not bool"),
        ({"lock_after": 2.5}, "type int"),
        ({"session_seconds": "5"}, "type float"),
        ({"canary": None}, "type str"),
        ({"error_share": 1.5}, "'error_share' takes 0 to 1, not 1.5"),
        ({"error_status": 200}, "'error_status' takes 400 to 599"),
        ({"session_seconds": -1}, "'session_seconds' takes 0 to"),
        ({"session_seconds": float("nan")}, "'session_seconds'"),
        ({"session_seconds": float("inf")}, "'session_seconds'"),
        ({"canary": "a;b"}, "'canary'"),
        ({"canary": "x" * 65}, "'canary'"),
    ],
)
def test_a_wrong_knob_is_named(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        turned(PortsideKnobs(), changes)


def test_a_knob_of_the_other_site_is_unknown() -> None:
    with pytest.raises(ConfigError, match="InterpalsKnobs has no knob 'captcha'"):
        turned(InterpalsKnobs(), {"captcha": True})


def test_every_knob_has_a_flag_that_turns_it() -> None:
    for site, kind in (("portside", PortsideKnobs), ("interpals", InterpalsKnobs)):
        for item in fields(kind):
            flag = f"--{site}-{item.name.replace('_', '-')}"
            argv = [flag] if isinstance(item.default, bool) else [flag, str(item.default)]
            value = vars(parser().parse_args(argv))[f"knob_{site}_{item.name}"]
            assert value == (True if isinstance(item.default, bool) else item.default)
            assert type(value) is type(item.default)


def test_flags_that_are_not_given_turn_nothing() -> None:
    assert [name for name in vars(parser().parse_args([])) if name.startswith("knob_")] == []


@pytest.mark.parametrize("account", BUILT_IN, ids=lambda account: account.username)
def test_a_built_in_account_opens_with_its_password_only(account: Account) -> None:
    accounts = Accounts()
    assert accounts.check(account.username, account.password) is account
    assert accounts.check(account.username, account.password + " ") is None
    assert accounts.check(account.username.upper(), account.password) is None


@pytest.mark.parametrize("password", ["", "\ud800", "x" * 10_000])
def test_no_password_opens_an_account_that_is_not_there(password: str) -> None:
    assert Accounts().check("nobody", password) is None


@pytest.mark.parametrize("username", ["", "a b", "a\n", "x" * 65, "<b>"])
def test_a_user_name_that_could_not_be_shown_is_refused(username: str) -> None:
    with pytest.raises(ConfigError, match="user name"):
        Account(username, "secret")


def test_an_account_without_a_password_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs a password"):
        Account("eve", "")


def test_no_value_type_shows_a_secret() -> None:
    secret = "canary-password"
    shown = [
        Account("eve", secret, totp_secret="CANARYAA"),
        OpenSession(secret, secret, secret),
        Listening(portside=1, interpals=2, control=3, token=secret, solver_key=secret),
        Entry("eve", secret),
    ]
    assert "canary" not in repr(shown).lower()


def test_a_missing_package_of_the_extra_is_named_with_the_way_out() -> None:
    with pytest.raises(ConfigError, match=r"need pillow, uvicorn: .*handstamp\[demo\]"):
        require_extra(find=lambda module: None if module in {"PIL", "uvicorn"} else object())


def test_the_extra_is_complete_when_all_its_modules_are_found() -> None:
    asked: list[str] = []

    def find(module: str) -> object:
        asked.append(module)
        return module

    require_extra(find=find)
    assert asked == list(MODULES)
