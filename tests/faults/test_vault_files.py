"""The vault's files: who may read them, links, places that cannot be written, full disks, copies."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import ConfigError, KeyMissing, VaultFull, VaultUnavailable
from handstamp.state import Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.vault import Vault, export_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ORIGIN = "https://app.example.com"
NOBODY = 65534


def change(value: str, *, at: int = 1) -> StorageState:
    return StorageState.of([Part(PartId(PartKind.LOCAL, ORIGIN), {("k",): Entry(value, Stamp(at))})])


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB; needs root and the right to mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=False, capture_output=True).returncode:
        pytest.skip("mounting a file system needs root and the right to mount")
    yield disk
    subprocess.run(["umount", disk], check=True)


def files(home: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.lstat().st_mode) for path in home.iterdir()}


def test_all_files_are_private_under_any_umask(home: Path) -> None:
    before = os.umask(0)
    try:
        with Vault(home=home) as vault:
            vault.save("work", change("v"))
            assert files(home) == dict.fromkeys(("vault.db", "vault.db-wal", "vault.db-shm", "vault.key"), 0o600)
            assert vault.check() == []
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    finally:
        os.umask(before)


def test_loose_permissions_of_the_file_are_a_finding(home: Path) -> None:
    with Vault(home=home) as vault:
        vault.save("work", change("v"))
        (home / "vault.db").chmod(0o644)
        assert [(finding.subject, finding.problem) for finding in vault.check()] == [(str(home / "vault.db"), "is open to other users (mode bits 044)")]


@pytest.mark.parametrize("name", ["vault.db", "vault.db-wal", "vault.db-shm", "vault.db-journal", "vault.key"])
def test_a_link_in_the_place_of_a_file_is_refused(home: Path, tmp_path: Path, name: str) -> None:
    home.mkdir(mode=0o700)
    target = tmp_path / "target"
    (home / name).symlink_to(target)
    with Vault(home=home) as vault, pytest.raises(ConfigError, match=f"{name} is a symbolic link"):
        vault.save("work", change("v"))
    assert not target.exists()


def test_a_link_in_the_place_of_the_home_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    home.symlink_to(tmp_path / "target")
    with Vault(home=home) as vault, pytest.raises(ConfigError, match="home is a symbolic link"):
        vault.save("work", change("v"))
    assert list((tmp_path / "target").iterdir()) == []


def test_a_file_where_the_directory_should_be_is_named(home: Path) -> None:
    home.write_text("mine")
    with Vault(home=home) as vault, pytest.raises(ConfigError, match="home is not a directory"):
        vault.save("work", change("v"))
    assert home.read_text() == "mine"


def as_nobody(work: Callable[[], None]) -> None:
    """Runs `work` in a child that is not root; fails as it fails."""
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            work()
        except BaseException as error:  # noqa: BLE001  (the parent tells)
            os.write(2, repr(error).encode())
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory that other users can reach, which pytest's are not."""
    with tempfile.TemporaryDirectory(prefix="handstamp-tests-") as name:
        place = Path(name)
        place.chmod(0o755)
        yield place
        for directory in (place, *(path for path in place.rglob("*") if path.is_dir())):
            directory.chmod(0o700)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_directory_that_cannot_be_written_is_named_with_the_way_out(open_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = open_place / "locked"
    with Vault(home=home) as vault:
        vault.save("work", change("v"))
        monkeypatch.setenv("HANDSTAMP_KEY", export_key(vault))
    if os.geteuid() == 0:
        for path in (home, *home.iterdir()):
            os.chown(path, NOBODY, NOBODY)
    (home / "vault.db").chmod(0o400)
    home.chmod(0o500)
    open_place.chmod(0o555)

    def work() -> None:
        for place in (home, open_place / "new"):
            with Vault(home=place) as vault, pytest.raises((VaultUnavailable, ConfigError), match=r"writable|can write"):
                vault.save("work", change("w", at=2))

    as_nobody(work)


def test_a_read_only_file_system_is_named_and_the_state_is_back_after_it(small_disk: Path) -> None:
    home = small_disk / "home"
    with Vault(home=home) as vault:
        vault.save("work", change("v"))
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=False, capture_output=True)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with Vault(home=home) as vault, pytest.raises(VaultUnavailable, match=r"read-only|writable"):
        vault.save("work", change("w", at=2))
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    with Vault(home=home) as vault:
        assert vault.load("work").local_storage(ORIGIN) == {"k": "v"}
        vault.save("work", change("x", at=3))


