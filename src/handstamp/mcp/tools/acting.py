"""Doing something on a page: a click, something typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from handstamp.errors import Forbidden, InputInvalid
from handstamp.mcp.sensitive import field_of
from handstamp.mcp.targets import By, find, read_target
from handstamp.mcp.tool import tool
from handstamp.mcp.tools.looking import OnPage, PageState, check_inside, state_of

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle

    from handstamp.mcp.call import Call

_MILLISECONDS = 10_000.0
_TICKS = {"checkbox", "radio"}


class Clicked(OnPage):
    """What is to be clicked."""

    target: str = Field(
        description='One element: a ref out of read_page in mode accessibility (e12), a role with the accessible name (button "Search"), or CSS.',
        min_length=1,
        max_length=1000,
    )


class Filled(Clicked):
    """What is to be typed where."""

    value: str = Field(description="What is to stand there afterwards; of a list of choices the label or value of one.", max_length=20_000, repr=False)
    submit: bool = Field(default=False, description="Press Enter afterwards.")


class Acted(PageState):
    """What was done, and where the page is now."""

    found_by: By


@tool(group="act", takes=Clicked, gives=Acted, changes=True)
async def click(call: Call, given: Clicked) -> Acted:
    """Click an element of a page, and say where the page is then."""
    handle = call.bench.pages.find(given.handle, call.caller.name)
    target = read_target(given.target)
    async with call.bench.pages.visit(handle) as visit:
        check_inside(call, visit)
        element = await find(visit.page, target)
        await element.click(timeout=_MILLISECONDS)
        return Acted(**dict(await state_of(call, visit)), found_by=target.by)


@tool(group="act", takes=Filled, gives=Acted, changes=True)
async def fill(call: Call, given: Filled) -> Acted:
    """Type into a field of a page, or choose from a list.

    Fields for passwords and one-time codes are refused: logging in is what start_login does, and no secret of your user belongs
    into a tool call.
    """
    handle = call.bench.pages.find(given.handle, call.caller.name)
    target = read_target(given.target)
    async with call.bench.pages.visit(handle) as visit:
        check_inside(call, visit)
        element = await find(visit.page, target)
        await _put(element, given.value)
        if given.submit:
            await element.press("Enter", timeout=_MILLISECONDS)
        return Acted(**dict(await state_of(call, visit)), found_by=target.by)


async def _put(element: ElementHandle, value: str) -> None:
    field = await field_of(element)
    if field.takes_credentials:
        raise Forbidden("this is a field for a password or a code; handstamp fills it by itself (start_login), and nobody else through this tool")
    if field.kind in _TICKS or field.kind == "file":
        raise InputInvalid("nothing can be typed there; a box is ticked by click, and files cannot be sent by this tool")
    if field.tag == "SELECT":
        await element.select_option(value, timeout=_MILLISECONDS)
    else:
        await element.fill(value, timeout=_MILLISECONDS)
