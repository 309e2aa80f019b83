"""Where user name, password and TOTP secret come from, and that they are never mixed between accounts."""

from __future__ import annotations

from typing import Any

import pytest

from handstamp.errors import ConfigError
from handstamp.sites import Credentials, credentials_for
from handstamp.sites.credentials import variable

ENV = {"HANDSTAMP_PORTSIDE_USERNAME": "ada", "HANDSTAMP_PORTSIDE_PASSWORD": "env-pw", "HANDSTAMP_PORTSIDE_TOTP": "ENVTOTP"}


class Saved:
    """Saved secrets as the vault offers them, in a dict."""

    def __init__(self, **accounts: dict[str, str]) -> None:
        self._accounts = accounts

    def accounts(self, site: str) -> list[str]:
        return list(self._accounts) if site == "portside" else []

    def secret(self, site: str, account: str, name: str) -> str | None:
        return self._accounts.get(account, {}).get(name) if site == "portside" else None


def found(**given: Any) -> Credentials | None:
    return credentials_for("portside", **{"env": {}, **given})


def test_arguments_come_before_the_environment_and_that_before_what_is_saved() -> None:
    saved = Saved(ada={"password": "saved-pw", "totp": "SAVED"})
    assert found(username="ada", password="arg", env=ENV, secrets=saved) == Credentials("ada", "arg", "ENVTOTP")
    assert found(env=ENV, secrets=saved) == Credentials("ada", "env-pw", "ENVTOTP")
    assert found(secrets=saved) == Credentials("ada", "saved-pw", "SAVED")


def test_a_password_is_never_taken_from_another_account() -> None:
    assert found(username="bob", env=ENV) is None
    saved = Saved(bob={"password": "bobs"})
    assert found(username="bob", env=ENV, secrets=saved) == Credentials("bob", "bobs", None)


def test_the_environments_password_serves_whoever_is_named_when_it_names_nobody() -> None:
    assert found(username="bob", env={"HANDSTAMP_PORTSIDE_PASSWORD": "pw"}) == Credentials("bob", "pw")


def test_nothing_known_is_none() -> None:
    assert found() is None
    assert found(username="ada") is None
    assert found(secrets=Saved()) is None


def test_several_saved_accounts_must_be_told_apart_by_the_caller() -> None:
    saved = Saved(ada={"password": "a"}, bob={"password": "b"})
    with pytest.raises(ConfigError, match=r"several accounts are saved for 'portside' \(ada, bob\); say which one with username="):
        found(secrets=saved)
    assert found(username="bob", secrets=saved) == Credentials("bob", "b")


def test_the_variables_name_is_made_from_the_sites() -> None:
    assert variable("my-site.example", "totp") == "HANDSTAMP_MY_SITE_EXAMPLE_TOTP"


def test_secrets_do_not_print() -> None:
    shown = repr(Credentials("ada", "hunter2", "TOTPSECRET"))
    assert "ada" in shown
    assert "hunter2" not in shown
    assert "TOTPSECRET" not in shown
