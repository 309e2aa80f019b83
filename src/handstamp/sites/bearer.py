"""The token that a page keeps and its API wants in a header, out of the saved state."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from handstamp.state import PartId, PartKind, cookie_belongs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from handstamp.sites.recipe import Bearer, Recipe
    from handstamp.state import Entry, StorageState


def bearer_header(state: StorageState, recipe: Recipe, *, now: datetime) -> tuple[str, str] | None:
    """Name and value of the header for the site's own origin; None when the recipe names no token or it is not there."""
    return _header(state, recipe, recipe.session.bearer, now)


def csrf_header(state: StorageState, recipe: Recipe, *, now: datetime) -> tuple[str, str] | None:
    """The same of the value that requests which change something carry besides."""
    return _header(state, recipe, recipe.session.csrf, now)


def bearer_token(state: StorageState, recipe: Recipe, *, now: datetime) -> str | None:
    """The token alone; None when there is none, or one that cannot stand in a header."""
    return _value(state, recipe, recipe.session.bearer, now)


def _header(state: StorageState, recipe: Recipe, rules: Bearer | None, now: datetime) -> tuple[str, str] | None:
    value = _value(state, recipe, rules, now)
    return (rules.header, rules.format.replace("{value}", value)) if value and rules else None


def _value(state: StorageState, recipe: Recipe, rules: Bearer | None, now: datetime) -> str | None:
    if rules is None:
        return None
    origin = origin_of(recipe.base_url)
    if rules.local_storage:
        token = _newest(state, PartId(PartKind.LOCAL, origin), rules.local_storage)
    elif rules.session_storage:
        token = _newest(state, PartId(PartKind.SESSION, origin), rules.session_storage)
    else:
        named = (cookie for cookie in state.cookies() if cookie.name == rules.cookie and not cookie.expired(now.timestamp()))
        host = urlsplit(origin).hostname or ""
        token = next((cookie.value for cookie in named if cookie_belongs(cookie.key, host)), None)
    return token if token and token.isprintable() else None


def origin_of(url: str) -> str:
    """The origin as a browser writes it: lower case, without the scheme's own port."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in {None, default} else "")


def _newest(state: StorageState, part_id: PartId, name: str) -> str | None:
    """The value last seen to change; sessionStorage has one for each tab, under a key that ends in the name."""
    part = state.parts.get(part_id)
    entries: Iterable[Entry] = (entry for key, entry in part.entries.items() if key[-1] == name and not entry.deleted) if part else ()
    newest = max(entries, key=lambda entry: entry.stamp, default=None)
    return None if newest is None else str(newest.value)
