"""What must not be read off a page: the session's own secrets, wherever a page may show them. What is looked for is known; nothing is guessed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from typing import TYPE_CHECKING, Any

from handstamp.errors import HandstampError
from handstamp.operations.blanking import SECRET_NAME, Blanking, looks_like_token
from handstamp.sites import credentials_for
from handstamp.state import PartKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from playwright.async_api import Page

    from handstamp.pool import LiveSession
    from handstamp.sites import Site
    from handstamp.state import Session
    from handstamp.vault import Vault

_LEAST, _MOST = 8, 4000  # characters: shorter is no secret, longer a document
_PATIENCE = 3.0  # seconds for a page that may hang
_MOST_FRAMES = 20
_MOST_DEPTH = 6
_STORED = """() => [localStorage, sessionStorage].flatMap(storage => {
    const values = [];
    for (let index = 0; index < storage.length && index < 500; index++) values.push([storage.key(index), storage.getItem(storage.key(index))]);
    return values.filter(([name, value]) => name !== null && value !== null && value.length < 100000);
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
            held = await live.context.cookies()
            found |= set(_of_cookies((one["name"], one["value"], one["httpOnly"]) for one in held))
    for frame in page.frames[:_MOST_FRAMES]:
        with contextlib.suppress(Exception):  # storage that is denied to a frame
            async with asyncio.timeout(_PATIENCE):
                found |= set(_of_storage(iter(await frame.evaluate(_STORED))))
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
        yield from _of_cookies((cookie.name, cookie.value, cookie.http_only) for cookie in state.cookies())
        parts = (part for kind in (PartKind.LOCAL, PartKind.SESSION) for part in state.of_kind(kind))
        yield from _of_storage((str(key[-1]), value) for part in parts for key, value in part.live().items() if isinstance(value, str))


def _of_cookies(cookies: Iterator[tuple[str, str, bool]]) -> Iterator[str]:
    """What scripts cannot read is a secret, however it is called."""
    for name, value, http_only in cookies:
        if http_only and len(value) >= _LEAST:
            yield value
        else:
            yield from secret_texts(name, value)


def _of_storage(items: Iterator[tuple[str, str]]) -> Iterator[str]:
    for name, value in items:
        yield from secret_texts(name, value)


def secret_texts(name: str, value: str) -> Iterator[str]:
    """What of a named value may let somebody in: all of it or, where it is JSON, texts within it.

    A site keeps much else in its storage, such as what somebody last searched for; that must stay readable on its pages.
    """
    for inner, text in _texts(name, value):
        if _LEAST <= len(text) <= _MOST and not re.search(r"\s", text) and (SECRET_NAME.search(inner) or looks_like_token(text)):
            yield text


def _texts(name: str, value: str) -> Iterator[tuple[str, str]]:
    """A value, and the texts within it where it is JSON, each with its name."""
    yield name, value
    if value.startswith(("{", "[")):
        with contextlib.suppress(ValueError, RecursionError):
            yield from _leaves(name, json.loads(value), _MOST_DEPTH)


def _leaves(name: str, value: Any, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif depth and isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(key, one, depth - 1)
    elif depth and isinstance(value, list):
        for one in value:
            yield from _leaves(name, one, depth - 1)
