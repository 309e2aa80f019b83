"""Which files of a browser's directory are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from handstamp.browser.profile.folders import kept_files, matters

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "path",
    [
        "Default/Cookies",
        "Default/Cookies-journal",
        "Default/Network/Cookies",
        "Default/Preferences",
        "Default/IndexedDB/https_a.example_0.indexeddb.leveldb/000003.log",
        "Default/IndexedDB/https_a.example_0.indexeddb.leveldb/CURRENT",
        "Default/IndexedDB/https_a.example_0.indexeddb.blob/1/00/1",
        "Default/Local Storage/leveldb/MANIFEST-000001",
        "Default/Service Worker/CacheStorage/a/b/index-dir/the-real-index",
        "Default/Service Worker/ScriptCache/index",
        "Default/WebStorage/QuotaManager",
        "Default/WebStorage/2/IndexedDB/indexeddb.leveldb/000003.log",
        "Default/File System/000/t/00/00000001",
    ],
)
def test_what_sites_have_left_is_kept(path: str) -> None:
    assert matters(path)


@pytest.mark.parametrize(
    "path",
    [
        "owner",
        "Local State",
        "Default",
        "Default/Cache/Cache_Data/index",
        "Default/Code Cache/js/index",
        "Default/GPUCache/data_0",
        "Default/History",
        "Default/Login Data",
        "Default/Web Data",
        "Default/Session Storage/000003.log",
        "Default/Sessions/Tabs_1",
        "Default/IndexedDB",
        "Default/IndexedDB/a/LOCK",
        "Default/IndexedDB/a/LOG.old",
        "Default/Network/Reporting and NEL",
        "Crashpad/settings.dat",
        "Guest Profile/Cookies",
    ],
)
def test_what_comes_again_or_is_nobodys_login_is_not(path: str) -> None:
    assert not matters(path)


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../Default/Cookies", "Default/../Default/Cookies", "Default/IndexedDB/../../../x", "Default//Cookies", "Default/IndexedDB/a\0b"],
)
def test_a_path_that_leads_elsewhere_is_none_of_ours(path: str) -> None:
    assert not matters(path)


def test_kept_files_are_found_without_links_and_empty_journals(tmp_path: Path) -> None:
    default = tmp_path / "Default"
    (default / "IndexedDB" / "a").mkdir(parents=True)
    for name, text in {"Cookies": "c", "Cookies-journal": "", "History": "h", "IndexedDB/a/1.ldb": "", "IndexedDB/a/LOCK": ""}.items():
        (default / name).write_text(text)
    (default / "Preferences").symlink_to(tmp_path / "elsewhere")
    assert [path for path, _ in kept_files(tmp_path)] == ["Default/Cookies", "Default/IndexedDB/a/1.ldb"]


def test_a_journal_with_something_in_it_is_kept(tmp_path: Path) -> None:
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default" / "Cookies-journal").write_text("not finished")
    assert [path for path, _ in kept_files(tmp_path)] == ["Default/Cookies-journal"]
