"""What sites ask during logins that wait for an answer now, in any process that uses this vault; the oldest first.

Answer one with `handstamp answer ID`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.cli.facts import instant
from handstamp.cli.tables import columns
from handstamp.cli.words import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rich.console import RenderableType

    from handstamp.cli.call import Call
    from handstamp.cli.facts import Facts
    from handstamp.vault import OpenChallenge


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    del parser  # nothing but what every command takes


def run(call: Call) -> None:
    """List them."""
    with call.vault() as vault:
        found = [_facts(one) for one in vault.challenges()]
    call.output.show({"challenges": found}, lambda: _picture(found))


def _facts(one: OpenChallenge) -> Facts:
    return {
        "challenge_id": one.challenge_id,
        "site": one.site,
        "profile": one.profile,
        "account": one.account,
        "kind": one.kind,
        "question": one.question,
        "picture": bool(one.image),
        "asked_at": instant(one.asked_at),
        "deadline": instant(one.deadline),
    }


def _picture(found: list[Facts]) -> Iterator[RenderableType]:
    if not found:
        yield "No login waits for an answer."
        return
    rows = [(one["challenge_id"], one["site"], one["profile"], one["account"], one["kind"], printable(one["question"]), one["deadline"]) for one in found]
    yield columns(("ID", "SITE", "PROFILE", "ACCOUNT", "KIND", "QUESTION", "UNTIL"), rows)
