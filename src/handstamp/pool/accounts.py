"""Whose session it is: a profile for each pair of credentials, named by a keyed hash of them.

Who has the same credentials gets the same session; who has others gets another profile, where a login has to succeed first.
So nobody is ever given a session on the strength of a user name, and what lies in the vault tells nothing of a password.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from handstamp.keeper import CAPTCHA_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.state import Session
    from handstamp.vault import Vault

_OTHER = re.compile(r"[^A-Za-z0-9._+-]")
_LONGEST_NAME = 40
_PASSWORD = "password"  # noqa: S105  (the name of a secret)
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


def keep_credentials(vault: Vault, session: Session, password: str, captcha_api_key: str | None, *, proven: bool) -> None:
    """Keep what brings a session back when it has ended.

    Args:
        vault: where.
        session: of the account.
        password: of it.
        captcha_api_key: its own key for the service that reads captchas.
        proven: a login has shown that the password is right; one that none has shown never takes the place of another.
    """
    kept = {_PASSWORD: password} | ({CAPTCHA_KEY: captcha_api_key} if captcha_api_key else {})
    for name, value in kept.items():
        there = vault.secret(session.site, session.username or "", name)
        if there is None or (there != value and (proven or name != _PASSWORD)):
            vault.set_secret(session.site, session.username or "", name, value)


def supersede(vault: Vault, session: Session) -> list[Session]:
    """Forget the sessions that other credentials of the same account have made; these."""
    gone = superseded(vault.sessions(site=session.site), site=session.site, username=session.username or "", profile=session.profile)
    for old in gone:
        vault.end_served(old.session_id)
        vault.forget(old.profile)
        vault.record_event("superseded", profile=old.profile, site=old.site, data={"by": session.profile})
    return gone


def forget_account(vault: Vault, session: Session, *, domains: Iterable[str]) -> None:
    """Remove a session, its state and the credentials that were kept for it; other sites' sessions of its profile stay.

    Killed half-way, it can be done again: the session goes last.
    """
    if session.username:
        vault.forget_secret(session.site, session.username)
    if len(vault.sessions(profile=session.profile)) == 1:
        vault.forget(session.profile)
    else:
        for domain in domains:
            vault.forget(session.profile, domain=domain)
        vault.forget_session(session.profile, session.site)


def _front(site: str, username: str) -> str:
    return f"{site}.{_OTHER.sub('_', username)[:_LONGEST_NAME]}"
