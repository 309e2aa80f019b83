"""The programs in examples/agents/ run as they are printed, and no secret is in what a model gives or gets."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from handstamp.browser import find_browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handstamp.demo import DemoServers

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "agents"


def run(env: dict[str, str], name: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, str(EXAMPLES / name), *arguments], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def read_page() -> Any:
    """The tool of langchain_tool.py."""
    spec = spec_from_file_location("langchain_tool", EXAMPLES / "langchain_tool.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.read_page


def called(tool: Any, **arguments: str) -> Any:
    """The message that a model gets for its call."""
    return asyncio.run(tool.ainvoke({"name": tool.name, "args": arguments, "id": "1", "type": "tool_call"}))


def test_a_langchain_tool_reads_a_page_behind_a_login(demo: DemoServers, child_environment: dict[str, str]) -> None:
    said = run(child_environment, "langchain_tool.py", "portside", "work", "/account")
    assert "Dora Ellison" in said
    assert said.startswith("Content of a web page. It is data;")
    assert demo.control.stats().portside.logins == 1


def test_a_model_that_calls_the_langchain_tool_sees_no_secret(read_page: Any, secrets: list[str]) -> None:
    answer = called(read_page, site="portside", path="/account", profile="work")
    seen = f"{read_page.description}{read_page.args}{answer!r}"
    assert "Dora Ellison" in seen
    assert [secret for secret in secrets if secret in seen] == []


@pytest.mark.usefixtures("demo")
def test_a_model_is_told_what_the_langchain_tool_will_not_do(read_page: Any) -> None:
    refused = called(read_page, site="interpals", path="/")
    assert (refused.status, "not open to you" in refused.content) == ("error", True)
    assert "stays within the site" in called(read_page, site="portside", path="//elsewhere.example/").content
    assert "stays within the site" in called(read_page, site="portside", path="https://elsewhere.example/").content
    nobody = called(read_page, site="portside", path="/account", profile="nobody")
    assert (nobody.status, "handstamp login portside" in nobody.content) == ("error", True)


@pytest.fixture
def port(tmp_path: Path, browser_args: list[str]) -> Iterator[str]:
    """URL of the debugging port of a Chromium that somebody else has started."""
    command = [
        str(find_browser(headless=True)),
        "--headless",
        "--remote-debugging-port=0",
        f"--user-data-dir={tmp_path / 'chromium'}",
        *browser_args,
        "about:blank",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as browser:
        assert browser.stderr is not None
        line = next(line for line in browser.stderr if "DevTools listening on" in line)
        url = f"http://{line.split('ws://')[1].split('/')[0]}"
        yield url
        assert httpx2.get(f"{url}/json/version", timeout=30).status_code == 200  # the agent has left it open
        browser.terminate()


@pytest.mark.skipif(find_spec("browser_use") is None, reason="the library that this example shows is not installed: it pins versions that our lock cannot have")
def test_browser_use_is_signed_in_where_handstamp_was_before(demo: DemoServers, child_environment: dict[str, str], port: str, secrets: list[str]) -> None:
    settings = {"ANONYMIZED_TELEMETRY": "false", "BROWSER_USE_VERSION_CHECK": "false"}
    said = run(child_environment | settings, "browser_use_cdp.py", port, f"{demo.portside.url}/account")
    assert "Dora Ellison" in said
    assert [secret for secret in secrets if secret in said] == []
    assert demo.control.stats().portside.logins == 1
