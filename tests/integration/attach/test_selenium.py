"""Attaching to a Selenium driver: by its debugging port, and the eager way that drivers without one get."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from handstamp.browser import EagerDriver, is_headless_shell
from handstamp.errors import BrowserGone
from handstamp.state import Clock
from handstamp.sync_api import attach

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

webdriver = pytest.importorskip("selenium.webdriver")


@pytest.fixture
def driver(executable: str) -> Iterator[Chrome]:
    chromedriver = shutil.which("chromedriver")
    if chromedriver is None:
        pytest.skip("chromedriver is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = executable
    for argument in ("--no-sandbox", "--disable-gpu", *(() if is_headless_shell(_path(executable)) else ("--headless",))):
        options.add_argument(argument)
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
    yield started
    started.quit()


def _path(executable: str) -> Path:
    from pathlib import Path

    return Path(executable)


def test_a_driver_goes_on_driving_with_a_session_of_several_domains(driver, web, vault, saved_elsewhere, eventually, cookies_of) -> None:
    a, b = web.origin("a"), web.origin("b")
    cookies = [{"name": "sid", "value": "S", "domain": "a.localhost"}, {"name": "other", "value": "O", "domain": "b.localhost"}]
    saved_elsewhere(cookies=cookies, local={a: {"token": "T"}, b: {"b": "B"}}, session={a: {"tab": {"f": "1"}}})
    windows = list(driver.window_handles)
    with attach(driver, profile="work") as attached:
        assert attached.driver is driver
        driver.get(a)
        assert driver.execute_script("return first") == {"cookie": "sid=S", "local": {"token": "T"}, "session": {"f": "1"}}
        driver.get(b)
        assert driver.execute_script("return first") == {"cookie": "other=O", "local": {"b": "B"}, "session": {}}
        driver.get(f"{a}/login")
        driver.execute_script("localStorage.setItem('token', 'U')")
        eventually(lambda: cookies_of(vault.load("work")) == {"sid": "new", "other": "O"} and vault.load("work").local_storage(a) == {"token": "U"})
        driver.execute_script("localStorage.removeItem('token')")
    assert vault.load("work").local_storage(a) == {}
    assert driver.window_handles == windows
    assert driver.current_url == f"{a}/login"


def test_a_driver_that_nothing_reaches_gets_and_gives_what_is_of_its_page(driver, web, vault, saved_elsewhere, cookies_of) -> None:
    a, b = web.origin("a"), web.origin("b")
    cookies = [{"name": "sid", "value": "S", "domain": "a.localhost", "http_only": True}, {"name": "other", "value": "O", "domain": "b.localhost"}]
    saved_elsewhere(cookies=cookies, local={a: {"token": "T"}}, session={a: {"tab": {"f": "1"}}})
    eager = EagerDriver(driver, vault.load("work"), Clock("here"), lambda changes: vault.save("work", changes))
    eager.restore(a)
    assert driver.execute_script("return first") == {"cookie": "", "local": {"token": "T"}, "session": {"f": "1"}}
    assert cookies_of(vault.load("work")) == {"sid": "S", "other": "O"}
    driver.execute_script("localStorage.setItem('token', 'U'); sessionStorage.removeItem('f')")
    driver.get(f"{a}/logout")
    eager.restore()
    assert cookies_of(vault.load("work")) == {"other": "O"}
    driver.get(b)
    eager.restore()
    assert driver.execute_script("return first.cookie") == "other=O"
    state = vault.load("work")
    assert (state.local_storage(a), state.session_storage(a), cookies_of(state)) == ({"token": "U"}, {}, {"other": "O"})


def test_a_driver_that_has_quit_is_refused(driver, vault) -> None:
    driver.quit()
    with pytest.raises(BrowserGone), attach(driver, profile="work"):
        pass
    assert vault.leases() == []
