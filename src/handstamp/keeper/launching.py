"""Which browser a session wants: the one that somebody named, else a headless shell where the site does not mind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.browser import Launch, find_browser
from handstamp.home import settings

if TYPE_CHECKING:
    from pathlib import Path

    from handstamp.sites import Site


def launch_for(site: Site | None, executable: str | Path | None = None, *, headless: bool = True, apart: str = "") -> Launch:
    """How to start the browser for a session.

    Args:
        site: whose recipe may ask for a whole Chromium (``full_browser``); None asks for nothing.
        executable: what the caller named.
        headless: without a window.
        apart: see `Launch`.

    Raises:
        BrowserMissing: there is none.
    """
    whole = not headless or (site is not None and site.recipe.session.full_browser)
    return Launch(find_browser(executable, headless=not whole, setting=settings().browser), headless, apart=apart)