def test_a_full_disk_is_a_clear_error_and_loses_nothing(small_disk: Path) -> None:
    home, number = small_disk / "home", 0
    (small_disk / "others").write_bytes(bytes(400_000))
    with Vault(home=home) as vault:
        with pytest.raises(VaultFull, match="Free some space"):  # noqa: PT012  (how many fit is the disk's business)
            while True:
                vault.save("work", change(os.urandom(100_000).hex() + f"#{number + 1}", at=number + 1))
                number += 1
        assert number > 1
        assert vault.load("work").local_storage(ORIGIN)["k"].endswith(f"#{number}")
    (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free))
    with Vault(home=home) as vault:
        with pytest.raises((VaultFull, VaultUnavailable)):
            vault.save("work", change(os.urandom(1_000_000).hex(), at=number + 1))
        (small_disk / "filler").unlink()
        (small_disk / "others").unlink()  # the log may have taken all that was left; some space is freed, as the error says
        assert vault.load("work").local_storage(ORIGIN)["k"].endswith(f"#{number}")
        vault.save("work", change("after", at=number + 2))
        assert vault.load("work").local_storage(ORIGIN) == {"k": "after"}
        assert vault.check() == []


def test_a_vault_cannot_be_made_on_a_full_disk_and_can_be_afterwards(small_disk: Path) -> None:
    (small_disk / "home").mkdir(mode=0o700)
    (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free))
    with Vault(home=small_disk / "home") as vault:
        with pytest.raises((VaultFull, KeyMissing)):
            vault.save("work", change("v"))
        (small_disk / "filler").unlink()
        vault.save("work", change("v"))
    with Vault(home=small_disk / "home") as vault:
        assert vault.load("work").local_storage(ORIGIN) == {"k": "v"}


def test_upkeep_on_a_full_disk_is_a_clear_error_and_goes_on_when_there_is_room(small_disk: Path, tmp_path: Path) -> None:
    home, filler = small_disk / "home", small_disk / "filler"
    with Vault(home=home) as vault:
        for at in range(1, 5):
            vault.save("work", change(os.urandom(100_000).hex() + f"#{at}", at=at))
        vault.backup(tmp_path / "copy")
        filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - 20_000))
        with pytest.raises(ConfigError, match=r"cannot be written: No space left.*No backup was made"):
            vault.backup(small_disk / "copy")
        assert not (small_disk / "copy").exists()
        with pytest.raises((VaultFull, KeyMissing)):
            vault.rotate_key()
        with pytest.raises(VaultFull):
            vault.restore(tmp_path / "copy", replace=True)
        assert vault.load("work").local_storage(ORIGIN)["k"].endswith("#4")
        filler.unlink()
        vault.rotate_key()
        vault.restore(tmp_path / "copy", replace=True)
        assert vault.load("work").local_storage(ORIGIN)["k"].endswith("#4")
        assert (vault.rotating(), vault.check()) == ([], [])


READER = """
from handstamp.vault import Vault
print(Vault().load("work").local_storage("https://app.example.com"))
"""


def test_a_copied_vault_opens_elsewhere_with_the_key_and_only_with_it(home: Path, tmp_path: Path) -> None:
    with Vault(home=home) as vault:
        vault.save("work", change("v"))
        key = export_key(vault)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    shutil.copy(home / "vault.db", elsewhere)
    environment = {**os.environ, "HANDSTAMP_HOME": str(elsewhere)}
    without = subprocess.run([sys.executable, "-c", READER], env=environment, capture_output=True, text=True, check=False)
    assert without.returncode != 0
    assert "KeyMissing: this vault is sealed with key" in without.stderr
    assert not (elsewhere / "vault.key").exists()
    with_key = subprocess.run([sys.executable, "-c", READER], env={**environment, "HANDSTAMP_KEY": key}, capture_output=True, text=True, check=False)
    assert with_key.stdout.strip() == "{'k': 'v'}"


def test_nothing_secret_and_no_visited_place_is_in_the_files(home: Path) -> None:
    with Vault(home=home) as vault:
        vault.save("work", change("canary-value"))
        vault.set_secret("portside", "canary-account", "password", "canary-password")
        vault.forget("work", domain="app.example.com")
        vault.save("work", StorageState.of([Part(PartId(PartKind.IDB, "https://canary.example", "canary-db"), {("s", "k"): Entry({"x": "canary"})})], epoch=1))
        found = b"".join(path.read_bytes() for path in home.iterdir())
    assert b"work" in found
    assert b"canary" not in found
    assert b"example" not in found


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///", "sqlite:///:memory:", "vault.db", "mssql://u:hunter2@h/db"])
def test_a_url_that_no_adapter_serves_is_an_error_without_its_password(home: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="is not a vault URL") as caught:
        Vault(url, home=home).profiles()
    assert "hunter2" not in str(caught.value)
