"""The secrets that a session has, so that none of them gets into a debug bundle."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from handstamp.errors import HandstampError
from handstamp.operations.blanking import SECRET_NAME, looks_like_token
from handstamp.state import PartKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.async_api import BrowserContext

    from handstamp.sites import Site
    from handstamp.state import Session
    from handstamp.vault import Vault

_LEAST = 8  # characters: cookies that say `1` or `dark` are no secrets, and blanking them would leave nothing of a page
_LONGEST = 5000
_PATIENCE = 3.0  # seconds for a browser that may be gone


async def secrets_of(vault: Vault, site: Site, session: Session, context: BrowserContext) -> set[str]:
    """Credentials, cookies and stored values of a session, as far as they can be had now."""
    found = set(await asyncio.to_thread(lambda: set(_kept(vault, site, session))))
    with contextlib.suppress(Exception):  # the browser is gone: what is kept has to do
        cookies = await asyncio.wait_for(context.cookies(), _PATIENCE)
        found |= {value for cookie in cookies if len(value := cookie.get("value", "")) >= _LEAST}
    return found


def _kept(vault: Vault, site: Site, session: Session) -> Iterator[str]:
    with contextlib.suppress(HandstampError):
        for name in ("password", "totp"):
            if session.username and (value := vault.secret(site.name, session.username, name)):
                yield value
    with contextlib.suppress(HandstampError):
        state = vault.load(session.profile, domains=site.domains)
        yield from (cookie.value for cookie in state.cookies() if len(cookie.value) >= _LEAST)
        stored = [item for kind in (PartKind.LOCAL, PartKind.SESSION) for part in state.of_kind(kind) for item in part.live().items()]
        yield from (str(value) for key, value in stored if _LEAST <= len(str(value)) <= _LONGEST and _may_let_in(key[-1], str(value)))


def _may_let_in(name: str, value: str) -> bool:
    """Most of what pages store is settings and drafts, which are the very thing to see in a bundle."""
    return SECRET_NAME.search(name) is not None or looks_like_token(value)
