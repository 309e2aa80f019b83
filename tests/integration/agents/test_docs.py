"""The code in docs/how-to/agents.md runs as it stands there, with the stand-in site and the server that is here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from playwright._impl._driver import compute_driver_executable

from handstamp.browser import find_browser

if TYPE_CHECKING:
    from handstamp.demo import DemoServers

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "agents.md"
LANGCHAIN, BROWSER_USE, MCP = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def run(code: str, child_environment: dict[str, str], folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False, cwd=folder, env=child_environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_langchain_tool_of_the_page_reads_behind_the_login(demo: DemoServers, child_environment: dict[str, str], tmp_path: Path) -> None:
    call = "import asyncio\nprint(asyncio.run(read_page.ainvoke({'site': 'portside', 'path': '/account', 'profile': 'work'})))"
    assert "Dora Ellison" in run(f"{LANGCHAIN}\n{call}", child_environment, tmp_path)
    assert demo.control.stats().portside.logins == 1


def test_the_mcp_program_of_the_page_is_signed_in_without_a_question(
    demo: DemoServers, child_environment: dict[str, str], tmp_path: Path, browser_args: list[str]
) -> None:
    node, script = compute_driver_executable()
    options = [script, "mcp", "--isolated", "--headless", "--executable-path", str(find_browser(headless=True)), *browser_args]
    code = MCP.replace('command="npx", args=["@playwright/mcp@latest", "--isolated"]', f"command={node!r}, args={options!r}")
    code = code.replace("https://portside.example", demo.portside.url)
    assert "Dora Ellison" in run(code, child_environment, tmp_path)
    assert demo.control.stats().portside.logins == 1


def test_the_page_shows_browser_use_as_the_example_does() -> None:
    example = (PAGE.parents[2] / "examples" / "agents" / "browser_use_cdp.py").read_text(encoding="utf-8")
    calls = re.compile(r"\b(?:browser\.\w+|BrowserSession|attach)\(")
    assert set(calls.findall(BROWSER_USE)) == set(calls.findall(example))
