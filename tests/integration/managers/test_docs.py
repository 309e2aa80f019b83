"""The code in docs/how-to/managers.md runs as it stands there, one block after another, each in a fresh process."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from handstamp.demo import DemoServers

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "managers.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
TITLE = "Account · Portside Terminal"


@pytest.mark.timeout(120)  # nine processes, most with a browser
def test_the_blocks_of_the_page_run_one_after_another(demo: DemoServers, home: Path, tmp_path: Path, executable: str) -> None:
    del home
    said = []
    for block in BLOCKS:
        code = block.replace("https://portside.example", demo.portside.url).replace("portside.example", "portside.localhost")
        code = code.replace("chromium.launch()", f"chromium.launch(executable_path={executable!r})")
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
        assert (ran.returncode, ran.stderr) == (0, ""), code
        said.append(ran.stdout.strip())
    first, later, by_manager, by_async, many, lock, loop, own, named = said
    assert (first, later, by_manager, by_async, own) == ("", TITLE, TITLE, "True", "True")
    assert many.splitlines()[-1] == "('portside.localhost',)"
    assert lock == "it is mine until I let go, or end"
    assert loop.startswith("portside.localhost True SessionState(")
    assert "'session_id': 'customer-17'" in named
    assert "'is_active': True" in named
    assert demo.control.stats().portside.logins == 1
