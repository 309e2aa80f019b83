"""A Chromium of ours: started on a pipe, without a debugging port, on a user-data directory of its own that goes with it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from handstamp.browser.find import is_headless_shell
from handstamp.errors import BrowserMissing

_FLAGS = (
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-breakpad",
    "--disable-search-engine-choice-screen",
    "--disable-features=Translate,OptimizationHints,MediaRouter,HttpsUpgrades",
    "--disable-back-forward-cache",  # as Playwright does: its page objects do not survive a document that comes back
    "--disable-backgrounding-occluded-windows",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--password-store=basic",
    "--use-mock-keychain",
    "--metrics-recording-only",
    "about:blank",
)
_HEADLESS_FLAGS = ("--headless", "--hide-scrollbars", "--mute-audio", "--disable-gpu")
_FIRST_FREE_DESCRIPTOR = 10  # ours must not be 3 or 4, which the browser's ends become
_BROWSER_READS, _BROWSER_WRITES = 3, 4
_PREFIX = "handstamp-browser-"
_OWNER, _BROWSER = "owner", "browser"  # files with the identities of who made the directory and of the browser in it
_NOBODY = "0 ?"
_MAKING = 3600.0  # seconds after which a directory without a mark is nobody's
MEMORY = Path("/dev/shm")  # noqa: S108  (a file system in memory on Linux; what is made there is ours alone, mode 0700)
_GRACE = 3.0  # seconds that a browser gets to end by itself


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a browser. Two equal launches can share one browser.

    Args:
        executable: the program.
        headless: without a window.
        arguments: further command-line switches.
        apart: those who want a browser of their own name it here; a name of one has its own browser.
    """

    executable: Path
    headless: bool = True
    arguments: tuple[str, ...] = ()
    apart: str = ""

    def command(self, user_data: Path) -> list[str]:
        """The whole command line; it holds no secret."""
        headless = () if not self.headless else tuple(flag for flag in _HEADLESS_FLAGS if flag != "--headless" or not is_headless_shell(self.executable))
        sandbox = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
        return [str(self.executable), f"--user-data-dir={user_data}", *headless, *sandbox, *self.arguments, *_FLAGS]


