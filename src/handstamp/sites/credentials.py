"""Which user name, password and TOTP secret to log in with, and where they come from."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from handstamp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a site asks for at login.

    Args:
        username: of the account.
        password: of it.
        totp: its TOTP secret (base32 or ``otpauth://`` URI), not a code; None when there is none.
    """

    username: str
    password: str = field(repr=False)
    totp: str | None = field(default=None, repr=False)


class SavedSecrets(Protocol):
    """Where secrets were saved, as the vault offers it."""

    def accounts(self, site: str) -> list[str]:
        """User names at this site that something is saved for."""

    def secret(self, site: str, account: str, name: str) -> str | None:
        """One secret (``password``, ``totp``), None when it is not saved."""


def credentials_for(
    site: str,
    *,
    username: str | None = None,
    password: str | None = None,
    totp: str | None = None,
    env: Mapping[str, str] | None = None,
    secrets: SavedSecrets | None = None,
) -> Credentials | None:
    """Credentials from the arguments, then ``HANDSTAMP_<SITE>_USERNAME|PASSWORD|TOTP``, then what is saved.

    A password or TOTP secret is never taken from one account for another: the environment's count only for the
    environment's user name (for any, where it names none), saved ones only for the account that they were saved for.

    Args:
        site: its name.
        username: None for the environment's, else the only saved one.
        password: None to look for it.
        totp: None to look for it.
        env: by default the process's.
        secrets: None when nothing is saved.

    Returns:
        None when no user name or no password is known.

    Raises:
        ConfigError: several accounts are saved and nothing says which one is meant.
    """
    found = _from_environment(site, os.environ if env is None else env)
    account = username or found["username"] or _only_account(site, secrets)
    if not account:
        return None
    if found["username"] not in {"", account}:
        found = dict.fromkeys(found, "")

    def known(name: str, given: str | None) -> str | None:
        return given or found[name] or (secrets.secret(site, account, name) if secrets else None)

    chosen = known("password", password)
    return Credentials(account, chosen, known("totp", totp)) if chosen else None


def variable(site: str, name: str) -> str:
    """Name of the environment variable for one setting of a site: ``HANDSTAMP_MY_SITE_PASSWORD`` for ``my-site``."""
    return f"HANDSTAMP_{re.sub('[^A-Za-z0-9]', '_', site).upper()}_{name.upper()}"


def _from_environment(site: str, env: Mapping[str, str]) -> dict[str, str]:
    return {name: env.get(variable(site, name), "") for name in ("username", "password", "totp")}


def _only_account(site: str, secrets: SavedSecrets | None) -> str:
    accounts = secrets.accounts(site) if secrets else []
    if len(accounts) > 1:
        message = f"several accounts are saved for '{site}' ({', '.join(sorted(accounts))}); say which one with username="
        raise ConfigError(message)
    return accounts[0] if accounts else ""
