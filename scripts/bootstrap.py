"""Makes a checkout ready to run: uv, `.venv` from the hashed lock, handstamp itself, a browser.

    scripts/bootstrap setup     what `handstamp demo` and the developers' tools need
    scripts/bootstrap test      the same, and the programs that only the test suite needs
    scripts/bootstrap lock      writes requirements/*.txt anew (`--upgrade`: with newer versions)

Each step looks first and does only what is missing. What was done is noted in `.venv`, so that a run with nothing to do
starts no other program. Only the standard library: this runs before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import browser
import debian
import npm
from console import ROOT, SetupError, log_file, note, run, step

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
DONE = VENV / "handstamp-setup.json"
LOCK = ROOT / "requirements" / "all.txt"
UV_LOCK = ROOT / "requirements" / "uv.txt"
OWN_UV = ROOT / ".tools" / "uv"
# The first that knows dependency groups in `pip compile`; an older one on PATH is passed over.
OLDEST_UV = (0, 7)
COMPILE = ("pip", "compile", "--quiet", "--universal", "--generate-hashes", "--python-version", "3.11", "--custom-compile-command", "make lock")
# Setup uses the Python that runs it, and never brings another.
UV_SETTINGS = {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}


def main() -> int:
    """Does what the command line says; the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/bootstrap", description="Makes this checkout ready to run.")
    parser.add_argument("what", choices=("setup", "test", "lock"))
    parser.add_argument("--upgrade", action="store_true", help="with lock: take the newest versions")
    arguments = parser.parse_args()
    try:
        if arguments.what == "lock":
            lock(upgrade=arguments.upgrade)
        else:
            setup(with_tests=arguments.what == "test")
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"\n'{error.filename}' may not be written by this user; work in a checkout of your own, or ask its owner to run make", file=sys.stderr)
        return 1
    return 0


def setup(*, with_tests: bool) -> None:
    """Brings `.venv` and the browser up to date."""
    make_environment()
    done = _Done()
    install_packages(done)
    install_handstamp(done)
    path = ensure_browser(done)
    if with_tests:
        ensure_test_programs()
        ensure_npm_packages(done)
    note(f"ready: Python {sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro} in .venv, browser {path}")


def make_environment() -> None:
    """An empty `.venv` of the running Python, unless that is `.venv`'s own already (`scripts/bootstrap` tries it first)."""
    if Path(sys.prefix) == VENV:
        return
    uv = find_uv()
    with step(f".venv: made with {sys.executable}"):
        shutil.rmtree(VENV, ignore_errors=True)
        run(uv, "venv", "--python", sys.executable, VENV, log="uv", settings=UV_SETTINGS)


def install_packages(done: _Done) -> None:
    """Exactly the packages of the lock, each checked against its hash."""
    state = _digest(LOCK)
    if done["packages"] == state:
        return
    done.forget()
    uv = find_uv()
    with step(f".venv: packages of {LOCK.relative_to(ROOT)}, checked by hash (log: {log_file('uv')})"):
        run(uv, "pip", "sync", "--require-hashes", "--python", PYTHON, LOCK, log="uv", settings=UV_SETTINGS)
    done["packages"] = state


def install_handstamp(done: _Done) -> None:
    """Handstamp itself, editable; again whenever its metadata or version changed."""
    state = _digest(ROOT / "pyproject.toml", ROOT / "src" / "handstamp" / "_version.py")
    if done["project"] == state:
        return
    uv = find_uv()
    with step(".venv: handstamp itself, editable"):
        run(uv, "pip", "install", "--no-deps", "--no-build-isolation", "--python", PYTHON, "-e", ROOT, log="uv", settings=UV_SETTINGS)
    done["project"] = state


