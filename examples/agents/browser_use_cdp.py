"""browser-use in a session that handstamp brings in: ``python examples/agents/browser_use_cdp.py http://127.0.0.1:9222 URL``.

The first argument is the debugging port of a Chromium that you have started (docs/how-to/attach.md), the second a page of portside.
The agent's browser is signed in before the agent has it, so neither a password nor a cookie is part of its task; what the agent's
doings change of the session is saved.
"""

from __future__ import annotations

import asyncio
import sys

from browser_use import BrowserSession

from handstamp.async_api import attach


async def main(port: str, url: str) -> None:
    """Print the page as browser-use describes it to a model."""
    async with attach(port, profile="work", site="portside"):
        browser = BrowserSession(cdp_url=port, keep_alive=True)
        await browser.start()
        try:
            # With a model at hand: await Agent(task="…", llm=…, browser_session=browser).run()
            await browser.navigate_to(url)
            print(await browser.get_state_as_text())
        finally:
            await browser.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
