"""The vault's contract runs over every adapter: each brings an empty database as a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from handstamp.vault import MasterKey, Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class OpenVault(Protocol):
    def __call__(self, *, key: MasterKey | None = None) -> Vault: ...


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of the adapter."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/home/vault.db"
        return
    server = request.getfixturevalue("postgres")
    database = server.new_database()
    yield server.url(database)
    server.drop(database)


@pytest.fixture
def open_vault(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenVault]:
    """Opens the test's vault; every call as another program would."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    opened: list[Vault] = []

    def open_it(*, key: MasterKey | None = None) -> Vault:
        opened.append(Vault(url, home=tmp_path / "home", key=key))
        return opened[-1]

    yield open_it
    for vault in opened:
        vault.close()


@pytest.fixture
def vault(open_vault: OpenVault) -> Vault:
    return open_vault()
