"""The person at this command's terminal, who answers what a site asks during a login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.cli import ask
from handstamp.keeper.solvers import PersonAtTerminal

if TYPE_CHECKING:
    from handstamp.cli.output import Output


def person_at_terminal(output: Output) -> PersonAtTerminal:
    """A solver that asks on the terminal, while `output` pauses what it shows."""
    return PersonAtTerminal(ask.line, aside=output.paused)
