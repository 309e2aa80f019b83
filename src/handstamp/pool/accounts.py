"""Whose session it is: a profile for each pair of credentials, named by a keyed hash of them.

Who has the same credentials gets the same session; who has others gets another profile, where a login has to succeed first.
So nobody is ever given a session on the strength of a user name, and what lies in the vault tells nothing of a password.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.state import Session

_OTHER = re.compile(r"[^A-Za-z0-9._+-]")
_LONGEST_NAME = 40
_MARK_BYTES = 8
_MADE = re.compile(rf".*-[0-9a-f]{{{2 * _MARK_BYTES}}}")


def profile_for(site: str, username: str, mark: bytes) -> str:
    """The profile of an account with these credentials.

    Args:
        site: its name.
        username: of the account; what a profile may not be called by is left out of the name.
        mark: of user name and password at this site (`Vault.password_mark`).
    """
    return f"{_front(site, username)}-{mark[:_MARK_BYTES].hex()}"


def superseded(sessions: Iterable[Session], *, site: str, username: str, profile: str) -> list[Session]:
    """The sessions of this account that were made with other credentials than those that have just worked."""
    front = _front(site, username)
    return [
        session
        for session in sessions
        if session.site == site
        and session.username == username
        and session.profile != profile
        and _MADE.fullmatch(session.profile)
        and session.profile.startswith(f"{front}-")
    ]


def _front(site: str, username: str) -> str:
    return f"{site}.{_OTHER.sub('_', username)[:_LONGEST_NAME]}"
