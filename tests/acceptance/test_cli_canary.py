"""No secret in clear: canaries as password, cookie and token, looked for in everything that the command line leaves or shows.

That the search finds them where they are is shown with Playwright's own `storage_state.json`.
"""

from __future__ import annotations

import base64
import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

from handstamp.browser import find_browser
from handstamp.demo import Account
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from handstamp.demo import DemoServers

PASSWORD = "canary-password-Gk3vQz81"
TOKEN = "canary-token-Wm7xPd42"  # in front of each session cookie and API token
LOOKS = 0.1  # seconds between two looks at processes and temporary files


def forms(canary: str) -> list[bytes]:
    """As text, as UTF-16, and as any base64 of a text that it is in."""
    whole = [base64.b64encode(b"x" * shift + canary.encode())[4:-4] for shift in range(3)]
    return [canary.encode(), canary.encode("utf-16-le"), *whole]


def found_in(data: bytes) -> list[str]:
    return [canary for canary in (PASSWORD, TOKEN) if any(form in data for form in forms(canary))]


def found_below(*folders: Path) -> dict[str, list[str]]:
    # os.walk, since files and folders come and go under a running browser
    files = [Path(folder, name) for top in folders for folder, _, names in os.walk(top) for name in names]
    return {str(file): hits for file in files if (hits := found_in(_bytes(file)))}


def found_in_processes() -> dict[str, list[str]]:
    """Command lines and environments of all processes, our browser's and Playwright's among them."""
    files = [file for process in Path("/proc").glob("[0-9]*") for file in (process / "cmdline", process / "environ")]
    return {str(file): hits for file in files if (hits := found_in(_bytes(file)))}


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # gone meanwhile, or somebody else's process
        return b""


@contextmanager
def watched(*folders: Path) -> Iterator[dict[str, list[str]]]:
    """What is found in processes and files while something runs, however short it is there."""
    found: dict[str, list[str]] = {}
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOKS):
            found.update(found_in_processes() | found_below(*folders))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def test_no_secret_is_in_files_output_or_processes(demo: DemoServers, machine: Callable[..., Any], tmp_path: Path) -> None:
    demo.control.add_account(Account("canary", PASSWORD))
    demo.control.set(canary=TOKEN)
    user, temporary, home = tmp_path / "user", tmp_path / "tmp", tmp_path / "one"
    for folder in (user, temporary):
        folder.mkdir()
    here = machine(HOME=str(user), TMPDIR=str(temporary), HANDSTAMP_BROWSER=str(find_browser()))
    runs = []
    with watched(user, temporary, home) as found:
        runs.append(here.handstamp("login", "portside", "--username", "canary", "--password-stdin", "--save-credentials", "-vv", stdin=f"{PASSWORD}\n"))
        runs.append(here.handstamp("open", "portside", "/containers", "--headless", "--screenshot", str(user / "page.png"), "-vv"))
        rest = (["ls"], ["show", "portside"], ["check", "portside", "-vv"], ["show", "portside", "--json"], ["doctor", "--no-browser", "--json"])
        runs.extend(here.handstamp(*words) for words in rest)
    assert [run.returncode for run in runs] == [0] * len(runs), runs
    assert found == {}
    assert [found_in(f"{run.stdout}{run.stderr}".encode()) for run in runs] == [[]] * len(runs)
    assert found_below(user, temporary, home) == {}
    assert list(temporary.iterdir()) == []
    _is_not_vacuous(here, home)
    assert demo.control.stats().portside.logins == 1


def _is_not_vacuous(here: Any, home: Path) -> None:
    """All three canaries are in the vault, and come out of it for those who may have them."""
    with Vault(home=home) as vault:
        assert vault.secret("portside", "canary", "password") == PASSWORD
        assert vault.load("default").cookies()[0].value.startswith(TOKEN)
    assert found_in(here.handstamp("export", "portside", "--reveal").stdout.encode()) == [TOKEN]


def test_a_refused_password_is_not_repeated_anywhere(demo: DemoServers, machine: Callable[..., Any], tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    here = machine(TMPDIR=str(temporary))
    with watched(temporary, tmp_path / "one") as found:
        done = here.handstamp("login", "portside", "--username", "demo", "--password-stdin", "-vv", stdin=f"{PASSWORD}\n")
    assert done.returncode == 7, done
    assert found == {}
    assert found_in(f"{done.stdout}{done.stderr}".encode()) == []
    assert found_below(tmp_path) == {}
    assert demo.control.stats().portside.attempts == 1


def test_the_search_finds_canaries_in_playwrights_storage_state(demo: DemoServers, tmp_path: Path) -> None:
    demo.control.add_account(Account("canary", PASSWORD))
    demo.control.set(canary=TOKEN)
    file = tmp_path / "storage_state.json"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(find_browser()))
        page = browser.new_page()
        page.goto(f"{demo.portside.url}/login")
        page.fill("#username", "canary")
        page.fill("#password", PASSWORD)
        page.click("main button[type=submit]")
        page.get_by_role("button", name="Log out").wait_for()
        page.wait_for_function("localStorage.getItem('token')")
        page.context.storage_state(path=file)
        browser.close()
    assert found_below(tmp_path) == {str(file): [TOKEN]}
