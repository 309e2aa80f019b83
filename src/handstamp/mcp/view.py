"""A page as text for a model: what it says, or its accessibility tree, without secrets, and marked as what it is."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from typing import TYPE_CHECKING, Literal
from urllib.parse import urljoin

from handstamp.mcp.sensitive import LOOK, Field
from handstamp.state.masking import MASK, masked_url

if TYPE_CHECKING:
    from playwright.async_api import Frame, Locator, Page

    from handstamp.mcp.hidden import Hidden

Mode = Literal["text", "accessibility"]
_PATIENCE = 10.0
_MOST_FRAMES = 20
_FIELDS = "input, textarea, select"
_VALUE = re.compile(r"^(?P<field>\s*- '?(?:textbox|searchbox|combobox|spinbutton|slider)\b.*?\[ref=(?P<ref>(?:f\d+)?e\d+)\][^:]*): (?P<value>.+)$")
_LINK = re.compile(r"^(?P<before>\s*- /url: )(?P<url>.+)$")


async def text_of(page: Page, mode: Mode, hidden: Hidden) -> str:
    """What the page says, without secrets."""
    async with asyncio.timeout(_PATIENCE):
        return await (_tree(page, hidden) if mode == "accessibility" else _words(page, hidden))


async def _words(page: Page, hidden: Hidden) -> str:
    found = []
    for frame in page.frames[:_MOST_FRAMES]:
        with contextlib.suppress(Exception):  # a frame that goes away meanwhile
            found.append(str(await frame.evaluate("document.body ? document.body.innerText : ''")))
    return hidden.out_of("\n\n".join(text for text in found if text.strip()))


async def _tree(page: Page, hidden: Hidden) -> str:
    lines = (await page.aria_snapshot(mode="ai", timeout=_PATIENCE * 1000)).splitlines()
    return hidden.out_of("\n".join([await _line(page, line) for line in lines]))


async def _line(page: Page, line: str) -> str:
    if found := _LINK.match(line):
        return f"{found['before']}{shown_link(page.url, found['url'])}"
    if found := _VALUE.match(line):
        field = Field.read(await page.locator(f"aria-ref={found['ref']}").evaluate(LOOK, timeout=1000))
        return f"{found['field']}: {MASK}" if field.is_secret else line
    return line


def shown_link(base: str, link: str) -> str:
    """A link as it may be shown; it is followed by its ref, so nothing is lost."""
    plain = link.strip("\"'")
    masked = masked_url(urljoin(base, plain))
    own = masked_url(urljoin(base, "/")).rstrip("/")
    return masked.removeprefix(own) if plain.startswith("/") and not plain.startswith("//") and masked.startswith(f"{own}/") else masked


async def covered(page: Page, hidden: Hidden) -> list[Locator]:
    """What of the page a picture must not show: fields with secrets, and places where a known one stands."""
    found: list[Locator] = []
    for frame in page.frames[:_MOST_FRAMES]:
        with contextlib.suppress(Exception):  # a frame that goes away meanwhile
            found += await _covered_in(frame, hidden)
    return found


async def _covered_in(frame: Frame, hidden: Hidden) -> list[Locator]:
    fields = frame.locator(_FIELDS)
    found = []
    for number, seen in enumerate(await fields.evaluate_all(f"elements => elements.map({LOOK})")):
        field = Field.read(seen)
        if field.value and (field.is_secret or hidden.out_of(field.value) != field.value):
            found.append(fields.nth(number))
    text = str(await frame.evaluate("document.body ? document.body.innerText : ''"))
    if hidden.out_of(text) != text:
        found += [frame.get_by_text(secret) for secret in hidden.found_in(text)]
    return found


def marked(text: str, nonce: str | None = None) -> str:
    """Text of a page between marks that it cannot forge."""
    nonce = nonce or secrets.token_hex(8)
    return f"<page-content {nonce}>\n{text}\n</page-content {nonce}>"
