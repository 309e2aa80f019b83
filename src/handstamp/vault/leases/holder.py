"""Who holds a lease: a process, named so that a later process with the same number is not taken for it."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

_PROC = Path("/proc")
_STATE, _START_TIME = 0, 19  # fields 3 and 22 of /proc/PID/stat, counted after the name (proc(5))


@dataclass(frozen=True, slots=True)
class Holder:
    """A process.

    Args:
        host: the machine's name, for people.
        boot: the kernel's boot id; empty where the system has none, and then nobody can look at the process.
        namespace: of process numbers; a container has its own.
        pid: process number within that namespace.
        started: start time in the kernel's ticks, as text.
    """

    host: str
    boot: str
    namespace: str
    pid: int
    started: str

    def __str__(self) -> str:
        return f"pid {self.pid} on {self.host}"

    def visible_from(self, other: Holder) -> bool:
        """Whether `other` can look at this process: same kernel since the same boot, same process numbers."""
        return bool(self.boot) and (self.boot, self.namespace) == (other.boot, other.namespace)

    def text(self) -> str:
        """As JSON, for the row."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> Holder:
        """From `text`; from damaged text a process that nobody can look at, so that its lease ends by time or is broken."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return cls("(damaged record)", "", "", 0, "")


def this_process() -> Holder:
    """The calling process. Where there is no /proc it is not visible to anybody, so that its leases end by time only."""
    pid, started = os.getpid(), None
    with contextlib.suppress(OSError):
        started = _start_time(pid)
    return Holder(platform.node(), _boot_id() if started else "", _namespace(), pid, started or "")


def alive(holder: Holder) -> bool:
    """Whether this process, which must be visible from here, still runs. A zombie does not; one that cannot be looked at may."""
    try:
        return _start_time(holder.pid) == holder.started
    except (FileNotFoundError, ProcessLookupError):
        return _hidden(holder.pid)
    except OSError:  # we ran out of files or memory: no reason to take anything from anybody
        return _there(holder.pid)


def _hidden(pid: int) -> bool:
    """Whether a process of another user has this number: /proc mounted with hidepid does not show it, so it counts as alive."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _there(pid: int) -> bool:
    """Whether a process has this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _start_time(pid: int) -> str | None:
    """When it started, None of a zombie; raises `OSError` when it cannot be read."""
    fields = (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return None if fields[_STATE] in {"Z", "X", "x"} else fields[_START_TIME]


def _boot_id() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return ""
