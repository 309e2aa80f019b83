"""Directories of browsers: whose they are, and what becomes of those whose owner is gone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from handstamp.browser.process import new_user_data, sweep

if TYPE_CHECKING:
    from pathlib import Path

LONG_AGO = 1_000_000.0


def left_by(folder: Path, mark: str | None) -> Path:
    """A directory with a file in it, as somebody left it long ago."""
    user_data = new_user_data(folder)
    (user_data / "Default").mkdir()
    (user_data / "Default" / "Cookies").write_text("secret")
    (user_data / "SingletonLock").symlink_to("nowhere")
    if mark is None:
        (user_data / "owner").unlink()
    else:
        (user_data / "owner").write_text(mark)
    os.utime(user_data, (LONG_AGO, LONG_AGO))
    return user_data


def test_a_directory_is_for_its_user_alone(tmp_path: Path) -> None:
    assert new_user_data(tmp_path).stat().st_mode & 0o777 == 0o700


def test_a_directory_of_a_living_process_stays(tmp_path: Path) -> None:
    user_data = new_user_data(tmp_path)
    assert sweep(tmp_path) == []
    assert user_data.exists()


def test_what_a_dead_process_left_is_removed(tmp_path: Path) -> None:
    pid = os.getpid()
    left = [left_by(tmp_path, mark) for mark in (f"{pid} 1", "999999999 17", "0 ?")]
    (left[0] / "browser").write_text(f"{pid} 1")  # another process has its number by now
    assert set(sweep(tmp_path)) == set(left)
    assert list(tmp_path.iterdir()) == []


def test_one_without_a_mark_is_removed_when_nobody_can_be_making_it_any_more(tmp_path: Path) -> None:
    left = left_by(tmp_path, None)
    fresh = left_by(tmp_path, None)
    os.utime(fresh)
    assert sweep(tmp_path) == [left]
    assert fresh.exists()


def test_a_mark_that_says_nothing_is_left_to_a_person(tmp_path: Path) -> None:
    left = left_by(tmp_path, "nonsense")
    assert sweep(tmp_path) == []
    assert left.exists()
