"""How long sessions of a site live: the survival curve (Kaplan-Meier) of the logins that the vault remembers, and what comes next.

Logins that still live count as far as they are known to have lived. `--json` gives the curve as data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.cli.facts import instant
from handstamp.cli.tables import columns
from handstamp.keeper.plan import duration
from handstamp.keeper.survival import curve_of, lives_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rich.console import RenderableType

    from handstamp.cli.call import Call
    from handstamp.cli.facts import Facts
    from handstamp.keeper.survival import Curve
    from handstamp.vault import Vault

WIDTH, HEIGHT = 60, 10


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("site", help="name or URL of the site")


def run(call: Call, *, site: str) -> None:
    """Show."""
    known = call.site(site)
    with call.vault() as vault:
        curve = curve_of(lives_of(vault, known.name))
        turns = _turns(vault, known.name)
    facts = {"site": known.name, **_facts(curve), "turns": turns}
    call.output.show(facts, lambda: _picture(known.name, curve, turns))


def _facts(curve: Curve) -> Facts:
    return {
        "logins": curve.lives,
        "ended": curve.ended,
        "alive": curve.lives - curve.ended,
        "median_seconds": curve.quantile(0.5),
        "longest_seconds": curve.longest,
        "curve": [{"seconds": step.seconds, "at_risk": step.at_risk, "ended": step.ended, "surviving": round(step.surviving, 6)} for step in curve.steps],
    }


def _turns(vault: Vault, site: str) -> list[Facts]:
    found = [(session, vault.turn(session.session_id)) for session in vault.sessions(site=site)[:50]]
    return [{"profile": session.profile, "next_look": instant(turn.due_at), "why": turn.why} for session, turn in found if turn is not None]


def _picture(site: str, curve: Curve, turns: list[Facts]) -> Iterator[RenderableType]:
    if not curve.lives:
        yield f"Nothing is known yet of how long sessions at {site} live."
        return
    half = curve.quantile(0.5)
    middle = f"half of them end within {duration(half)}" if half is not None else "too few have ended to say when half of them do"
    logins = "1 login" if curve.lives == 1 else f"{curve.lives} logins"
    yield f"{logins} at {site}, {curve.ended} of them over; {middle}."
    if curve.steps:
        yield ""
        yield from plot(curve)
    if turns:
        yield ""
        yield columns(("PROFILE", "NEXT LOOK", "WHY"), [(turn["profile"], turn["next_look"], turn["why"]) for turn in turns])


def plot(curve: Curve, *, width: int = WIDTH, height: int = HEIGHT) -> Iterator[str]:
    """The curve for a terminal: the share that lives on, over age."""
    span = max(curve.longest, 1e-9)
    levels = [curve.surviving(span * column / (width - 1)) for column in range(width)]
    for row in range(height, -1, -1):
        share = row / height
        line = "".join("█" if level >= share and row else ("▁" if not row else " ") for level in levels)
        yield f"{share:>5.0%} ┤{line}"
    left, right = "0", duration(curve.longest)
    yield f"{'':>5}  {left}{right:>{width - 1}}"
