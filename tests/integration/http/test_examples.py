"""The programs in examples/ run as they are printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

import handstamp

if TYPE_CHECKING:
    from handstamp.demo import DemoServers

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


@pytest.fixture
def signed_in(demo: DemoServers) -> DemoServers:
    with handstamp.Client("portside") as client:
        client.get("/account")
    return demo


def run(env: dict[str, str], name: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, str(EXAMPLES / name), *arguments], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.usefixtures("signed_in")
def test_a_paged_api_is_read_whole(child_environment: dict[str, str]) -> None:
    rows, _, total = run(child_environment, "paged_api.py").split()[:3]
    assert rows == total
    assert int(rows) > 10


@pytest.mark.usefixtures("signed_in")
def test_a_download_with_requests(child_environment: dict[str, str], tmp_path: Path) -> None:
    run(child_environment, "download.py", "account.html")
    assert "Log out" in (tmp_path / "account.html").read_text(encoding="utf-8")


def test_a_batch_of_processes_shares_one_login(signed_in: DemoServers, child_environment: dict[str, str]) -> None:
    assert run(child_environment, "batch.py").startswith("16 tasks read ")
    assert signed_in.control.stats().portside.logins == 1


@pytest.mark.usefixtures("signed_in")
def test_a_fastapi_application_uses_the_session_as_a_dependency(child_environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES), "--port", "0", "--log-level", "info", "fastapi_app:app"]
    with subprocess.Popen(command, env=child_environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            line = next(line for line in server.stderr if "running on" in line)
            url = next(word for word in line.split() if word.startswith("http://"))
            with handstamp.Client("portside") as client:
                number = client.get("/api/containers").json()["containers"][0]["number"]
            assert httpx2.get(f"{url}/containers/{number}", timeout=60).json()["number"] == number
            assert httpx2.get(f"{url}/containers/none", timeout=60).status_code == 404
        finally:
            server.terminate()
            server.wait()
