"""Which element of a page is meant: by a reference out of the accessibility snapshot, by role and name, or by CSS."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from handstamp.errors import InputInvalid
from handstamp.sites.playwright_errors import is_timeout, page_error, raise_if_gone

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle, Locator, Page

_REF = re.compile(r"(?:\[?ref=)?((?:f[0-9]+)?e[0-9]+)\]?")
_ROLE = re.compile(r'([a-z]+) "((?:[^"\\]|\\.)*)"')
_SECONDS = 10.0
_REF_SECONDS = 2.0  # what the snapshot has shown is there, or gone

By = Literal["ref", "role", "css"]


@dataclass(frozen=True, slots=True)
class Target:
    """What was meant.

    Args:
        by: how it is looked for.
        value: the reference, the role, or the selector.
        name: accessible name, of a role.
    """

    by: By
    value: str
    name: str = ""


def read_target(text: str) -> Target:
    """What a text means: ``e12`` (or ``ref=e12``), ``button "Search"``, else CSS, with or without ``css=`` before it."""
    text = text.strip()
    if found := _REF.fullmatch(text):
        return Target("ref", found[1])
    if found := _ROLE.fullmatch(text):
        return Target("role", found[1], re.sub(r"\\(.)", r"\1", found[2]))
    return Target("css", text.removeprefix("css="))


async def find(page: Page, target: Target) -> ElementHandle:
    """The one element that is meant.

    Raises:
        InputInvalid: there is none, or there are several.
    """
    try:
        found = await _locator(page, target).element_handle(timeout=(_REF_SECONDS if target.by == "ref" else _SECONDS) * 1000)
    except page_error() as error:
        raise_if_gone(error, page)
        raise InputInvalid(_reason(target, error)) from None
    return found


def _locator(page: Page, target: Target) -> Locator:
    if target.by == "ref":
        return page.locator(f"aria-ref={target.value}")
    if target.by == "role":
        return page.get_by_role(cast("Any", target.value), name=target.name, exact=True)
    return page.locator(f"css={target.value}")


def _reason(target: Target, error: Exception) -> str:
    if "strict mode violation" in str(error):
        return "several elements of the page fit the target; read the page as 'accessibility' and use a ref"
    if target.by == "ref":
        return f"the page has no element {target.value} any more; read it again as 'accessibility'"
    if is_timeout(error):
        return "no element of the page fits the target; read the page as 'accessibility' and use a ref"
    return "the target is no valid selector; use a ref, a role with its name in double quotes, or CSS"
