"""What tests of many parts stand on: the stand-in sites, as new for each test, a home of the test's own with its vault, web servers of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from handstamp.demo import start
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from handstamp.demo import Control, DemoServers


@pytest.fixture(scope="session")
def servers() -> Iterator[DemoServers]:
    """As the test before has left them; `demo` and `control` are as new."""
    with start() as running:
        yield running


@pytest.fixture
def control(servers: DemoServers) -> Control:
    servers.control.reset()
    return servers.control


@pytest.fixture
def demo(servers: DemoServers, control: Control, monkeypatch: pytest.MonkeyPatch) -> DemoServers:
    """The stand-in sites, fresh, and found by name."""
    del control
    monkeypatch.setenv("HANDSTAMP_PORTSIDE_BASE_URL", servers.portside.url)
    return servers


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HANDSTAMP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def vault(home: Path) -> Iterator[Vault]:
    """The vault of `home`, which is that of the settings, too."""
    with Vault(home=home) as opened:
        yield opened


@pytest.fixture
def listening() -> Iterator[Callable[[type[BaseHTTPRequestHandler]], int]]:
    """`listening(Handler)`: the port of a web server, which ends with the test."""
    with contextlib.ExitStack() as servers:
        yield lambda handler: servers.enter_context(_port_of(handler))


@contextlib.contextmanager
def _port_of(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def kill_playwright() -> Callable[[], None]:
    """Kills the node processes of this one, as the system does when memory is short."""

    def kill() -> None:
        killed = 0
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                if parent == str(os.getpid()) and b"run-driver" in (folder / "cmdline").read_bytes():
                    os.kill(int(folder.name), signal.SIGKILL)
                    killed += 1
        assert killed, "there was none"

    return kill
