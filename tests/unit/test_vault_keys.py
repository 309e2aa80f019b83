"""Where the master key comes from, and what happens when it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringLocked

from handstamp.errors import ConfigError, KeyMissing, VaultUnavailable
from handstamp.state import Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.vault import MasterKey, Vault, export_key, key_record
from handstamp.vault.key_file import recorded_file
from handstamp.vault.keys import Source
from handstamp.vault.passphrase import Argon2Costs, derive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHANGES = StorageState.of([Part(PartId(PartKind.LOCAL, "https://app.example"), {("k",): Entry("v", Stamp(1))})])


class Drawer(KeyringBackend):
    """A keyring in memory, which can be locked."""

    priority = 9

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()
        self.kept[service, username] = password

    def _open(self) -> None:
        if self.locked:
            raise KeyringLocked("locked")


@pytest.fixture(autouse=True)
def no_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(null.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def saved(home: Path) -> str:
    """Saves something in a vault of `home`; the vault's key."""
    with Vault(home=home) as vault:
        vault.save("work", CHANGES)
        return export_key(vault)


def opens(home: Path) -> bool:
    with Vault(home=home) as vault:
        return vault.load("work").local_storage("https://app.example") == {"k": "v"}


def source(home: Path) -> Source:
    with Vault(home=home) as vault:
        return key_record(vault).source


def test_a_key_is_written_as_base64url_or_hex() -> None:
    key = MasterKey(bytes(range(224, 256)))
    assert MasterKey.parse(key.text()) == MasterKey.parse(key.secret.hex()) == MasterKey.parse(f" {key.text()}=\n") == key


@pytest.mark.parametrize("text", ["", "short", "z" * 64, "a" * 42, "é" * 43, "A" * 44 + "="])
def test_what_is_no_key_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ConfigError, match="HANDSTAMP_KEY is not 32 bytes") as caught:
        MasterKey.parse(text, source="HANDSTAMP_KEY")
    assert not text or text not in str(caught.value)


def test_a_key_does_not_print() -> None:
    key = MasterKey.generate()
    assert key.text() not in repr(key)
    assert str(key.secret) not in repr(key)


def test_without_anything_better_the_key_is_a_private_file(home: Path) -> None:
    saved(home)
    assert source(home) is Source.FILE
    assert (home / "vault.key").stat().st_mode & 0o777 == 0o600
    assert opens(home)


def test_nothing_is_made_before_a_seal_is_needed(home: Path) -> None:
    with Vault(home=home) as vault:
        assert vault.profiles() == vault.sessions() == vault.events() == vault.check() == []
    assert not (home / "vault.key").exists()


def test_a_lost_key_file_is_an_error_and_never_a_new_key(home: Path) -> None:
    text = saved(home)
    (home / "vault.key").unlink()
    for _ in range(2):
        with pytest.raises(KeyMissing, match=r"vault\.key, which is not there.*HANDSTAMP_KEY"):
            opens(home)
    assert not (home / "vault.key").exists()
    (home / "vault.key").write_text(text)
    assert opens(home)


def test_another_key_in_the_file_is_an_error_that_names_both(home: Path) -> None:
    saved(home)
    other = MasterKey.generate()
    (home / "vault.key").write_text(other.text())
    with pytest.raises(KeyMissing, match=f"is not this vault's key.*{other.id}"):
        opens(home)


def test_garbage_in_the_key_file_is_an_error_that_names_it(home: Path) -> None:
    saved(home)
    (home / "vault.key").write_text("garbage")
    with pytest.raises(KeyMissing, match=r"vault\.key is not 32 bytes"):
        opens(home)


def test_the_environments_key_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDSTAMP_KEY", MasterKey.generate().text())
    monkeypatch.setenv("HANDSTAMP_PASSPHRASE", "correct horse")
    keyring.set_keyring(Drawer())
    saved(home)
    assert source(home) is Source.ENVIRONMENT
    assert not (home / "vault.key").exists()
    monkeypatch.delenv("HANDSTAMP_KEY")
    with pytest.raises(KeyMissing, match="HANDSTAMP_KEY, and that is not set"):
        opens(home)


def test_a_wrong_key_in_the_environment_is_an_error_even_beside_the_right_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(home)
    monkeypatch.setenv("HANDSTAMP_KEY", MasterKey.generate().text())
    with pytest.raises(KeyMissing, match="HANDSTAMP_KEY is not this vault's key"):
        opens(home)


