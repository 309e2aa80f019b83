"""Ask the site whether a session is still alive, and say how that is known. No login is made.

The exit status tells: 0 valid, 10 expired, 11 challenged (it wants a person), 12 blocked, 13 unknown (the site did not
answer in a way that tells). Without a site all sessions of the profile are checked, with `--all` all that are kept; the
status is then the highest one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.cli.call import DEFAULT_PROFILE, add_profile
from handstamp.cli.facts import verdict_facts
from handstamp.cli.parser import Usage
from handstamp.cli.tables import columns, health_cell
from handstamp.errors import HandstampError
from handstamp.state import Health

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rich.console import RenderableType

    from handstamp.cli.call import Call
    from handstamp.cli.facts import Facts
    from handstamp.vault import Vault

STATUS = {Health.VALID: 0, Health.EXPIRED: 10, Health.CHALLENGED: 11, Health.BLOCKED: 12, Health.UNKNOWN: 13}
_LOOKED = {"state": "at what is saved", "http": "by plain HTTP", "browser": "in a browser", "login": "at the login"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("site", nargs="?", help="name or URL of the site; without it all sessions of the profile")
    add_profile(parser, default=None)
    parser.add_argument("--all", action="store_true", dest="every", help="every session that is kept, of all profiles (or of the one that is named)")
    parser.add_argument("--no-browser", action="store_true", help="plain HTTP only: what that cannot tell stays unknown")


def run(call: Call, *, site: str | None, profile: str | None, every: bool, no_browser: bool) -> int:
    """Check."""
    if every and site is not None:
        raise Usage("name one site, or say --all")
    if not every and profile is None:
        profile = DEFAULT_PROFILE
    with call.vault() as vault:
        if site is not None:
            facts = _check(call, vault, site, profile or DEFAULT_PROFILE, by_browser=not no_browser)
            call.output.show(facts, lambda: _one(facts))
            return STATUS[Health(facts["health"])]
        checks = [
            _check_or_error(call, vault, session.site, session.profile, by_browser=not no_browser)
            for session in sorted(vault.sessions(profile=profile), key=lambda session: (session.site, session.profile))
        ]
    call.output.show({"checks": checks}, lambda: _many(checks))
    return max((STATUS[Health(facts["health"])] for facts in checks), default=0)


def _check(call: Call, vault: Vault, site: str, profile: str, *, by_browser: bool) -> Facts:
    known = call.site(site)
    with call.output.working(f"Asking {known.name} …"):
        verdict = call.keep(vault, lambda keeper: keeper.check(known, profile, by_browser=by_browser))
    return {"site": known.name, "profile": profile, **verdict_facts(verdict)}


def _check_or_error(call: Call, vault: Vault, site: str, profile: str, *, by_browser: bool) -> Facts:
    """One that cannot be checked does not keep the others from it."""
    try:
        return _check(call, vault, site, profile, by_browser=by_browser)
    except HandstampError as error:
        return {"site": site, "profile": profile, "health": Health.UNKNOWN.value, "until": None, "why": str(error), "evidence": [], "code": error.code}


def _one(facts: Facts) -> Iterator[RenderableType]:
    yield columns(("SITE", "PROFILE", "HEALTH"), [(facts["site"], facts["profile"], health_cell(Health(facts["health"])))])
    yield ""
    for evidence in facts["evidence"]:
        yield f"Looked {_LOOKED.get(evidence['check'], evidence['check'])}: {evidence['text']}"
    if facts["until"]:
        yield f"The site should not be asked again before {facts['until']}."


def _many(checks: list[Facts]) -> Iterator[RenderableType]:
    if not checks:
        yield "No session is kept here, so there is nothing to check."
        return
    yield columns(("SITE", "PROFILE", "HEALTH", "WHY"), [(item["site"], item["profile"], health_cell(Health(item["health"])), item["why"]) for item in checks])
