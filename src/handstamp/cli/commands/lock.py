"""Show who holds a profile and who waits for it (or all that are held), or take it away from a holder that will not let go.

A holder that has died does not need this: the next one follows at once. One that lives and loses its hold can write nothing
any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.cli import ask
from handstamp.cli.facts import lease_facts
from handstamp.cli.parser import Usage
from handstamp.cli.tables import columns
from handstamp.cli.words import when

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rich.console import RenderableType

    from handstamp.cli.call import Call
    from handstamp.vault import LeaseInfo, Vault

_STANDING = {"alive": "alive", "dead": "gone: the next one follows at once", "fresh": "gave a sign of life", "stale": "silent: the next one follows"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("profile", nargs="?", help="the profile; without one, all that are held")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--show", action="store_true", help="show (what is done anyway)")
    action.add_argument("--break", action="store_true", dest="take_away", help="take it away from its holder")
    parser.add_argument("--reason", default="by hand", help="for --break: goes to the event log")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(call: Call, *, profile: str | None, show: bool, take_away: bool, reason: str, yes: bool) -> None:
    """Show or break."""
    del show
    with call.vault() as vault:
        held = [lease for lease in vault.leases() if profile in {None, lease.profile}]
        if take_away:
            _break(call, vault, profile, held, reason=reason, yes=yes)
            return
    call.output.show({"locks": [lease_facts(lease) for lease in held]}, lambda: _picture(call, held, profile))


def _break(call: Call, vault: Vault, profile: str | None, held: list[LeaseInfo], *, reason: str, yes: bool) -> None:
    if profile is None:
        raise Usage("say which profile to take away from its holder")
    if held and not yes:
        call.output.show({}, lambda: _picture(call, held, profile)) if not call.output.as_json else None
        yes = ask.confirm(f"Take profile '{profile}' away? What its holder writes from then on is refused.")
    broken = held if yes else []
    for lease in broken:
        vault.break_lease(profile, reason=reason, site=lease.site, purpose=lease.purpose)
    sentence = f"Profile '{profile}' is free." if broken or not held else "Nothing was changed."
    call.output.show({"broken": [lease_facts(lease) for lease in broken]}, lambda: [sentence])


def _picture(call: Call, held: list[LeaseInfo], profile: str | None) -> Iterator[RenderableType]:
    if not held:
        yield f"Nobody holds profile '{profile}'." if profile else "Nobody holds a profile."
        return
    yield columns(("PROFILE", "FOR", "HOLDER", "SINCE", "HOLDER IS", "WAITING"), [_row(call, lease) for lease in held])


def _row(call: Call, lease: LeaseInfo) -> tuple[str, ...]:
    what = f"login at {lease.site}" if lease.site else "open"
    waiting = ", ".join(str(process) for process in lease.waiting) or "-"
    return (lease.profile, what, str(lease.holder), when(lease.since, call.now), _STANDING[lease.standing], waiting)