class BrowserProcess:
    """A running browser and our two ends of its pipe.

    Attributes:
        pid: process id; also the id of its process group.
        reads: file descriptor from which its messages come.
        writes: file descriptor that takes messages to it.
        user_data: its directory.
    """

    def __init__(self, pid: int, reads: int, writes: int, user_data: Path) -> None:
        self.pid = pid
        self.reads = reads
        self.writes = writes
        self.user_data = user_data
        self._status: int | None = None
        self._ended = False

    @classmethod
    def start(cls, launch: Launch, user_data: Path | None = None) -> BrowserProcess:
        """Start it. `posix_spawn`, because a fork in a process with threads is not safe.

        Args:
            launch: how.
            user_data: one that `new_user_data` made and that holds what the browser is to find; by default a fresh one.

        Raises:
            BrowserMissing: the program cannot be started. The directory is removed.
        """
        sweep()
        user_data = user_data or new_user_data()
        browser_reads, we_write = _pipe()
        we_read, browser_writes = _pipe()
        try:
            pid = _spawn(launch.command(user_data), browser_reads, browser_writes)
        except OSError as error:
            for descriptor in (we_read, we_write):
                os.close(descriptor)
            shutil.rmtree(user_data, ignore_errors=True)
            message = f"the browser {launch.executable} does not start: {error.strerror}; install Chromium again or name another in HANDSTAMP_BROWSER"
            raise BrowserMissing(message) from error
        finally:
            os.close(browser_reads)
            os.close(browser_writes)
        (user_data / _BROWSER).write_text(_identity(pid))
        return cls(pid, we_read, we_write, user_data)

    async def end(self) -> None:
        """Wait until it has ended, with force after some seconds, and remove its directory. Its pipe must be closed before."""
        if self._ended:
            return
        self._ended = True
        await self.exited(within=_GRACE)
        for _ in range(20):
            _remove(self.user_data)
            if not self.user_data.exists():
                return
            await asyncio.sleep(0.05)  # a helper process still writes its last file

    async def exited(self, *, within: float) -> bool:
        """Wait until it has ended, with force after `within` seconds. Whether it ended by itself and in order, its files written."""
        deadline = time.monotonic() + within
        while self._status is None:
            if time.monotonic() > deadline:
                self.kill()
            self._status = _exit_status(self.pid)
            if self._status is None:
                await asyncio.sleep(0.01)
        self.kill()  # what is left of its group: renderers that outlive their browser for a moment
        return self._status == 0

    def kill(self) -> None:
        """End the browser and its helpers at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def new_user_data(folder: Path | None = None) -> Path:
    """A fresh directory that nobody but this user can enter, marked as this process's, so that `sweep` finds it when we are gone.

    Args:
        folder: where; by default the system's for temporary files. Only there and in `MEMORY` it is found again.
    """
    user_data = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
    (user_data / _OWNER).write_text(_identity(os.getpid()))
    return user_data


def sweep(*folders: Path) -> list[Path]:
    """Remove user-data directories whose owner (a process of ours, known by pid and start time) is gone. Returns them.

    A browser that is left of it is ended first: it would write into its directory to the last.

    Args:
        folders: where they may be; by default wherever `new_user_data` makes them.
    """
    removed = []
    for user_data in (found for folder in folders or (Path(tempfile.gettempdir()), MEMORY) for found in folder.glob(f"{_PREFIX}*")):
        with contextlib.suppress(OSError, ValueError):
            if not _runs(_read_owner(user_data)):
                _end_browser(user_data)
                _remove(user_data)
                removed.append(user_data)
    return removed


def _read_owner(user_data: Path) -> str:
    """Identity of its owner. One without a mark is being made, or what somebody left long ago."""
    try:
        return (user_data / _OWNER).read_text()
    except FileNotFoundError:
        if time.time() - user_data.stat().st_mtime < _MAKING:
            raise
        return _NOBODY


def _end_browser(user_data: Path) -> None:
    try:
        browser = (user_data / _BROWSER).read_text()
    except FileNotFoundError:
        return
    if _runs(browser):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(int(browser.partition(" ")[0]), signal.SIGKILL)
        deadline = time.monotonic() + _GRACE
        while _runs(browser) and time.monotonic() < deadline:
            time.sleep(0.005)


def _remove(user_data: Path) -> None:
    """As much of it as can be removed now. The mark goes last: without it `sweep` would not come back for what is left."""
    for path in user_data.glob("*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != _OWNER:
            path.unlink(missing_ok=True)
    if all(path.name == _OWNER for path in user_data.glob("*")):
        shutil.rmtree(user_data, ignore_errors=True)


def _identity(pid: int) -> str:
    """Pid and start time: a pid alone may be another process by now. One that has ended and waits for its parent has no start time."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        started = "?" if state in {"Z", "X"} else fields[18]
    except (OSError, IndexError, ValueError):
        started = "?" if sys.platform == "linux" else _alive(pid)
    return f"{pid} {started}"


def _runs(identity: str) -> bool:
    """Whether it is that of a running process."""
    pid, _, started = identity.partition(" ")
    return started != "?" and identity == _identity(int(pid))


def _alive(pid: int) -> str:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "?"
    except PermissionError:
        pass
    return "alive"


def _pipe() -> tuple[int, int]:
    ends = os.pipe()
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE_DESCRIPTOR) for end in ends)
    for end in ends:
        os.close(end)
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(moved[1], fcntl.F_SETPIPE_SZ, 1 << 20)  # fewer wake-ups for large messages; a wish, not a need
    return moved[0], moved[1]


def _spawn(command: list[str], browser_reads: int, browser_writes: int) -> int:
    quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    pipes = [(os.POSIX_SPAWN_DUP2, browser_reads, _BROWSER_READS), (os.POSIX_SPAWN_DUP2, browser_writes, _BROWSER_WRITES)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HANDSTAMP_")}
    return os.posix_spawn(command[0], command, environment, file_actions=[*quiet, *pipes], setpgroup=0)


def _exit_status(pid: int) -> int | None:
    """0 when it ended in order, None while it runs, -1 when somebody else has taken its status."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return -1
    return os.waitstatus_to_exitcode(status) if ended else None
