"""The steps of the demonstration, what each must show, and how they are told while they happen."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handstamp.cli.demonstration.children import Children, StepFailed
from handstamp.cli.words import count
from handstamp.demo import BUILT_IN
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from handstamp.demo import DemoServers

SITE, PROFILE = "portside", "default"


@dataclass(frozen=True, slots=True)
class Ended:
    """A step that is done.

    Args:
        title: what was done.
        seconds: how long it took.
        found: what came of it.
        logins: how many the server had counted by then.
    """

    title: str
    seconds: float
    found: str
    logins: int


@dataclass(frozen=True, slots=True)
class Show:
    """Where a demonstration happens.

    Args:
        demo: the running stand-in sites.
        home: home directory of all its processes.
        temporary: for their temporary files.
        pictures: folder for the screenshots.
    """

    demo: DemoServers
    home: Path
    temporary: Path
    pictures: Path
    children: Children = field(init=False)

    def __post_init__(self) -> None:
        """Its processes know the home and portside's address."""
        object.__setattr__(self, "children", Children(self.home, self.temporary, self.demo.portside.url))

    @property
    def screenshots(self) -> tuple[Path, Path]:
        """The two pictures."""
        return self.pictures / "1-fresh-process.png", self.pictures / "2-after-kill-9.png"


def tell(show: Show, *, begun: Callable[[str], None]) -> Iterator[Ended]:
    """Do the steps, one after the other.

    Args:
        show: where.
        begun: told the title of each step before it is done.

    Raises:
        StepFailed: names the step, and says what went wrong or how many logins there were.
    """
    for title, step in _STEPS:
        begun(title)
        started = time.monotonic()
        try:
            found = step(show)
            logins = _one_login(show)
        except StepFailed as error:
            raise StepFailed(f"step '{title}' failed: {error}") from None
        yield Ended(title, time.monotonic() - started, found, logins)


def _one_login(show: Show) -> int:
    logins = show.demo.control.stats().portside.logins
    if logins != 1:
        raise StepFailed(f"the server has counted {count(logins, 'login')} and not one")
    return logins


def _log_in(show: Show) -> str:
    account = BUILT_IN[0]
    secrets = {"HANDSTAMP_PORTSIDE_USERNAME": account.username, "HANDSTAMP_PORTSIDE_PASSWORD": account.password}
    session = show.children.command("login", SITE, secrets=secrets)["session"]
    return f"{session['username']} is signed in, health {session['health']}"


def _come_back(show: Show) -> str:
    return f"signed in at {show.children.script('come_back', str(show.screenshots[0]))}"


def _kill(show: Show) -> str:
    return f"process {show.children.killed('hold_open')} is gone, without a word to the vault"


def _come_back_again(show: Show) -> str:
    return f"signed in at {show.children.script('come_back', str(show.screenshots[1]))}"


def _ask_by_http(show: Show) -> str:
    facts = show.children.command("check", SITE)
    looked = facts["evidence"][-1]
    if looked["check"] != "http":
        raise StepFailed(f"plain HTTP could not tell: {facts['why']}")
    return f"{facts['health']}: {looked.get('url', SITE)} answered {looked.get('status')}"


def _search(show: Show) -> str:
    """Look for the secrets in clear in every file of the home directory."""
    with Vault(home=show.home) as vault:
        state = vault.load(PROFILE)
    tokens = [value for part in state.parts.values() for value in part.live().values() if isinstance(value, str)]
    secrets = [BUILT_IN[0].password, *tokens, *(cookie.value for cookie in state.cookies())]
    files = [file for file in show.home.rglob("*") if file.is_file()]
    for file in files:
        data = file.read_bytes()
        if any(form in data for secret in secrets if secret for form in (secret.encode(), secret.encode("utf-16-le"))):
            raise StepFailed(f"a secret is in clear in {file}")
    return f"{count(len(secrets), 'secret')} looked for in {count(len(files), 'file')}, none found"


_STEPS: tuple[tuple[str, Callable[[Show], str]], ...] = (
    ("Log in at portside, in a process of its own", _log_in),
    ("Come back: another process, another browser, no password", _come_back),
    ("Kill a process that has the session open (kill -9)", _kill),
    ("Come back after that", _come_back_again),
    ("Ask the site by plain HTTP, without a browser", _ask_by_http),
    ("Look for the password and the session's secrets on the disk", _search),
)
