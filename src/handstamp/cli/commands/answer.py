"""Answer what a site asks during a login that waits in another process; the login then goes on.

The answer is asked for on the terminal, with the picture as a file to look at, or read from stdin with `-`. It is not taken
from the command line: every user of the machine can read that, and shells keep it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from handstamp.cli import ask
from handstamp.cli.parser import Usage
from handstamp.errors import ConfigError
from handstamp.keeper.solvers.terminal import described, shown

if TYPE_CHECKING:
    import argparse

    from handstamp.cli.call import Call
    from handstamp.vault import OpenChallenge


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("challenge_id", metavar="ID", help="as `handstamp challenges` shows it")
    parser.add_argument("code", nargs="?", metavar="-", help="read the answer from stdin, one line; without it you are asked")


def run(call: Call, *, challenge_id: str, code: str | None) -> None:
    """Answer."""
    if code not in {None, "-"}:
        raise Usage("an answer on the command line can be read by others; leave it out and you are asked, or give `-` and write it to stdin")
    with call.vault() as vault:
        challenge = vault.challenge(challenge_id)
        answer = ask.lines_of_stdin(["answer"])[0] if code == "-" else _asked(challenge)
        if not vault.answer(challenge_id, answer):
            raise ConfigError(f"challenge {challenge_id} is answered, withdrawn or too late by now; `handstamp challenges` lists those that wait")
    facts = {"challenge_id": challenge_id, "site": challenge.site, "profile": challenge.profile}
    call.output.show(facts, lambda: [f"Answered; the login at {challenge.site} goes on (profile '{challenge.profile}')."])


def _asked(challenge: OpenChallenge) -> str:
    if not ask.at_terminal():
        raise ConfigError("nobody can be asked here: write the answer to stdin and say `-`")
    with shown(challenge.image) as file:
        sys.stderr.write(f"{described(challenge.site, challenge.account, challenge.question, file)}\n")
        if challenge.kind == "confirm":
            ask.text("Confirm it there, then press Enter")
            return ""
        return ask.text("Your answer")
