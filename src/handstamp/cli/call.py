"""One call of the command line: what every command can use."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from handstamp.home import home

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path
    from typing import Any

    from handstamp.cli.output import Output
    from handstamp.keeper import Keeper
    from handstamp.sites import ChallengeSolver, Site
    from handstamp.vault import Vault

T = TypeVar("T")
DEFAULT_PROFILE = "default"


class Call:
    """What every command can use.

    Args:
        output: where to print.
    """

    def __init__(self, output: Output) -> None:
        self.output = output
        self.now = datetime.now(UTC)

    @property
    def home(self) -> Path:
        """The home directory."""
        return home()

    @contextmanager
    def vault(self) -> Iterator[Vault]:
        """The vault that the options and settings name."""
        from handstamp.vault import Vault  # noqa: PLC0415  (help and a bad option do without)

        with Vault() as vault:
            yield vault

    def site(self, name: str) -> Site:
        """A known site, or the one at a URL.

        Raises:
            SiteUnknown: see `find_site`.
        """
        from handstamp.sites import find_site  # noqa: PLC0415

        return find_site(name, home=self.home)

    def keep(self, vault: Vault, work: Callable[[Keeper], Coroutine[Any, Any, T]], *, solver: ChallengeSolver | None = None, headless: bool = True) -> T:
        """What `work` gives, done by a keeper on the engine's loop.

        Args:
            vault: the keeper's.
            work: what to do with it.
            solver: answers what a site asks during a login.
            headless: for its logins; else a window shows them.
        """
        from handstamp._signed_in import engine  # noqa: PLC0415  (the engine and its browsers: only those who need one)
        from handstamp.keeper import Keeper  # noqa: PLC0415

        return engine().run(work(Keeper(engine(), vault, headless=headless, solver=solver)))


def add_profile(parser: argparse.ArgumentParser, *, default: str | None = DEFAULT_PROFILE, about: str = "the profile, by default 'default'") -> None:
    """The option ``--profile``."""
    parser.add_argument("--profile", default=default, metavar="NAME", help=about)


def choose_places(home_directory: str | None, vault_url: str | None) -> None:
    """Let ``--home`` and ``--vault`` rise above the environment, for this process and those that it starts."""
    for name, value in (("HANDSTAMP_HOME", home_directory), ("HANDSTAMP_VAULT", vault_url)):
        if value is not None:
            os.environ[name] = value
