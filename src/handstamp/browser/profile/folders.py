"""Which files of a Chromium user-data directory carry what sites have left there. An allowlist: what is not named is not kept.

Left out, since it comes again by itself or is nobody's login: all caches (HTTP, code, GPU, shared dictionaries), history, icons,
saved passwords and autofill, sync, crash reports, models and hints. `Session Storage` is left out, too: Chromium gives it back
only to tabs that it reopens itself, so it travels by CDP, tab by tab, as in any other session.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PROFILE = "Default"
FOLDERS = frozenset(
    {
        "File System",  # OPFS and the older sandboxed file system
        "IndexedDB",  # of first parties; with the CryptoKeys that no script can export
        "Local Storage",
        "Service Worker",  # registrations, their scripts, and the Cache API
        "WebStorage",  # storage buckets, and the databases and caches of third parties by top-level site
    }
)
FILES = frozenset(
    {
        "Cookies",
        "Device Bound Sessions",
        "MediaDeviceSalts",  # by which a site knows camera and microphone again
        "Preferences",  # what a person has allowed sites to do
        "TransportSecurity",  # sites that want HTTPS only
        "Trust Tokens",
    }
)
_IN_FOLDER = "Network"  # where some systems keep those files that belong to the network service
_SQLITES_OWN = ("-journal", "-wal")
_NOTES = frozenset({"LOCK", "LOG", "LOG.old"})  # of LevelDB: a lock, and what it says about its work


def matters(path: str) -> bool:
    """Whether a file is kept.

    Args:
        path: relative to the user-data directory, with slashes.
    """
    top, *names = path.split("/")
    if top != _PROFILE or not names or any(name in {"", ".", ".."} for name in names) or "\0" in path:
        return False
    if names[0] in FOLDERS:
        return len(names) > 1 and names[-1] not in _NOTES
    if names[0] == _IN_FOLDER:
        names = names[1:]
    return len(names) == 1 and _plain(names[0]) in FILES


def _plain(name: str) -> str:
    """The name of the database that a file belongs to."""
    for own in _SQLITES_OWN:
        name = name.removesuffix(own)
    return name


def kept_files(user_data: Path) -> Iterator[tuple[str, Path]]:
    """The files that matter: relative path with slashes, and where it is. Empty journals say nothing, links are followed by nobody."""
    for folder, folders, names in os.walk(user_data / _PROFILE):
        folders.sort()
        for name in sorted(names):
            file = user_data / folder / name
            path = file.relative_to(user_data).as_posix()
            if matters(path) and file.is_file() and not file.is_symlink() and not (name.endswith(_SQLITES_OWN) and file.stat().st_size == 0):
                yield path, file
