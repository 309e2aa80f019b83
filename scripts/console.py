"""How setup talks: one line per step with the seconds it took, the noise of tools in log files, one sentence on failure."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "build" / "setup"
_LINE_WIDTH = 96
_TAIL_LINES = 8


class SetupError(Exception):
    """Setup cannot go on; the message says what to do."""


@contextmanager
def step(what: str) -> Iterator[None]:
    """Says what is being done before it is done, and how long it took after."""
    print(f"  {what + ' ':.<{_LINE_WIDTH}} ", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - started:.1f} s", flush=True)


def note(sentence: str) -> None:
    """A line without a time."""
    print(f"  {sentence}", flush=True)


def log_file(name: str) -> Path:
    """Where the output of the tool of this name goes, as a path for people: relative to the checkout."""
    return (LOGS / f"{name}.log").relative_to(ROOT)


def run(*command: str | Path, log: str, timeout: float = 1800.0, settings: Mapping[str, str] | None = None) -> None:
    """Runs a tool in the checkout, with its output added to the log file `log`.

    Args:
        *command: program and arguments.
        log: name of the log file, see `log_file`.
        timeout: seconds.
        settings: environment variables besides those of this process.

    Raises:
        SetupError: it cannot be started, failed, or took too long; with the end of its output.
    """
    words = [str(word) for word in command]
    path = ROOT / log_file(log)
    path.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **(settings or {})}
    with path.open("a", encoding="utf-8") as output:
        start = output.tell()
        try:
            subprocess.run(words, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=timeout, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            message = f"`{shlex.join(words)}` failed: {_outcome(error)}. Its whole output is in {log_file(log)}; the end of it:\n{_tail(path, start)}"
            raise SetupError(message) from error


def _outcome(error: Exception) -> str:
    match error:
        case subprocess.CalledProcessError():
            return f"exit status {error.returncode}"
        case subprocess.TimeoutExpired():
            return f"no end within {error.timeout:.0f} s"
        case _:
            return str(error)


def _tail(path: Path, start: int) -> str:
    written = path.read_bytes()[start:].decode(errors="replace")
    return "\n".join(f"    {line}" for line in written.splitlines()[-_TAIL_LINES:])
