"""Where things are kept: the home directory, its private files, and the settings in it.

    <home>/handstamp.toml    settings, all optional
    <home>/vault.db          the default vault (and its -wal, -shm)
    <home>/vault.key         its key, when no better source is there
    <home>/server.token      what `handstamp serve` wants to see from callers on this machine
    <home>/sites/            recipes

Directories are 0700 and files 0600 from their first byte, whatever the umask; symbolic links are refused, since who may
plant one could make us read or write elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from handstamp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SETTINGS_FILE = "handstamp.toml"
_WHOLE = "a whole number from 1"
_MAYBE_NONE = "a whole number from 0 to 1000"
_TABLE = "a table"
_WANTED = {
    "vault": "a text",
    "browser": "a text",
    "history_versions": _WHOLE,
    "history_days": _WHOLE,
    "events_days": _WHOLE,
    "inactive_days": _WHOLE,
    "archive_days": _WHOLE,
    "login_budget": _WHOLE,
    "challenge_seconds": _WHOLE,
    "solver_url": "a text",
    "captcha_api_key": "a text",
    "activity": _MAYBE_NONE,
    "server": _TABLE,
    "mcp": _TABLE,
}
_MOST_ACTIVITY = 1000
_PRIVATE_FILES = (SETTINGS_FILE, "vault.db", "vault.db-wal", "vault.db-shm", "vault.key", "server.token")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that `handstamp doctor` should tell.

    Args:
        subject: what it is about: a path, or a record by name; never a value.
        problem: what is wrong, half a sentence.
        remedy: what to do.
    """

    subject: str
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What `handstamp.toml` may say; `HANDSTAMP_VAULT`, `HANDSTAMP_BROWSER`, `HANDSTAMP_SOLVER_URL` and `HANDSTAMP_CAPTCHA_API_KEY` rise above the file.

    Args:
        vault: URL of the vault; None for the file in the home directory.
        browser: path or URL of the browser to use; None to look for one.
        history_versions: how many earlier versions of each part the vault keeps for rollback.
        history_days: how long it keeps them, and deletions, at most; removed by `handstamp cleanup`, as all that follows.
        events_days: how long it keeps events.
        inactive_days: after how long without use a session goes into the archive, without its storage state; None for never.
        archive_days: how long it stays there.
        login_budget: failed logins of an account until a person has to look.
        challenge_seconds: how long a login waits for an answer to what the site asks.
        solver_url: of a service that reads captchas.
        captcha_api_key: what that service wants to see.
        activity: how many of the last visits, links, submissions and downloads a session remembers; 0 for none.
        server: the table of `handstamp serve`, as it stands there; `handstamp.server` checks it.
        mcp: the table of `handstamp mcp`; `handstamp.mcp` checks it.
    """

    vault: str | None = None
    browser: str | None = None
    history_versions: int = 10
    history_days: int = 365
    events_days: int = 365
    inactive_days: int | None = None
    archive_days: int = 365
    login_budget: int = 3
    challenge_seconds: int = 300
    solver_url: str | None = None
    captcha_api_key: str | None = field(default=None, repr=False)
    activity: int = 200
    server: Mapping[str, Any] = field(default_factory=dict)
    mcp: Mapping[str, Any] = field(default_factory=dict)


def home() -> Path:
    """The home directory: `HANDSTAMP_HOME`, else the system's place for it. Absolute; makes and checks nothing.

    Raises:
        ConfigError: there is neither that variable nor a user with a home.
    """
    if chosen := os.environ.get("HANDSTAMP_HOME"):
        return Path(os.path.abspath(Path(chosen).expanduser()))  # noqa: PTH100  (resolve() would follow the links that we refuse)
    try:
        return _windows_home() if sys.platform == "win32" else Path.home() / ".config" / "handstamp"
    except RuntimeError:
        raise ConfigError("this user has no home directory; set HANDSTAMP_HOME to a directory for handstamp's files") from None


def _windows_home() -> Path:
    local = os.environ.get("LOCALAPPDATA")
    return (Path(local) if local else Path.home() / "AppData" / "Local") / "handstamp"


def make_home(path: Path | None = None) -> Path:
    """The home directory (or `path`), made with mode 0700 when it is not there.

    Raises:
        ConfigError: it is a symbolic link, not a directory, or cannot be made.
    """
    path = home() if path is None else path
    refuse_symlink(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
            path.chmod(0o700)  # a umask can only have taken too much
            _sync_directory(path.parent)
    except OSError as error:
        raise ConfigError(f"{path} cannot be made ({error.strerror}); set HANDSTAMP_HOME to a directory that you can write") from None
    if not path.is_dir():
        raise ConfigError(f"{path} is not a directory; move it away, or set HANDSTAMP_HOME to another place")
    return path


def refuse_symlink(path: Path) -> None:
    """Let nothing pass that points elsewhere.

    Raises:
        ConfigError: `path` is a symbolic link.
    """
    if path.is_symlink():
        raise ConfigError(f"{path} is a symbolic link, which handstamp does not follow; put the real one there, or set HANDSTAMP_HOME to where it is")


def create_private(path: Path, data: bytes = b"") -> bool:
    """Make `path` with `data`, mode 0600, durable and all at once; False when something is there already.

    Raises:
        OSError: the directory cannot be written.
    """
    with _written_beside(path, data) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        _sync_directory(path.parent)
        return True


def replace_private(path: Path, data: bytes) -> None:
    """Put `data` at `path`, mode 0600: whole or not at all, also when the machine stops half-way.

    Raises:
        ConfigError: `path` is a symbolic link.
        OSError: the directory cannot be written.
    """
    refuse_symlink(path)
    with _written_beside(path, data) as temporary:
        temporary.replace(path)
        _sync_directory(path.parent)


@contextlib.contextmanager
def writing_private(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that is at `path`, mode 0600, when it is left: whole, or by an error not at all.

    Raises:
        ConfigError: `path` is a symbolic link.
        OSError: the directory cannot be written.
    """
    refuse_symlink(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o600)
        temporary.replace(path)
        _sync_directory(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _written_beside(path: Path, data: bytes) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o600)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _sync_directory(path: Path) -> None:
    """Makes a new name durable; Windows has no such call and needs none."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def settings(path: Path | None = None) -> Settings:
    """What the settings file in the home directory (or `path`) and the environment say; defaults without them.

    Raises:
        ConfigError: the file is not TOML, or has a key that is unknown or of the wrong type; names file and key.
    """
    file = (home() if path is None else path) / SETTINGS_FILE
    given = _read(file)
    for name in ("vault", "browser", "solver_url", "captcha_api_key"):
        if value := os.environ.get(f"HANDSTAMP_{name.upper()}"):
            given[name] = value
    if seconds := os.environ.get("HANDSTAMP_CHALLENGE_SECONDS"):
        if not (seconds.isascii() and seconds.isdigit() and int(seconds)):
            raise ConfigError(f"HANDSTAMP_CHALLENGE_SECONDS must be {_WHOLE}")
        given["challenge_seconds"] = int(seconds)
    return Settings(**given)


def _read(file: Path) -> dict[str, Any]:
    refuse_symlink(file)
    try:
        given = tomllib.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{file} cannot be read: {reason}") from None
    _check(file, given)
    return given


def _check(file: Path, given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if name not in _WANTED:
            raise ConfigError(f"{file} sets '{name}', which is no setting; known are {', '.join(_WANTED)}")
        if not _fits(name, value):
            raise ConfigError(f"{file} sets '{name}' to something else than {_WANTED[name]}")


def _fits(name: str, value: object) -> bool:
    if _WANTED[name] == _WHOLE:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if _WANTED[name] == _MAYBE_NONE:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_ACTIVITY
    return isinstance(value, dict if _WANTED[name] == _TABLE else str)


def permission_findings(path: Path | None = None) -> list[Finding]:
    """What is wrong with owner, mode or kind of the home directory (or `path`) and of the private files in it."""
    path = home() if path is None else path
    return [finding for item in (path, *(path / name for name in _PRIVATE_FILES), *sorted(path.glob("vault-*.key"))) for finding in file_findings(item)]


def file_findings(path: Path) -> Iterator[Finding]:
    """What is wrong with owner, mode or kind of one private file or directory; nothing when it is not there."""
    try:
        status = path.lstat()
    except OSError:
        return
    if stat.S_ISLNK(status.st_mode):
        yield Finding(str(path), "is a symbolic link, which handstamp does not follow", "put the real file or directory there")
    elif sys.platform != "win32":
        if status.st_uid != os.geteuid():
            remedy = f"chown it to user {os.geteuid()}, or set HANDSTAMP_HOME to a place of your own"
            yield Finding(str(path), f"belongs to user {status.st_uid}, not to you", remedy)
        if loose := stat.S_IMODE(status.st_mode) & 0o077:
            wanted = "700" if stat.S_ISDIR(status.st_mode) else "600"
            yield Finding(str(path), f"is open to other users (mode bits {loose:03o})", f"chmod {wanted} {path}")
