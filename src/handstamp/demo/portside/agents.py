"""A User-Agent header in words, for the list of sign-ins: `Chromium 141 on Linux`."""

from __future__ import annotations

import re

_BROWSERS = [("Edg/", "Edge"), ("OPR/", "Opera"), ("HeadlessChrome/", "Chromium"), ("Chromium/", "Chromium"), ("Chrome/", "Chrome"), ("Firefox/", "Firefox")]
_SYSTEMS = [("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iPadOS"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux")]
_PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,30}(?:/[0-9.]{1,12})?")


def browser_name(user_agent: str) -> str:
    """The browser and its system as far as they can be told; never the header itself, which a client may fill as it likes."""
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    where = f" on {system}" if system else ""
    for mark, name in _BROWSERS:
        if mark in user_agent:
            version = re.match(r"\d{1,4}", user_agent.split(mark, 1)[1])
            return f"{name}{f' {version[0]}' if version else ''}{where}"
    if "Version/" in user_agent and "Safari/" in user_agent:
        return f"Safari{where}"
    product = _PRODUCT.match(user_agent)
    return product[0].replace("/", " ") if product else "An unknown client"
