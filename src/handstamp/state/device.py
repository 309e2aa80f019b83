"""The device: what the site saw at login."""

from __future__ import annotations

from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True)
class Device:
    """Kept with the session, applied on restore. None means: not known, leave the browser's own.

    Args:
        user_agent: the whole header value.
        viewport_width: CSS pixels.
        viewport_height: CSS pixels.
        language: BCP 47, the first of `navigator.languages`.
        timezone: IANA name.
        proxy: URL of the proxy, which may hold a password.
        brands: the header ``Sec-CH-UA`` as the browser sent it; None where it sends none (not Chromium, or plain http).
    """

    user_agent: str | None = None
    viewport_width: int | None = None
    viewport_height: int | None = None
    language: str | None = None
    timezone: str | None = None
    proxy: str | None = field(default=None, repr=False)
    brands: str | None = None

    def changes(self, other: Device) -> dict[str, tuple[object, object]]:
        """Fields that both know and that differ: name -> (ours, other's). `proxy` is named without its values."""
        found: dict[str, tuple[object, object]] = {}
        for item in fields(self):
            mine, theirs = getattr(self, item.name), getattr(other, item.name)
            if mine is not None and theirs is not None and mine != theirs:
                found[item.name] = (None, None) if item.name == "proxy" else (mine, theirs)
        return found

    def filled(self, other: Device) -> Device:
        """This device, with what it does not know taken from `other`."""
        return Device(**{item.name: mine if (mine := getattr(self, item.name)) is not None else getattr(other, item.name) for item in fields(self)})