def ensure_browser(done: _Done) -> str:
    """Path of a Chromium that starts. One that was found before is believed while it is there and the lock is the same."""
    named = os.environ.get("HANDSTAMP_BROWSER", "")
    known = done["browser"]
    if known and known["named"] == named and known["packages"] == done["packages"] and os.access(known["path"], os.X_OK):
        return str(known["path"])
    path = browser.ensure(PYTHON)
    done["browser"] = {"named": named, "packages": done["packages"], "path": path}
    return path


def ensure_test_programs() -> None:
    """What only tests need. Who may not install it is told, and goes on: those tests skip, except in CI."""
    missing = [package.name for package in debian.packages("test") if shutil.which(package.program) is None]
    if not missing:
        return
    if debian.is_debian() and os.geteuid() == 0:
        debian.install(missing, why="The test suite needs them")
    else:
        note(f"without {', '.join(missing)} some tests will be skipped; on Debian: {debian.command(missing)}")


def ensure_npm_packages(done: _Done) -> None:
    """Servers that tests start, and that come by npm. Where they cannot be had, their tests skip."""
    state = _digest(*npm.inputs())
    if done["npm"] != state or not npm.is_installed():
        done["npm"] = state if npm.install() else None


def lock(*, upgrade: bool) -> None:
    """Writes the locks from pyproject.toml. Versions that still fit stay, unless `upgrade`."""
    uv = find_uv()
    newer = ("--upgrade",) if upgrade else ()
    with step(f"{LOCK.relative_to(ROOT)}"):
        run(uv, *COMPILE, *newer, "--all-extras", "--group", "dev", "pyproject.toml", "-o", LOCK, log="lock", settings=UV_SETTINGS)
    with step(f"{UV_LOCK.relative_to(ROOT)}"):
        run(uv, *COMPILE, *newer, "requirements/uv.in", "-o", UV_LOCK, log="lock", settings=UV_SETTINGS)


def find_uv() -> Path:
    """The uv to use: the one on PATH when it is new enough, else our own in `.tools`, installed when it is not there."""
    own = OWN_UV / "bin" / "uv"
    on_path = shutil.which("uv")
    for candidate in (*([Path(on_path)] if on_path else []), own):
        if _uv_version(candidate) >= OLDEST_UV:
            return candidate
    if find_spec("ensurepip") is None:
        why = f"uv is not on PATH, and {sys.executable} lacks the venv module to install it with"
        debian.install([debian.venv_package(), *debian.names("driver")], why=why)
    with step(f"uv: the pinned one, into {OWN_UV.relative_to(ROOT)} (log: {log_file('uv')})"):
        run(sys.executable, "-m", "venv", "--clear", OWN_UV, log="uv")
        run(OWN_UV / "bin" / "python", "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:", "-r", UV_LOCK, log="uv")
    return own


def _uv_version(uv: Path) -> tuple[int, ...]:
    """Its version, () when it does not run (a version manager's shim may be on PATH without a uv behind it)."""
    try:
        answer = subprocess.run([uv, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ()
    return tuple(int(number) for number in re.findall(r"\d+", answer)[:2])


def _digest(*inputs: Path) -> str:
    """Of what a step is made from: these files, and which Python `.venv` has."""
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in (*inputs, VENV / "pyvenv.cfg"))).hexdigest()


class _Done:
    """What was done in this `.venv`, by step; kept in a file inside it, so that both go together."""

    def __init__(self) -> None:
        try:
            self._steps = json.loads(DONE.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._steps = {}

    def __getitem__(self, name: str) -> Any:
        """What was noted for a step, None when nothing."""
        return self._steps.get(name)

    def __setitem__(self, name: str, state: object) -> None:
        """Notes it, whole or not at all."""
        self._steps[name] = state
        new = DONE.with_suffix(".new")
        new.write_text(json.dumps(self._steps, indent=2), encoding="utf-8")
        new.replace(DONE)

    def forget(self) -> None:
        """Nothing counts as done any more."""
        self._steps = {}
        DONE.unlink(missing_ok=True)


if __name__ == "__main__":
    raise SystemExit(main())
