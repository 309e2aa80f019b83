"""See that a session lives: it is checked, and if it has ended brought back by one login, with credentials that are known.

Nothing else is opened. With `--clear` the account's failed logins are forgotten first: that is how one goes on after
`login-budget-spent`, once the password (or whatever it was) is set right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.cli.call import add_profile
from handstamp.cli.facts import session_facts
from handstamp.errors import ConfigError
from handstamp.keeper import Given
from handstamp.keeper.charge import clear
from handstamp.sites import credentials_for
from handstamp.sites.credentials import variable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rich.console import RenderableType

    from handstamp.cli.call import Call
    from handstamp.sites import Site
    from handstamp.state import Session
    from handstamp.vault import Vault


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("site", help="name or URL of the site")
    add_profile(parser)
    parser.add_argument("--username", metavar="NAME", help="whose failed logins to forget; by default whose session it was, or the environment's")
    parser.add_argument("--clear", action="store_true", help="forget the account's failed logins, then look; no login is made if the session lives")


def run(call: Call, *, site: str, profile: str, username: str | None, clear: bool) -> None:
    """Refresh."""
    known = call.site(site)
    with call.vault() as vault:
        forgotten = _clear(vault, known, profile, username) if clear else 0
        before = vault.session(profile, known.name)
        with call.output.working(f"Looking at {known.name}, and logging in if need be …"):
            session = call.keep(vault, lambda keeper: keeper.ensure(known, profile, Given(username), by_itself=False))
    made = session is not None and session.logins > (before.logins if before else 0)
    facts = {"logged_in": made, "failures_forgotten": forgotten, "session": session_facts(session) if session else None}
    call.output.show(facts, lambda: _picture(known, profile, made=made, cleared=clear, forgotten=forgotten))


def _clear(vault: Vault, site: Site, profile: str, username: str | None) -> int:
    session: Session | None = vault.session(profile, site.name)
    known = credentials_for(site.name, username=username or (session.username if session else None), secrets=vault)
    account = username or (session.username if session else None) or (known.username if known else None)
    if account is None:
        raise ConfigError(f"whose failed logins at {site.name} are meant? Say --username, or set {variable(site.name, 'username')}")
    return clear(vault, site.name, account).failures


def _picture(site: Site, profile: str, *, made: bool, cleared: bool, forgotten: int) -> Iterator[RenderableType]:
    if cleared:
        yield f"Failed logins forgotten: {forgotten}."
    yield f"Logged in at {site.name} (profile '{profile}')." if made else f"The session at {site.name} (profile '{profile}') needed no login."
