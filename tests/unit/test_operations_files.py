"""Files that operations made: names that nobody guesses, for their user only, for a day."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies

from handstamp.errors import ConfigError, OperationFailed
from handstamp.operations import Files
from handstamp.operations.files import made_name

if TYPE_CHECKING:
    from pathlib import Path

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*-[0-9a-f]{32}\.[a-z0-9]+")


@pytest.mark.parametrize(
    ("shown", "stem", "kind"),
    [
        ("containers.xlsx", "containers", "xlsx"),
        ("The Page.PNG", "the-page", "png"),
        ("../../etc/passwd", "passwd", "bin"),
        ("page.html", "page", "bin"),  # a browser would run what is in it
        ("évil\n.sh", "vil", "bin"),
        ("", "file", "bin"),
        ("x" * 300 + ".csv", "x" * 40, "csv"),
        ("-rf.txt", "rf", "txt"),
    ],
)
def test_a_name_says_what_it_is_and_no_more(shown: str, stem: str, kind: str) -> None:
    found = made_name(shown)
    assert found.startswith(f"{stem}-")
    assert found.endswith(f".{kind}")


@given(strategies.text())
def test_whatever_is_asked_for_a_name_is_safe_and_its_own(shown: str) -> None:
    first, second = made_name(shown), made_name(shown)
    assert NAME.fullmatch(first)
    assert first != second
    assert len(first) < 100


def test_what_is_put_is_found_for_its_user_only(tmp_path: Path) -> None:
    files = Files(tmp_path / "files", base="/files/")
    kept = files.put("list.csv", b"a;b")
    assert kept.url == f"/files/{kept.name}" == files.url_of(kept.name)
    assert files.find(kept.name) == kept.path
    assert kept.path.read_bytes() == b"a;b"
    assert (kept.path.stat().st_mode & 0o777, files.folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert Files(tmp_path / "files").put("x.txt", b"").url == str(next(tmp_path.glob("files/x-*")))


def test_only_its_own_names_are_found(tmp_path: Path) -> None:
    files = Files(tmp_path / "files")
    kept = files.put("list.csv", b"a")
    (tmp_path / "secret").write_text("s")
    (files.folder / "notes.txt").write_text("n")
    link = files.folder / kept.name.replace("list", "link")
    link.symlink_to(tmp_path / "secret")
    for name in ("", ".", "..", "../secret", "notes.txt", f"../files/{kept.name}", f"{kept.name}\x00", link.name, kept.name.upper(), f"{kept.name}\n"):
        assert files.find(name) is None, name


def test_after_its_time_a_file_is_not_found_and_is_swept_with_what_was_half_written(tmp_path: Path) -> None:
    files = Files(tmp_path / "files")
    old, new = files.put("old.csv", b""), files.put("new.csv", b"")
    half, foreign = files.folder / f".{new.name}.{'0' * 16}", files.folder / "notes.txt"
    half.touch()
    foreign.touch()
    yesterday = time.time() - 86_500
    for path in (old.path, half, foreign):
        os.utime(path, (yesterday, yesterday))
    assert files.find(old.name) is None
    assert files.sweep() == 2
    assert {path.name for path in files.folder.iterdir()} == {new.name, "notes.txt"}  # what is not its own stays


def test_a_file_from_the_future_gets_its_time_from_now(tmp_path: Path) -> None:
    files = Files(tmp_path / "files")
    kept = files.put("a.csv", b"")
    later = time.time() + 1_000_000
    os.utime(kept.path, (later, later))
    assert files.sweep() == 0
    assert abs(kept.path.stat().st_mtime - time.time()) < 100
    assert files.find(kept.name) == kept.path


def test_a_clock_that_jumps_ages_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files(tmp_path / "files")
    real = time.time
    kept = files.put("a.csv", b"")
    monkeypatch.setattr(time, "time", lambda: real() + 1_000_000)
    assert files.sweep() == 0
    assert files.find(kept.name) == kept.path


def test_a_folder_that_is_a_link_or_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").touch()
    for name in ("link", "file"):
        with pytest.raises(ConfigError, match=name):
            Files(tmp_path / name).put("a.csv", b"")


def test_a_disk_that_takes_no_more_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    files = Files(tmp_path / "files")
    kept = files.put("before.csv", b"x")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OperationFailed, match="No space left on device"):
        files.put("a.csv", b"x")
    assert list(files.folder.iterdir()) == [kept.path]
