"""The device of a session as options of a Playwright context: only what differs from the browser as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handstamp.state import Device

_VIEWPORT = {"width": 1280, "height": 720}  # Playwright's own default


def options_for(device: Device, nature: Device) -> dict[str, Any]:
    """Options of `Browser.new_context` that make the browser look as the site saw it at login.

    Args:
        device: of the session; what it does not know is left as the browser is.
        nature: the browser as it is by itself. What is equal is not overridden: an override can be seen, and sets other
            headers than the browser would.
    """
    options: dict[str, Any] = {"viewport": dict(_VIEWPORT)}
    if device.viewport_width and device.viewport_height:
        options["viewport"] = {"width": device.viewport_width, "height": device.viewport_height}
    if device.user_agent and device.user_agent != nature.user_agent:
        options["user_agent"] = device.user_agent
    if device.language and device.language != nature.language:
        options["locale"] = device.language
    if device.timezone and device.timezone != nature.timezone:
        options["timezone_id"] = device.timezone
    if device.proxy:
        options["proxy"] = {"server": device.proxy}
    return options
