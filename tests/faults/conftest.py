"""Vaults for the tests that do them harm: one on each database, where a crash of a process must lose nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where a vault is: its URL and home directory."""

    url: str
    home: Path

    def vault(self) -> Vault:
        """It, opened as another program would."""
        return Vault(self.url, home=self.home)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """An empty vault."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    if request.param == "sqlite":
        yield Place(f"sqlite:///{tmp_path}/home/vault.db", tmp_path / "home")
        return
    server = request.getfixturevalue("postgres")
    database = server.new_database()
    yield Place(server.url(database), tmp_path / "home")
    server.drop(database)
