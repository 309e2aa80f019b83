"""The vault's commands, as fresh processes: backups, keys, cleaning up, what changed."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SAVE = """
from handstamp.state import Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.vault import Vault
for at, value in enumerate(("one", "two-secret"), start=1):
    part = Part(PartId(PartKind.LOCAL, "https://app.example"), {("k",): Entry(value, Stamp(at)), (f"new{at}",): Entry("x", Stamp(at))})
    Vault().save("default", StorageState.of([part]))
Vault().update_session("default", "portside", lambda session: session)
"""
READ = "from handstamp.vault import Vault; print(Vault().load('default').local_storage('https://app.example'))"
WHOLE = "{'k': 'two-secret', 'new1': 'x', 'new2': 'x'}"


class Here:
    """A home, and the command line in it."""

    def __init__(self, home: Path) -> None:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("HANDSTAMP_")}
        self.environment = clean | {"HANDSTAMP_HOME": str(home), "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}

    def python(self, code: str, **more: str) -> str:
        done = subprocess.run([sys.executable, "-c", code], env=self.environment | more, capture_output=True, text=True, timeout=28, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "handstamp.cli", *words]
        return subprocess.run(command, env=self.environment | more, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=28, check=False)

    def facts(self, *words: str, status: int = 0, **more: str) -> dict[str, Any]:
        done = self.run(*words, "--json", **more)
        assert (done.returncode, done.stderr) == (status, ""), done
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def here(tmp_path: Path) -> Here:
    """A home with something in it."""
    here = Here(tmp_path / "one")
    here.python(SAVE)
    return here


def test_a_backup_goes_to_another_machine_with_the_key_and_only_with_it(here: Here, tmp_path: Path) -> None:
    file, there = tmp_path / "backup.hs", Here(tmp_path / "two")
    made = here.facts("backup", str(file))
    assert (made["rows"]["sessions"], stat.S_IMODE(file.stat().st_mode)) == (1, 0o600)
    assert there.facts("restore", str(file), status=3)["code"] == "key-missing"
    key = here.run("key", "export", "--reveal").stdout.strip()
    assert there.facts("restore", str(file), "--check", HANDSTAMP_KEY=key)["restored"] is False
    assert there.facts("restore", str(file), HANDSTAMP_KEY=key)["restored"] is True
    assert there.python(READ, HANDSTAMP_KEY=key) == WHOLE
    assert here.facts("restore", str(file), status=3)["code"] == "config"
    assert here.facts("restore", str(file), "--replace", status=3)["code"] == "config"  # nobody can be asked
    assert here.facts("restore", str(file), "--replace", "--yes")["restored"] is True
    file.write_bytes(file.read_bytes()[:-20])
    assert here.facts("restore", str(file), "--check", status=4)["code"] == "unreadable-state"


def test_a_key_is_rotated_checked_and_shown(here: Here, tmp_path: Path) -> None:
    old = here.facts("key")
    here.run("key", "export", "-o", str(tmp_path / "old"))
    assert here.facts("key", "check", "--copy", str(tmp_path / "old"))["key_id"] == old["key_id"]
    done = here.facts("key", "rotate", "--yes")
    assert done["rotated"]
    assert (done["old"][0]["key_id"], done["damaged"]) == (old["key_id"], 0)
    assert here.facts("key", "check")["key_id"] == done["key_id"] != old["key_id"]
    assert here.facts("key", "check", "--copy", str(tmp_path / "old"), status=3)["code"] == "key-missing"
    assert here.python(READ) == WHOLE
    assert here.facts("doctor", "--deep", "--no-browser")["ok"]


def test_a_key_goes_over_to_a_systemd_credential_and_to_a_passphrase(here: Here, tmp_path: Path) -> None:
    assert here.facts("key", "rotate", "--to", "credential", "--yes", status=2)["code"] == "usage"
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    here.facts("key", "rotate", "--to", "credential", "-o", str(credentials / "handstamp-key"), "--yes")
    assert stat.S_IMODE((credentials / "handstamp-key").stat().st_mode) == 0o600
    assert here.facts("key", status=3)["code"] == "key-missing"
    has = {"CREDENTIALS_DIRECTORY": str(credentials)}
    assert here.facts("key", **has)["source"] == "credential"
    assert here.facts("key", "rotate", "--to", "passphrase", "--yes", status=3, **has)["code"] == "config"
    assert here.facts("key", "rotate", "--to", "passphrase", "--yes", HANDSTAMP_NEW_PASSPHRASE="correct horse", **has)["source"] == "passphrase"
    assert here.python(READ, HANDSTAMP_PASSPHRASE="correct horse") == WHOLE
    assert here.facts("key", status=3, HANDSTAMP_PASSPHRASE="wrong horse")["code"] == "key-missing"


def test_what_changed_is_told_by_name_and_without_values(here: Here) -> None:
    (part,) = here.facts("diff")["parts"]
    assert part == {"part": "local/https://app.example", "added": [["new2"]], "changed": [["k"]], "removed": []}
    shown = here.run("diff", "default", "--from", "1d")
    assert "new1" in shown.stdout
    assert "secret" not in shown.stdout + json.dumps(part)
    assert here.facts("diff", "--from", "yesterday", status=2)["code"] == "usage"


def test_cleaning_up_removes_what_is_old(here: Here) -> None:
    assert here.facts("cleanup")["versions"] == 0
    assert here.facts("cleanup", "--history", "0h")["versions"] == 1
    assert here.facts("cleanup", "--inactive", "0h", "--compact")["archived"] == 1
    assert here.facts("cleanup", "--events", "soon", status=2)["code"] == "usage"
    assert here.python(READ) == WHOLE
