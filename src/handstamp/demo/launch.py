"""Start the stand-in sites as a process of their own, and stop them."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from typing import IO, TYPE_CHECKING, Any

from handstamp.demo.extra import require_extra
from handstamp.demo.remote import Control
from handstamp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from handstamp.demo.knobs import InterpalsKnobs, PortsideKnobs

_START_SECONDS = 30.0
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class DemoSite:
    """Where one site is.

    Args:
        url: for browsers, with a host name of its own, so that the sites' cookies stay apart: ``http://portside.localhost:41234``.
        plain_url: for clients that do not know every name under ``localhost``: ``http://127.0.0.1:41234``.
    """

    url: str
    plain_url: str


@dataclass(frozen=True, slots=True)
class DemoSolver:
    """The service that reads portside's pictures, see `handstamp.demo.solver`.

    Args:
        url: for `solver_url`.
        api_key: for `captcha_api_key`.
    """

    url: str
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DemoServers:
    """The running sites.

    Args:
        portside: the container terminal's portal.
        interpals: the account service.
        control: turns knobs, reads counts.
        pid: of the one server process.
        solver: reads portside's pictures.
    """

    portside: DemoSite
    interpals: DemoSite
    control: Control
    pid: int
    solver: DemoSolver


@contextlib.contextmanager
def start(*, portside: PortsideKnobs | None = None, interpals: InterpalsKnobs | None = None, log: Path | None = None) -> Iterator[DemoServers]:
    """Both sites in one new process, on free loopback ports, ready to answer; stopped at the end of the `with` block.

    The process also ends when this one does, however it does (`kill -9`).

    Args:
        portside: how portside behaves; default a plain login with user name and password.
        interpals: how interpals does.
        log: file for an access log without names and secrets; default none.

    Raises:
        ConfigError: the extra ``demo`` is not installed, or the process did not start; the message says why.
    """
    require_extra()
    knobs = {"portside": asdict(portside) if portside else {}, "interpals": asdict(interpals) if interpals else {}}
    with tempfile.TemporaryFile() as errors, _process(log=log, errors=errors) as process:
        start_line = _first_words(process, knobs=knobs, errors=errors)
        with Control(start_line["control"]["url"], start_line["control"]["token"]) as control:
            yield DemoServers(DemoSite(**start_line["portside"]), DemoSite(**start_line["interpals"]), control, process.pid, DemoSolver(**start_line["solver"]))


@contextlib.contextmanager
def _process(*, log: Path | None, errors: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "handstamp.demo", "--json", "--managed", *(["--log", os.fspath(log)] if log else [])]
    # The sites know nothing of the vault, so they get none of its secrets.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HANDSTAMP_")}
    pipe = subprocess.PIPE
    # A session of its own: Ctrl-C in the terminal is for the program that uses the sites, and ends them when that ends.
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, env=environment, start_new_session=True) as process:
        try:
            yield process
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End of stdin asks it to; a signal tells it to; the last one is not asked."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    for stop in (process.terminate, process.kill):
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            stop()
    process.wait()


def _first_words(process: subprocess.Popen[bytes], *, knobs: dict[str, Any], errors: IO[bytes]) -> dict[str, Any]:
    """Tell the process its knobs, and hear where it is."""
    assert process.stdin is not None  # noqa: S101  (both are pipes)
    assert process.stdout is not None  # noqa: S101
    with contextlib.suppress(BrokenPipeError):  # it ended already; what it said on stderr is told below
        process.stdin.write(json.dumps(knobs).encode() + b"\n")
        process.stdin.flush()
    line = process.stdout.readline() if _speaks(process.stdout, within=_START_SECONDS) else b""
    if line:
        started: dict[str, Any] = json.loads(line)
        return started
    _stop(process)
    errors.seek(0)
    said = errors.read().decode(errors="replace").strip().splitlines()
    raise ConfigError(f"the demo sites did not start: {said[-1] if said else f'no answer within {_START_SECONDS:g} s'}")


def _speaks(stream: IO[bytes], *, within: float) -> bool:
    """Whether there is something to read, or the other end is gone, within so many seconds."""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        return bool(selector.select(within))
