"""What holds for every test: its folder is its marker, nobody's own sessions are touched, and CI skips nothing that it must show."""

from __future__ import annotations

import os
import re
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from _postgres import Server

FOLDERS = ("unit", "contract", "integration", "acceptance", "faults", "upgrade")
FAULTS_TIMEOUT = 180  # seconds
KEPT = {"HANDSTAMP_BROWSER", "HANDSTAMP_FAULTS_SECONDS", "HANDSTAMP_FAULTS_KILLS"}  # what a developer may set for tests
# What CI has. A skip that names one of these is a hole in the suite there.
MUST_BE_THERE = re.compile(r"chromium|chromedriver|browser|postgres", re.IGNORECASE)

settings.register_profile("handstamp", deadline=None, print_blob=True)  # no assertion about time: machines are busy
settings.load_profile("handstamp")

_home = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Shuts out the developer's own vault, keyring and settings; a test that wants a home names one. The choice of browser stays."""
    for name in [name for name in os.environ if name.startswith("HANDSTAMP_") and name not in KEPT]:
        del os.environ[name]
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job: what tests start must hear Ctrl-C all the same
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[_home] = tempfile.TemporaryDirectory(prefix="handstamp-tests-")
    os.environ["HANDSTAMP_HOME"] = str(Path(config.stash[_home].name) / "home")
    # Before anyone asks for one: `keyring` would take the first backend that any test defines, and keep it for the tests after.
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Removes the home."""
    config.stash[_home].cleanup()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Gives each test the marker of its folder, and those in `faults` their time, unless they name their own."""
    for item in items:
        folder = next((part for part in item.path.relative_to(config.rootpath).parts if part in FOLDERS), None)
        if folder:
            item.add_marker(folder)
        if folder == "faults" and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(FAULTS_TIMEOUT))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, a test that skips for want of what must be there has failed."""
    report = yield
    _fail_forbidden_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips as a whole."""
    report = yield
    _fail_forbidden_skip(report)
    return report


def _fail_forbidden_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        if MUST_BE_THERE.search(reason):
            report.outcome = "failed"
            report.longrepr = f"{path}:{line}: in CI this may not be skipped ({reason})"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server for this worker. It does not wait for the disk, which nothing but a crash of the machine would show."""
    from _postgres import NotInstalled, serving

    try:
        with serving(durable=False) as server:
            yield server
    except NotInstalled as missing:
        pytest.skip(str(missing))
