"""Open a browser window in a session, already signed in. What changes in it is saved; close the window to end.

Where no window can be shown: `--headless --screenshot FILE` takes a picture of the page (the file is made for you only).
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from handstamp.cli.call import add_profile
from handstamp.cli.parser import Usage
from handstamp.cli.private_file import write_private
from handstamp.errors import BrowserError, BrowserMissing, BrowserTimeout
from handstamp.keeper.by_hand import needs_display

if TYPE_CHECKING:
    import argparse

    from playwright.sync_api import BrowserContext, Page

    from handstamp.cli.call import Call

_NETWORK_QUIET = 3000.0  # milliseconds that a picture waits for what a page loads behind


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("site", help="name or URL of the site")
    parser.add_argument("url", nargs="?", help="which page; a path is at the site's address (by default its start)")
    add_profile(parser)
    parser.add_argument("--headless", action="store_true", help="without a window; needs --screenshot")
    parser.add_argument("--screenshot", metavar="FILE", help="write a picture (PNG) of the page once it is there")
    parser.add_argument("--wait", type=float, default=30.0, metavar="SECONDS", help="how long to wait while another process holds the profile (30)")


def run(call: Call, *, site: str, url: str | None, profile: str, headless: bool, screenshot: str | None, wait: float) -> None:
    """Open it."""
    if headless and screenshot is None:
        raise Usage("without a window there is something to see only with --screenshot FILE")
    if not headless:
        _needs_display(site)
    from handstamp.sync_api import signed_in  # noqa: PLC0415  (engine and Playwright: not for a wrong command line)

    known = call.site(site)
    address = known.url(url or "/")
    target = site if "://" in site else known.name
    busy = call.output.working(f"Opening {known.name} …") if headless else nullcontext()
    with busy, signed_in(target, profile=profile, headless=headless, wait=wait) as context:
        page = context.new_page()
        _go(page, address)
        if screenshot is not None:
            _picture(page, Path(screenshot))
        facts = {"site": known.name, "profile": profile, "url": page.url, "title": page.title(), "screenshot": screenshot}
        if not headless:
            call.output.note(f"{known.name} is open, profile '{profile}'. Close the window to end.")
            _until_closed(context)
    call.output.show(facts, lambda: [f"A picture of {facts['url']} is in {screenshot}." if screenshot else "Closed; what changed is saved."])


def _needs_display(site: str) -> None:
    try:
        needs_display()
    except BrowserMissing:
        message = f"a window needs a display, and this machine has none; take a picture instead: `handstamp open {site} --headless --screenshot page.png`"
        raise BrowserMissing(message) from None


def _go(page: Page, address: str) -> None:
    """Go there.

    Raises:
        BrowserError: the site does not answer.
        BrowserTimeout: it does not answer in time.
    """
    from playwright.sync_api import Error, TimeoutError  # noqa: A004, PLC0415

    try:
        page.goto(address)
    except TimeoutError:
        raise BrowserTimeout(f"{address} did not answer in time; the session is as it was, try again") from None
    except Error as error:
        reason = error.message.partition("\n")[0].partition(" at ")[0].removeprefix("Page.goto: ")
        raise BrowserError(f"{address} cannot be opened ({reason}); the session is as it was, try again when the site is up") from None


def _picture(page: Page, file: Path) -> None:
    from playwright.sync_api import TimeoutError  # noqa: A004, PLC0415

    with suppress(TimeoutError):  # a page that never rests is shown as it is then
        page.wait_for_load_state("networkidle", timeout=_NETWORK_QUIET)
    write_private(file, page.screenshot())


def _until_closed(context: BrowserContext) -> None:
    while context.pages:
        context.pages[0].wait_for_event("close", timeout=0)
