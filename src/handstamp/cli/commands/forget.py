"""Remove a session with its cookies, storage and history, or all of a profile. It cannot be undone, except by a new login.

The account at the site is not touched: other machines stay signed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.cli import ask
from handstamp.cli.call import DEFAULT_PROFILE, add_profile
from handstamp.cli.parser import Usage
from handstamp.cli.words import count
from handstamp.errors import SessionNotFound

if TYPE_CHECKING:
    import argparse

    from handstamp.cli.call import Call
    from handstamp.vault import Vault


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("site", nargs="?", help="name or URL of the site; without one, all of the profile")
    add_profile(parser, default=None)
    parser.add_argument("--credentials", action="store_true", help="also the saved credentials of this site")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(call: Call, *, site: str | None, profile: str | None, credentials: bool, yes: bool) -> None:
    """Forget."""
    if site is None and (profile is None or credentials):
        raise Usage("name a site, or a profile with --profile (credentials belong to a site)")
    chosen = profile or DEFAULT_PROFILE
    with call.vault() as vault:
        if site is None:
            _profile(call, vault, chosen, yes=yes)
        else:
            _site(call, vault, site, chosen, credentials=credentials, yes=yes)


def _profile(call: Call, vault: Vault, profile: str, *, yes: bool) -> None:
    if profile not in vault.profiles():
        raise SessionNotFound(f"there is no profile '{profile}'; `handstamp ls` lists what is kept")
    sessions = vault.sessions(profile=profile)
    forgotten = yes or ask.confirm(f"Forget profile '{profile}' with {count(len(sessions), 'session')} and all history?")
    if forgotten:
        vault.forget(profile)
    facts = {"forgotten": forgotten, "profile": profile, "site": None, "sessions": [session.site for session in sessions]}
    call.output.show(facts, lambda: [f"Forgot profile '{profile}'." if forgotten else "Nothing was changed."])


def _site(call: Call, vault: Vault, name: str, profile: str, *, credentials: bool, yes: bool) -> None:
    site = call.site(name)
    state = vault.load(profile, domains=site.domains)
    entries = sum(len(part.live()) for part in state.parts.values())
    accounts = vault.accounts(site.name) if credentials else []
    if not entries and vault.session(profile, site.name) is None and not accounts:
        raise SessionNotFound(f"nothing is saved for {site.name} in profile '{profile}'; `handstamp ls` lists what is")
    what = f"{count(entries, 'cookie or item')} of {', '.join(site.domains)}".replace("cookie or items", "cookies and items")
    saved = f" and the credentials of {', '.join(accounts)}" if accounts else ""
    forgotten = yes or ask.confirm(f"Forget {site.name} in profile '{profile}': {what}, with their history{saved}?")
    if forgotten:
        for domain in site.domains:
            vault.forget(profile, domain=domain)
        vault.forget_session(profile, site.name)
        for account in accounts:
            vault.forget_secret(site.name, account)
    facts = {"forgotten": forgotten, "profile": profile, "site": site.name, "entries": entries, "accounts": accounts}
    call.output.show(facts, lambda: [f"Forgot {site.name} in profile '{profile}'." if forgotten else "Nothing was changed."])
