"""Who answers what a site asks during a login: a person at a terminal, in a window or in another process, or a service.

All of them are a `ChallengeSolver`; `Desk` asks several at once and takes the first answer.
"""

from handstamp.keeper.solvers.desk import Desk
from handstamp.keeper.solvers.service import ServiceSolver
from handstamp.keeper.solvers.terminal import PersonAtTerminal
from handstamp.keeper.solvers.window import PersonInWindow

__all__ = ["Desk", "PersonAtTerminal", "PersonInWindow", "ServiceSolver"]
