"""The code in docs/how-to/attach.md runs as it stands there, with this machine's browsers and the stand-in site."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from handstamp.browser import is_headless_shell
from handstamp.demo import BUILT_IN, start

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "attach.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("block", BLOCKS, ids=["port", "playwright", "signed_in", "selenium"])
def test_a_block_of_the_page_runs(block, chrome, vault, executable, monkeypatch) -> None:
    options = "".join(f"options.add_argument({flag!r}); " for flag in ("--no-sandbox", *(() if is_headless_shell(Path(executable)) else ("--headless",))))
    with start() as servers:
        monkeypatch.setenv("HANDSTAMP_PORTSIDE_BASE_URL", servers.portside.url)
        monkeypatch.setenv("HANDSTAMP_PORTSIDE_USERNAME", BUILT_IN[0].username)
        monkeypatch.setenv("HANDSTAMP_PORTSIDE_PASSWORD", BUILT_IN[0].password)
        code = block.replace("http://127.0.0.1:9222", chrome.endpoint).replace("https://portside.example", servers.portside.url)
        code = code.replace("chromium.launch()", f"chromium.launch(executable_path={executable!r})")
        code = code.replace(
            "driver = webdriver.Chrome()",
            f"options = webdriver.ChromeOptions(); options.binary_location = {executable!r}; {options}"
            f"driver = webdriver.Chrome(options=options, service=webdriver.ChromeService({shutil.which('chromedriver')!r}))",
        )
        asking = "page.title()" if "page =" in block else "driver.title"
        code = re.sub(r"^( +)(page\.goto|driver\.get)(.*)$", rf"\1\2\3\n\1print({asking})", code, flags=re.MULTILINE)
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=28, check=False)
    assert ran.stderr == ""
    assert ran.stdout.strip()
    if 'portside"' in block:
        assert [session.site for session in vault.sessions("work")] == ["portside"]
