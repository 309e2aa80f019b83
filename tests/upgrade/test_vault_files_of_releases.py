"""A vault file of every release opens, with all that is in it, and goes on. `scripts/vault_file.py` makes them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from handstamp.state import Entry, Health, Part, PartId, PartKind, Stamp, StorageState
from handstamp.vault import MasterKey, Vault

ORIGIN = "https://app.example.com"
RELEASES = sorted(path.parent for path in Path(__file__).parent.glob("*/vault.db"))


@pytest.fixture(params=RELEASES, ids=lambda folder: folder.name)
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Vault:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    shutil.copy(request.param / "vault.db", home)
    (home / "vault.db").chmod(0o600)  # a checkout does not keep modes
    return Vault(home=home, key=MasterKey.parse((request.param / "key.txt").read_text()))


def test_there_is_a_file() -> None:
    assert RELEASES


def test_everything_in_it_is_there(vault: Vault) -> None:
    with vault:
        assert vault.check() == []
        state = vault.load("work")
        assert state.local_storage(ORIGIN) == {"k": "third"}
        assert [cookie.value for cookie in state.parts[PartId(PartKind.COOKIES, "example.com")].live().values()] == ["cookie-value"]
        assert set(state.parts) == {PartId(PartKind.COOKIES, "example.com"), PartId(PartKind.LOCAL, ORIGIN)}
        assert [part.entries["data",].value for part in vault.pieces("work", [PartId(PartKind.FILES, "chunk", "c1")])] == [b"file"]
        assert [version.pinned for version in vault.history("work") if version.part == PartId(PartKind.LOCAL, ORIGIN)] == [False, True, False]
        session = vault.session("work", "portside")
        assert session is not None
        assert (session.username, session.health, session.device.proxy) == ("me", Health.VALID, "http://user:proxy-password@proxy")
        assert [loss.what for loss in session.losses] == ["crypto-key"]
        assert (vault.secret("portside", "me", "password"), vault.secret("portside", "me", "totp")) == ("saved-password", "JBSWY3DPEHPK3PXP")
        assert [event.data for event in vault.events(kind="login")] == [{"by": "recipe"}]
        assert vault.epoch("work") == 1


def test_it_goes_on(vault: Vault) -> None:
    change = StorageState.of([Part(PartId(PartKind.LOCAL, ORIGIN), {("new",): Entry("v", Stamp(9))})], epoch=1)
    with vault:
        vault.save("work", change)
        with vault.lease("work") as lease:
            assert lease.token == 2
            vault.save("work", StorageState.of([Part(PartId(PartKind.LOCAL, ORIGIN), {("k",): Entry("fourth", Stamp(10))})], epoch=1), lease=lease)
        assert vault.load("work").local_storage(ORIGIN) == {"k": "fourth", "new": "v"}
        assert vault.check() == []
