"""One opening of an app, in a process of its own: `python visit.py RECIPE PAGE INSIDE PICTURE`. Prints what came of it as JSON.

The account comes from `HANDSTAMP_<APP>_USERNAME` and `_PASSWORD`; without them nobody can log in, and what is there must do.
"""

from __future__ import annotations

import json
import sys
import time

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as NotThere

from handstamp.sync_api import signed_in
from handstamp.vault import Vault

SIZE = {"width": 800, "height": 500}


def main(recipe: str, path: str, inside: str, picture: str) -> None:
    """Open, look, take a picture, leave."""
    started = time.monotonic()
    with signed_in(recipe, context_options={"viewport": SIZE}) as context:
        page = context.new_page()
        page.goto(path)
        there = is_visible(page, inside)
        seconds = time.monotonic() - started
        page.wait_for_timeout(500)  # for the picture: what is still being drawn
        page.screenshot(path=picture)
    with Vault() as vault:
        (session,) = vault.sessions("default")
        kinds = sorted({str(part.id.kind) for part in vault.load("default").parts.values()})
    lost = sorted({loss.what for loss in session.losses})
    print(json.dumps({"inside": there, "seconds": seconds, "logins": session.logins, "health": session.health, "kept": kinds, "lost": lost}))


def is_visible(page: Page, selector: str) -> bool:
    """Whether it comes to be seen within 20 seconds."""
    try:
        page.locator(selector).first.wait_for(timeout=20_000)
    except NotThere:
        return False
    return True


if __name__ == "__main__":
    main(*sys.argv[1:])
