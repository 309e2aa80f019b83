"""The stand-in sites, a home of the test's own, and a login that is made already."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from handstamp.sync_api import signed_in
from handstamp.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

    from handstamp.demo import DemoServers


@pytest.fixture
def demo(demo: DemoServers, home: Path) -> DemoServers:  # noqa: ARG001  (in which the session is saved)
    """Portside, with a session of demo's in the profile ``work``."""
    with signed_in("portside", profile="work", username="demo", password="harbour-light-7"):
        pass
    return demo


@pytest.fixture
def secrets(demo: DemoServers) -> list[str]:  # noqa: ARG001  (which logs in)
    """What no model may see: the password, and every value of the session that is too long to be a word."""
    with Vault() as vault:
        state = vault.load("work")
    values = [cookie.value for cookie in state.cookies()]
    values += [value for part in state.parts.values() for value in part.live().values() if isinstance(value, str)]
    found = [value for value in values if len(value) >= 16]
    assert len(found) >= 2  # a cookie and a token
    return ["harbour-light-7", *found]


@pytest.fixture
def child_environment(demo: DemoServers) -> dict[str, str]:  # noqa: ARG001  (which sets it)
    """For processes that the test starts."""
    return dict(os.environ)


@pytest.fixture
def browser_args() -> list[str]:
    """For a Chromium that somebody else starts."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []
