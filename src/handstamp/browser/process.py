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
_OWNER = "owner"
_GRACE = 3.0  # seconds that a browser gets to end by itself


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a browser. Two equal launches can share one browser.

    Args:
        executable: the program.
        headless: without a window.
        arguments: further command-line switches.
    """

    executable: Path
    headless: bool = True
    arguments: tuple[str, ...] = ()

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
        user_data: its directory, removed by `end`.
    """

    def __init__(self, pid: int, reads: int, writes: int, user_data: Path) -> None:
        self.pid = pid
        self.reads = reads
        self.writes = writes
        self.user_data = user_data
        self._ended = False

    @classmethod
    def start(cls, launch: Launch) -> BrowserProcess:
        """Start it. `posix_spawn`, because a fork in a process with threads is not safe.

        Raises:
            BrowserMissing: the program cannot be started.
        """
        sweep()
        user_data = Path(tempfile.mkdtemp(prefix=_PREFIX))
        (user_data / _OWNER).write_text(_identity(os.getpid()))
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
        return cls(pid, we_read, we_write, user_data)

    async def end(self) -> None:
        """Wait until it has ended, with force after some seconds, and remove its directory. Its pipe must be closed before."""
        if self._ended:
            return
        self._ended = True
        deadline = time.monotonic() + _GRACE
        while not _reaped(self.pid):
            if time.monotonic() > deadline:
                self.kill()
            await asyncio.sleep(0.01)
        self.kill()  # what is left of its group: renderers that outlive their browser for a moment
        for _ in range(20):
            shutil.rmtree(self.user_data, ignore_errors=True)
            if not self.user_data.exists():
                return
            await asyncio.sleep(0.05)  # a helper process still writes its last file

    def kill(self) -> None:
        """End the browser and its helpers at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def sweep(folder: Path | None = None) -> list[Path]:
    """Remove user-data directories whose owner (a process of ours, known by pid and start time) is gone. Returns them."""
    removed = []
    for user_data in (folder or Path(tempfile.gettempdir())).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            owner = (user_data / _OWNER).read_text()
            if owner != _identity(int(owner.partition(" ")[0])):
                shutil.rmtree(user_data, ignore_errors=True)
                removed.append(user_data)
    return removed


def _identity(pid: int) -> str:
    """Pid and start time: a pid alone may be another process by now."""
    try:
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        started = "?" if sys.platform == "linux" else _alive(pid)
    return f"{pid} {started}"


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


def _reaped(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True
