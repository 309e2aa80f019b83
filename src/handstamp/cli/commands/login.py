"""Log in at a site and keep the session. If the session that is kept still lives, nothing is done: that is a login saved.

By the site's recipe, with user name and password from a prompt, stdin, the environment (HANDSTAMP_<SITE>_USERNAME,
_PASSWORD, _TOTP) or the vault; what else the site asks for (a one-time code, the characters in a picture) is asked on the
terminal. A site without a recipe, or `--by-hand`, opens a window in which you log in yourself. A login that the site
refuses is not tried again.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from handstamp.cli import ask
from handstamp.cli.call import add_profile
from handstamp.cli.facts import session_facts
from handstamp.cli.parser import Usage
from handstamp.cli.person import person_at_terminal
from handstamp.errors import ConfigError, LoginRequired
from handstamp.keeper import Given, log_in_by_hand
from handstamp.keeper.by_hand import needs_display
from handstamp.keeper.solvers import PersonInWindow
from handstamp.sites import credentials_for
from handstamp.sites.credentials import variable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rich.console import RenderableType

    from handstamp.cli.call import Call
    from handstamp.sites import ChallengeSolver, Site
    from handstamp.state import Session
    from handstamp.vault import Vault


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("site", help="name of a known site, or a URL")
    add_profile(parser)
    parser.add_argument("--username", metavar="NAME", help="who logs in; by default whose session it was, or the environment's, or asked")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from stdin, one line")
    parser.add_argument("--totp-stdin", action="store_true", help="read the secret of the one-time codes from stdin, the next line")
    parser.add_argument("--save-credentials", action="store_true", help="keep the credentials in the vault when the login worked, for later logins")
    parser.add_argument("--no-login", action="store_true", help="for --save-credentials: keep them without a login, unseen whether they work")
    parser.add_argument("--again", action="store_true", help="log in even if the session still lives")
    parser.add_argument("--window", action="store_true", help="show the login while the recipe makes it, and pass there yourself what the site asks")
    parser.add_argument("--by-hand", action="store_true", help="log in yourself, in a window")


def run(
    call: Call,
    *,
    site: str,
    profile: str,
    username: str | None,
    password_stdin: bool,
    totp_stdin: bool,
    save_credentials: bool,
    no_login: bool,
    again: bool,
    window: bool,
    by_hand: bool,
) -> None:
    """Log in."""
    known = call.site(site)
    if no_login:
        if not save_credentials or again or window or by_hand:
            raise Usage("--no-login goes with --save-credentials, and with nothing that logs in")
        _keep(call, known, profile, _given(username, password=password_stdin, totp=totp_stdin))
        return
    with call.vault() as vault:
        before = vault.session(profile, known.name)
        if by_hand or not known.can_login:
            session: Session | None = _by_hand(call, vault, known, profile, username)
        else:
            given = _given(username, password=password_stdin, totp=totp_stdin)
            given, session = _by_recipe(call, vault, known, profile, given, again=again or save_credentials, window=window)
            if save_credentials:
                _save(vault, known, session, given)
    made = session is not None and session.logins > (before.logins if before else 0)
    facts = {"logged_in": made, "session": session_facts(session) if session else None}
    call.output.show(facts, lambda: _picture(known, profile, session, made=made))


def _given(username: str | None, *, password: bool, totp: bool) -> Given:
    names = [name for name, wanted in (("password", password), ("TOTP secret", totp)) if wanted]
    found = dict(zip(names, ask.lines_of_stdin(names), strict=True))
    return Given(username, found.get("password"), found.get("TOTP secret"))


def _by_recipe(call: Call, vault: Vault, site: Site, profile: str, given: Given, *, again: bool, window: bool) -> tuple[Given, Session | None]:
    """The session, and what it was logged in with as far as the caller gave it."""
    solver: ChallengeSolver | None = None
    if window:
        needs_display()
        solver = PersonInWindow(call.output.say)
    elif not call.output.as_json and ask.at_terminal():
        solver = person_at_terminal(call.output)
    try:
        with call.output.working(f"Looking at {site.name}, and logging in if need be …"):
            if again:
                return given, call.keep(vault, lambda keeper: keeper.log_in(site, profile, given, by_itself=False), solver=solver, headless=not window)
            return given, call.keep(vault, lambda keeper: keeper.ensure(site, profile, given, by_itself=False), solver=solver, headless=not window)
    except LoginRequired:
        if call.output.as_json or not ask.at_terminal():
            raise LoginRequired(_nobody_to_ask(site)) from None
    asked = _asked(vault, site, profile, given)
    with call.output.working(f"Logging in at {site.name} …"):
        return asked, call.keep(vault, lambda keeper: keeper.log_in(site, profile, asked, by_itself=False), solver=solver, headless=not window)


def _nobody_to_ask(site: Site) -> str:
    variables = f"{variable(site.name, 'username')} and {variable(site.name, 'password')}"
    ways = f"give --username and --password-stdin, set {variables}, or run this in a terminal"
    return f"{site.name} wants a login, no user name and password for it are known, and nobody can be asked here; {ways}"


def _asked(vault: Vault, site: Site, profile: str, given: Given) -> Given:
    saved = vault.session(profile, site.name)
    username = given.username or (saved.username if saved else None) or ask.text(f"User name at {site.name}")
    return replace(given, username=username, password=given.password or ask.hidden(f"Password of {username}"))


def _save(vault: Vault, site: Site, session: Session | None, given: Given) -> None:
    username = given.username or (session.username if session else None)
    used = credentials_for(site.name, username=username, password=given.password, totp=given.totp, secrets=vault)
    if used is None:
        return
    vault.set_secret(site.name, used.username, "password", used.password)
    if used.totp:
        vault.set_secret(site.name, used.username, "totp", used.totp)


def _keep(call: Call, site: Site, profile: str, given: Given) -> None:
    """Credentials for later logins; what was not given is asked."""
    if not (given.username and given.password) and (call.output.as_json or not ask.at_terminal()):
        raise ConfigError("credentials are kept by --username and --password-stdin where nobody can be asked; give both, or run it in a terminal")
    with call.vault() as vault:
        known = _asked(vault, site, profile, given)
        if not (known.username and known.password):
            raise ConfigError("an empty user name or password is not kept; nothing was changed")
        kept = {name: value for name, value in (("password", known.password), ("totp", known.totp)) if value}
        for name, value in kept.items():
            vault.set_secret(site.name, known.username, name, value)
    sentence = f"The {' and the '.join(kept)} of {known.username} at {site.name} are kept for later logins. Whether they work, nobody has seen."
    call.output.show({"logged_in": False, "username": known.username, "kept": list(kept)}, lambda: [sentence])


def _by_hand(call: Call, vault: Vault, site: Site, profile: str, username: str | None) -> Session:
    needs_display()
    if not sys.stdin.isatty():
        raise ConfigError("logging in by hand needs somebody at the terminal to say when it is done; run it in one")

    async def ready() -> None:
        await ask.line(f"A window is open at {site.base_url}. Log in there, then press Enter here. ")

    return call.keep(vault, lambda keeper: log_in_by_hand(keeper, site, profile, ready=ready, username=username))


def _picture(site: Site, profile: str, session: Session | None, *, made: bool) -> Iterator[RenderableType]:
    who = f" as {session.username}" if session and session.username else ""
    if made:
        yield f"Logged in at {site.name}{who}; the session is kept in profile '{profile}'."
    else:
        yield f"Still signed in at {site.name}{who} (profile '{profile}'): no login was needed. `--again` makes one all the same."
