"""Debian's packages: which are needed (`requirements/debian.txt`), whether we may install them, and the command for who may."""

from __future__ import annotations

import os
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from console import ROOT, SetupError, log_file, run, step

LIST = ROOT / "requirements" / "debian.txt"


class Package(NamedTuple):
    """A row of `requirements/debian.txt`."""

    purpose: str
    name: str
    program: str


def packages(purpose: str) -> list[Package]:
    """The listed packages for one purpose: `driver`, `browser` or `test`."""
    rows = (line.partition("#")[0].split() for line in LIST.read_text(encoding="utf-8").splitlines())
    return [package for package in (Package(*row) for row in rows if row) if package.purpose == purpose]


def names(purpose: str) -> list[str]:
    """Their names alone."""
    return [package.name for package in packages(purpose)]


def has_apt() -> bool:
    """Whether apt-get is here."""
    return shutil.which("apt-get") is not None


@cache
def is_debian() -> bool:
    """Whether this is Debian or a derivative with its Chromium packages (Ubuntu's are snaps, which do not do here)."""
    release = _os_release()
    return has_apt() and "debian" in release and "ubuntu" not in release


def install(wanted: list[str], *, why: str) -> None:
    """Installs packages with apt-get; the noise goes to a log.

    Args:
        wanted: names of Debian packages.
        why: what cannot be done without them, as the beginning of a sentence.

    Raises:
        SetupError: apt-get failed, or we are not root; then the message is the command to run.
    """
    if not has_apt():
        message = f"{why}. Install what your system calls {', '.join(wanted)}, then run make again"
        raise SetupError(message)
    if os.geteuid() != 0:
        message = f"{why}. Run this, then make again:\n\n    {command(wanted)}\n"
        raise SetupError(message)
    with step(f"apt-get: {', '.join(wanted)} (log: {log_file('apt')})"):
        _update()
        _apt_get("install", "-y", "--no-install-recommends", *wanted)


def command(wanted: list[str]) -> str:
    """What a person types to install these."""
    return f"sudo apt-get update && sudo apt-get install -y --no-install-recommends {' '.join(wanted)}"


def venv_package() -> str:
    """The package that gives the running Python its venv module: the default Python's has a name of its own."""
    is_default = Path("/usr/bin/python3").resolve() == Path(sys.executable).resolve()
    return "python3-venv" if is_default else f"python3.{sys.version_info.minor}-venv"


@cache
def _update() -> None:
    _apt_get("update")


def _apt_get(*arguments: str) -> None:
    # Waits for another apt on the machine instead of failing beside it.
    run("apt-get", "-o", "DPkg::Lock::Timeout=300", *arguments, log="apt", settings={"DEBIAN_FRONTEND": "noninteractive"})


def _os_release() -> set[str]:
    """The words of ID and ID_LIKE (os-release(5))."""
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    pairs = (line.partition("=") for line in lines)
    return {word for name, _, value in pairs if name in {"ID", "ID_LIKE"} for word in value.strip("\"'").split()}
