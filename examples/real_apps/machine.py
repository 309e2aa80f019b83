"""What the apps have in common on this machine: folders to install into, free ports, processes that are ended by their id."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).resolve().parent
START_SECONDS = 60.0
INSTALL_SECONDS = 240.0


class NotHere(Exception):
    """A program that an app is installed with or runs on is not on this machine."""


class DoesNotStart(Exception):
    """The app has ended, or does not answer; says where its log is."""


@dataclass(frozen=True)
class Running:
    """An app that answers.

    Args:
        url: where, without a path.
        log: the file that it writes to.
    """

    url: str
    log: Path


def install_python(folder: Path, name: str) -> Path:
    """Makes a virtual environment in `folder` with the pinned packages of ``requirements/<name>.txt``.

    Returns:
        The environment's folder of programs.
    """
    environment = folder / "venv"
    wanted = HERE / "requirements" / f"{name}.txt"
    uv = shutil.which("uv")
    if not (environment / "bin").exists():
        _run([uv, "venv", "--quiet", "--python", sys.executable, environment] if uv else [sys.executable, "-m", "venv", environment])
    python = environment / "bin" / "python"
    _run([uv, "pip", "install", "--quiet", "--python", python, "-r", wanted] if uv else [python, "-m", "pip", "install", "--quiet", "-r", wanted])
    return environment / "bin"


def install_node(folder: Path, name: str) -> Path:
    """Installs ``packages/<name>/package.json`` in `folder`, without running scripts of packages.

    Returns:
        The folder of its programs; they are for ``node``.

    Raises:
        NotHere: node or npm is missing.
    """
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise NotHere(f"{program} is not on PATH; install Node.js 20 or newer")
    shutil.copytree(HERE / "packages" / name, folder, dirs_exist_ok=True)
    if not (folder / "node_modules" / ".bin").exists():
        _run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"], folder=folder)
    return folder / "node_modules" / ".bin"


@contextlib.contextmanager
def running(command: list[str | Path], folder: Path, port: int, *, settings: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Runs an app in `folder` until the end of the block, and waits until it answers.

    Args:
        command: starts it on `port` of 127.0.0.1.
        folder: its own; home, settings and log are there.
        port: a free one.
        settings: environment variables of its own.

    Raises:
        DoesNotStart: it does not answer within a minute.
    """
    log = folder / "log"
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", "DO_NOT_TRACK": "1"}
    with log.open("wb") as sink:
        process = subprocess.Popen(command, cwd=folder, env=clean | dict(settings or {}), stdout=sink, stderr=sink, start_new_session=True)
    try:
        _wait(process, url := f"http://127.0.0.1:{port}", log)
        yield Running(url, log)
    finally:
        _end(process)


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _run(command: list[str | Path | None], *, folder: Path | None = None) -> None:
    done = subprocess.run([str(word) for word in command], cwd=folder, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
    if done.returncode != 0:
        raise DoesNotStart(f"{' '.join(map(str, command[:3]))} … ended with {done.returncode}: {done.stderr.strip()[-600:]}")


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise DoesNotStart(f"{url} does not answer; its log ends: {log.read_text(errors='replace')[-600:]}")
        time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310  (http at 127.0.0.1)
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """It and what it started: they are one process group, which has its id."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
            return
