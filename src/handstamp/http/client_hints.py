"""The user agent's client hints that a Chromium sends with every request (User-Agent Client Hints, low entropy ones).

A request that names a browser and comes without them, or with others, is not the request of that browser: some sites end
the login for it. They go to trustworthy URLs only: https, and this machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.state.cookie_match import is_loopback, target

if TYPE_CHECKING:
    from handstamp.state import Device

HINTS = "sec-ch-ua"
"""How the names of all of them begin."""
_PLATFORMS = (("Android", "Android"), ("CrOS", "Chrome OS"), ("Windows", "Windows"), ("Macintosh", "macOS"), ("Linux", "Linux"))


def client_hints(device: Device, url: str) -> list[tuple[str, str]]:
    """The headers for a request to `url`; none where the browser of the login sent none, or is not known to have.

    Args:
        device: of the session.
        url: absolute.
    """
    there = target(url)
    if not device.brands or not device.user_agent or not (there.scheme == "https" or is_loopback(there.host)):
        return []
    mobile = "?1" if "Mobile" in device.user_agent else "?0"
    platform = next((name for word, name in _PLATFORMS if word in device.user_agent), "Unknown")
    return [("sec-ch-ua", device.brands), ("sec-ch-ua-mobile", mobile), ("sec-ch-ua-platform", f'"{platform}"')]
