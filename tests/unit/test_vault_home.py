"""The home directory, private files, settings."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from handstamp import home as homes
from handstamp.errors import ConfigError
from handstamp.home import Settings, create_private, make_home, permission_findings, replace_private, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=lambda mask: f"umask-{mask:03o}")
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_variable_says_where_home_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDSTAMP_HOME", str(tmp_path / "x"))
    assert homes.home() == tmp_path / "x"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANDSTAMP_HOME", "relative/../y")
    assert homes.home() == tmp_path / "y"


@pytest.mark.skipif(sys.platform == "win32", reason="the place on Windows is another")
def test_home_is_in_dot_config_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANDSTAMP_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert homes.home() == tmp_path / ".config" / "handstamp"


def test_asking_for_home_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDSTAMP_HOME", str(tmp_path / "x"))
    homes.home()
    assert not (tmp_path / "x").exists()


@pytest.mark.usefixtures("umask")
def test_home_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    os.umask(os.umask(0) & 0o077)  # parents are the system's business: leave them passable
    assert mode(make_home(tmp_path / "home")) == 0o700


def test_a_home_that_is_a_link_or_a_file_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"link is a symbolic link.*HANDSTAMP_HOME"):
        make_home(tmp_path / "link")
    with pytest.raises(ConfigError, match=r"file is not a directory.*HANDSTAMP_HOME"):
        make_home(tmp_path / "file")
    with pytest.raises(ConfigError, match=r"cannot be made.*HANDSTAMP_HOME"):
        make_home(tmp_path / "file" / "below")


def test_a_private_file_is_private_under_any_umask(tmp_path: Path, umask: int) -> None:
    assert umask in {0o000, 0o022, 0o777}
    assert create_private(tmp_path / "made", b"secret")
    replace_private(tmp_path / "replaced", b"secret")
    assert (mode(tmp_path / "made"), mode(tmp_path / "replaced")) == (0o600, 0o600)


def test_making_never_overwrites_and_replacing_does(tmp_path: Path) -> None:
    file = tmp_path / "file"
    assert create_private(file, b"first")
    assert not create_private(file, b"second")
    assert file.read_bytes() == b"first"
    replace_private(file, b"third")
    assert file.read_bytes() == b"third"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(ConfigError, match="symbolic link"):
        replace_private(tmp_path / "link", b"x")
    assert not create_private(tmp_path / "link", b"x")
    assert not (tmp_path / "target").exists()


def test_settings_have_defaults(tmp_path: Path) -> None:
    assert settings(tmp_path) == settings(tmp_path / "nowhere") == Settings(None, None, 10)


def test_settings_come_from_the_file_and_variables_rise_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "handstamp.toml").write_text('vault = "sqlite:////a.db"\nbrowser = "/bin/a"\nhistory_versions = 3\n')
    assert settings(tmp_path) == Settings("sqlite:////a.db", "/bin/a", 3)
    monkeypatch.setenv("HANDSTAMP_VAULT", "sqlite:////b.db")
    monkeypatch.setenv("HANDSTAMP_BROWSER", "/bin/b")
    assert settings(tmp_path) == Settings("sqlite:////b.db", "/bin/b", 3)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("valt = 'x'", "sets 'valt', which is no setting; known are vault"),
        ("vault = 3", "sets 'vault' to something else than a text"),
        ("activity = 1001", "sets 'activity' to something else than a whole number from 0 to 1000"),
        ("activity = true", "sets 'activity' to something else than a whole number from 0 to 1000"),
        ("history_versions = 0", "sets 'history_versions' to something else than a whole number from 1"),
        ("history_versions = true", "sets 'history_versions'"),
        ("vault = ", "cannot be read"),
        ("\xff", "cannot be read"),
    ],
)
def test_a_wrong_settings_file_is_named_with_its_key(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "handstamp.toml").write_text(text, "latin-1")
    with pytest.raises(ConfigError, match=f"handstamp.toml {told}"):
        settings(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="modes and owners are POSIX")
def test_loose_permissions_are_found(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    create_private(home / "vault.key")
    assert permission_findings(home) == []
    home.chmod(0o755)
    (home / "vault.key").chmod(0o640)
    (home / "vault.db").symlink_to(tmp_path)
    found = {finding.subject: (finding.problem, finding.remedy) for finding in permission_findings(home)}
    assert found == {
        str(home): ("is open to other users (mode bits 055)", f"chmod 700 {home}"),
        str(home / "vault.key"): ("is open to other users (mode bits 040)", f"chmod 600 {home / 'vault.key'}"),
        str(home / "vault.db"): ("is a symbolic link, which handstamp does not follow", "put the real file or directory there"),
    }


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
def test_a_wrong_owner_is_found(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    os.chown(home, 12345, -1)
    assert [finding.problem for finding in permission_findings(home)] == ["belongs to user 12345, not to you"]