def test_the_exported_key_opens_a_vault_of_any_source(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = saved(home)
    (home / "vault.key").unlink()
    monkeypatch.setenv("HANDSTAMP_KEY", text)
    assert opens(home)


def test_a_passphrase_opens_with_the_costs_that_the_vault_records(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDSTAMP_PASSPHRASE", "correct horse")
    saved(home)
    assert source(home) is Source.PASSPHRASE
    assert opens(home)
    monkeypatch.setenv("HANDSTAMP_PASSPHRASE", "wrong horse")
    with pytest.raises(KeyMissing, match="HANDSTAMP_PASSPHRASE is not this vault's key"):
        opens(home)
    monkeypatch.delenv("HANDSTAMP_PASSPHRASE")
    with pytest.raises(KeyMissing, match="HANDSTAMP_PASSPHRASE is not set"):
        opens(home)


def test_a_passphrase_does_not_touch_a_vault_that_was_made_without(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(home)
    monkeypatch.setenv("HANDSTAMP_PASSPHRASE", "correct horse")
    assert opens(home)
    assert source(home) is Source.FILE


def test_the_passphrases_salt_makes_another_key() -> None:
    cheap = {"iterations": 1, "lanes": 1, "memory_kib": 64}
    keys = {derive("p", Argon2Costs("00" * 16, **cheap)), derive("p", Argon2Costs("01" * 16, **cheap)), derive("q", Argon2Costs("00" * 16, **cheap))}
    assert len({key.id for key in keys}) == 3


def test_a_real_keyring_keeps_the_key(home: Path) -> None:
    drawer = Drawer()
    keyring.set_keyring(drawer)
    text = saved(home)
    assert source(home) is Source.KEYRING
    assert list(drawer.kept.values()) == [text]
    assert not (home / "vault.key").exists()
    assert opens(home)


def test_a_locked_keyring_is_an_error_and_no_other_source_is_tried(home: Path) -> None:
    drawer = Drawer()
    keyring.set_keyring(drawer)
    saved(home)
    drawer.locked = True
    with pytest.raises(KeyMissing, match="unlock it"):
        opens(home)
    keyring.set_keyring(fail.Keyring())
    with pytest.raises(KeyMissing, match="none can be reached"):
        opens(home)
    assert not (home / "vault.key").exists()


def test_a_keyring_that_lost_the_key_is_an_error(home: Path) -> None:
    drawer = Drawer()
    keyring.set_keyring(drawer)
    saved(home)
    drawer.kept.clear()
    with pytest.raises(KeyMissing, match="no entry"):
        opens(home)
    assert drawer.kept == {}


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring])
def test_a_keyring_that_keeps_nothing_is_not_used(home: Path, backend: type[KeyringBackend]) -> None:
    keyring.set_keyring(backend())
    saved(home)
    assert source(home) is Source.FILE


def test_two_vaults_of_one_home_share_the_key_file(home: Path) -> None:
    text = saved(home)
    with Vault(f"sqlite:///{home}/second.db", home=home) as vault:
        vault.save("work", CHANGES)
        assert export_key(vault) == text


def test_a_given_key_must_be_the_vaults(home: Path) -> None:
    key = MasterKey.generate()
    with Vault(home=home, key=key) as vault:
        vault.save("work", CHANGES)
    with Vault(home=home, key=MasterKey.generate()) as vault, pytest.raises(KeyMissing, match="the key that was given"):
        vault.load("work")
    with Vault(home=home, key=key) as vault:
        assert vault.load("work").parts


def test_a_vault_without_the_record_of_its_key_gets_no_new_one(home: Path) -> None:
    saved(home)
    with Vault(home=home) as vault, vault._store().write() as transaction:
        transaction._connection.execute("DELETE FROM keys")
    with pytest.raises(KeyMissing, match="no longer says under which key"):
        opens(home)


def credential(directory: Path, text: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / "handstamp-key").write_text(text)


def test_a_systemd_credential_is_a_source(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = MasterKey.generate()
    credential(tmp_path / "run", key.text() + "\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "run"))
    monkeypatch.setenv("HANDSTAMP_PASSPHRASE", "correct horse")
    assert saved(home) == key.text()
    assert source(home) is Source.CREDENTIAL
    assert not (home / "vault.key").exists()
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(KeyMissing, match="the credential 'handstamp-key', and this process has none"):
        opens(home)


def test_a_credential_stands_in_for_any_source_and_a_directory_without_one_does_not_matter(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = saved(home)
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "run"))
    assert opens(home)
    (home / "vault.key").unlink()
    credential(tmp_path / "run", text)
    assert opens(home)
    credential(tmp_path / "run", MasterKey.generate().text())
    with pytest.raises(KeyMissing, match="the credential 'handstamp-key' is not this vault's key"):
        opens(home)
    credential(tmp_path / "run", "garbage")
    with pytest.raises(KeyMissing, match="handstamp-key is not 32 bytes"):
        opens(home)


def test_a_rotated_key_in_the_keyring_has_an_entry_of_its_own_and_the_old_one_stays(home: Path) -> None:
    drawer = Drawer()
    keyring.set_keyring(drawer)
    old = saved(home)
    with Vault(home=home) as vault:
        done = vault.rotate_key()
        assert done.new.source is Source.KEYRING
        assert set(drawer.kept.values()) == {old, export_key(vault)}
        assert drawer.kept["handstamp", str(done.old[0].facts["entry"])] == old
    assert opens(home)
    drawer.locked = True
    with pytest.raises(KeyMissing, match="unlock it"):
        opens(home)


def test_a_rotated_key_file_has_a_name_of_its_own_and_the_shared_one_stays(home: Path) -> None:
    old = saved(home)
    with Vault(home=home) as vault:
        done = vault.rotate_key()
    assert (home / "vault.key").read_text().strip() == old
    new = home / str(done.new.facts["file"])
    assert new.stat().st_mode & 0o777 == 0o600
    assert opens(home)
    new.unlink()
    with pytest.raises(KeyMissing, match=rf"{new.name}, which is not there"):
        opens(home)
    assert not new.exists()


@pytest.mark.parametrize("name", ["../vault.key", "/etc/passwd", "other.key", "vault-xyz.key"])
def test_a_record_cannot_name_a_file_elsewhere(home: Path, name: str) -> None:
    with pytest.raises(VaultUnavailable, match="record of its key file is damaged"):
        recorded_file(home, {"file": name})
    assert recorded_file(home, {}) == home / "vault.key"
