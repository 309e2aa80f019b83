"""What must not be read off a page: the session's own secrets, wherever a page may show them. What is looked for is known; nothing is guessed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from typing import TYPE_CHECKING, Any

from handstamp.errors import HandstampError
from handstamp.operations.blanking import Blanking
from handstamp.sites import credentials_for
from handstamp.state import PartKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from playwright.async_api import Page

    from handstamp.pool import LiveSession
    from handstamp.sites import Site
    from handstamp.state import Session
    from handstamp.vault import Vault

_LEAST, _SURE, _MOST = 8, 16, 4000  # characters: shorter is no secret; from here without a digit, too; longer is a document
_PATIENCE = 3.0  # seconds for a page that may hang
_MOST_FRAMES = 20
_MOST_DEPTH = 6
_STORED = """() => [localStorage, sessionStorage].flatMap(storage => {
    const values = [];
    for (let index = 0; index < storage.length && index < 500; index++) values.push(storage.getItem(storage.key(index)));
    return values.filter(value => value !== null && value.length < 100000);
})"""


class Hidden:
    """What a page must not show to an agent.

    Args:
        secrets: values.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)
        self._blanking = Blanking(self._secrets)

    def out_of(self, text: str) -> str:
        """`text` without them, also as they stand in URLs, JSON and HTML."""
        return self._blanking.known(text)

    def found_in(self, text: str) -> list[str]:
        """Those that stand in `text`, as they are."""
        return [secret for secret in self._secrets if secret in text]

    def out_of_json(self, value: Any) -> Any:
        """A JSON value with all its texts without them."""
        if isinstance(value, str):
            return self.out_of(value)
        if isinstance(value, dict):
            return {name: self.out_of_json(one) for name, one in value.items()}
        return [self.out_of_json(one) for one in value] if isinstance(value, list) else value


async def hidden_of_page(vault: Vault, live: LiveSession, page: Page, *, anywhere: bool) -> Hidden:
    """What must not be shown of a page: what is kept of its session, and what the browser holds of it now.

    Args:
        vault: with the credentials and what is saved.
        live: the session.
        page: of it.
        anywhere: the page may be at other sites, whose state in this profile counts, too.
    """
    found = set(await asyncio.to_thread(lambda: set(_kept(vault, live.site, live.session, anywhere=anywhere))))
    with contextlib.suppress(Exception):  # a page that is closing: what is kept has to do
        async with asyncio.timeout(_PATIENCE):
            found |= set(_secrets(cookie.get("value", "") for cookie in await live.context.cookies()))
    for frame in page.frames[:_MOST_FRAMES]:
        with contextlib.suppress(Exception):  # storage that is denied to a frame
            async with asyncio.timeout(_PATIENCE):
                found |= set(_secrets(iter(await frame.evaluate(_STORED))))
    return Hidden(found)


async def hidden_of_session(vault: Vault, site: Site, session: Session) -> Hidden:
    """What must not be shown of a session, by what is kept."""
    return Hidden(await asyncio.to_thread(lambda: set(_kept(vault, site, session, anywhere=False))))


def _kept(vault: Vault, site: Site, session: Session, *, anywhere: bool) -> Iterator[str]:
    with contextlib.suppress(HandstampError):
        known = credentials_for(site.name, username=session.username, secrets=vault)
        yield from filter(None, (known.password, known.totp) if known else ())
    with contextlib.suppress(HandstampError):
        state = vault.load(session.profile, domains=None if anywhere else site.domains)
        yield from _secrets(cookie.value for cookie in state.cookies())
        stored = (value for kind in (PartKind.LOCAL, PartKind.SESSION) for part in state.of_kind(kind) for value in part.live().values())
        yield from _secrets(value for value in stored if isinstance(value, str))


def _secrets(values: Iterator[str]) -> Iterator[str]:
    for value in values:
        yield from (text for text in _texts(value) if could_be_secret(text))


def _texts(value: str) -> Iterator[str]:
    """A value, and the texts within it where it is JSON."""
    yield value
    if value[:1] in "{[" and value:
        with contextlib.suppress(ValueError, RecursionError):
            yield from _leaves(json.loads(value), _MOST_DEPTH)


def _leaves(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _leaves(one, depth - 1)


def could_be_secret(value: str) -> bool:
    """Whether a value is long and dense enough to let somebody in; else a page would lose the words that a site keeps as settings."""
    if not _LEAST <= len(value) <= _MOST or re.search(r"\s", value):
        return False
    return len(value) >= _SURE or any(character.isdigit() for character in value)
