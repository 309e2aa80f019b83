"""Who can sign in to the stand-in sites. These people do not exist, and these passwords are no secret.

| user name | password          | TOTP secret (base32)               |
|-----------|-------------------|------------------------------------|
| `demo`    | `harbour-light-7` | `MRSW23ZNNBQXEYTPOVZC23DJM5UHILJX` |
| `dana`    | `blue-crane-42`   | `MRQW4YJNMJWHKZJNMNZGC3TFFU2DEIJB` |
| `omar`    | `green-buoy-17`   | `N5WWC4RNM5ZGKZLOFVRHK33ZFUYTOIJB` |

Both sites take all of them. Tests add their own by the control endpoint; what is added is never shown or logged.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handstamp.demo.totp import decode_secret
from handstamp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

_USERNAME = re.compile(r"[A-Za-z0-9._@+-]{1,64}")


@dataclass(frozen=True, slots=True)
class Account:
    """One person who can sign in.

    Args:
        username: 1 to 64 letters, digits and ``._@+-``.
        password: not empty.
        name: for people; default the user name.
        company: for people.
        totp_secret: base32, or None for an account that is never asked for a code.

    Raises:
        ConfigError: what is given breaks these rules.
    """

    username: str
    password: str = field(repr=False)
    name: str = ""
    company: str = "Independent"
    totp_secret: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Check, and give the person a name."""
        if not _USERNAME.fullmatch(self.username):
            raise ConfigError("a user name has 1 to 64 letters, digits and any of . _ @ + -")
        if not self.password:
            raise ConfigError(f"account {self.username!r} needs a password")
        if self.totp_secret is not None:
            decode_secret(self.totp_secret)
        if not self.name:
            object.__setattr__(self, "name", self.username)


BUILT_IN: tuple[Account, ...] = (
    Account("demo", "harbour-light-7", "Dora Ellison", "Ellison Freight Co-op", "MRSW23ZNNBQXEYTPOVZC23DJM5UHILJX"),
    Account("dana", "blue-crane-42", "Dana Whitcombe", "Crane & Whitcombe Forwarding", "MRQW4YJNMJWHKZJNMNZGC3TFFU2DEIJB"),
    Account("omar", "green-buoy-17", "Omar Lindqvist", "Greenbuoy Haulage", "N5WWC4RNM5ZGKZLOFVRHK33ZFUYTOIJB"),
)


class Accounts:
    """The accounts of one run, by user name."""

    def __init__(self, accounts: Iterable[Account] = BUILT_IN) -> None:
        self._by_name = {account.username: account for account in accounts}

    def add(self, account: Account) -> None:
        """Add it, or replace the one with its user name."""
        self._by_name[account.username] = account

    def get(self, username: str) -> Account | None:
        """The account with exactly this user name."""
        return self._by_name.get(username)

    def names(self) -> list[str]:
        """All user names, sorted."""
        return sorted(self._by_name)

    def check(self, username: str, password: str) -> Account | None:
        """The account, if the password is right. Takes as long for an unknown user name as for a wrong password."""
        account = self._by_name.get(username)
        same = hmac.compare_digest(_digest(account.password if account else ""), _digest(password))
        return account if account and same else None


def _digest(text: str) -> bytes:
    """Of one length for every text, so that comparing two does not tell how long the right one is."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
