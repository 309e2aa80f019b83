"""What happened to one container, and whether it passed the pre-gate check: in words on some pages, only drawn on others."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  (pydantic reads the annotation at run time)
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from pydantic import BaseModel, Field

from handstamp.errors import OperationFailed, OperationRefused
from handstamp.sites.operation import operation
from handstamp.sites.portside.operations.badge import read_badge
from handstamp.sites.portside.operations.given import ContainerId  # noqa: TC001  (pydantic reads the annotation at run time)
from handstamp.sites.portside.operations.visiting import account_of, driving, expect, visit

if TYPE_CHECKING:
    from handstamp.sites.operation import Run

Method = Literal["dom_text", "image", "none"]

_WORDS = {"passed": True, "not passed": False, "not checked yet": None}
"""What the page says -> whether it passed."""

_EVENTS = """() => [...document.querySelectorAll("#timeline li")].map((line) => ({
  at: line.querySelector("time")?.dateTime ?? "",
  what: line.querySelector(".what")?.textContent.trim() ?? "",
  where: line.querySelector(".where")?.textContent.trim() ?? "",
}))"""
_LOADED = "(image) => image.decode().then(() => true, () => false)"


class Asked(BaseModel):
    """Which container."""

    container_id: ContainerId


class TimelineEvent(BaseModel):
    """Something that happened to the container."""

    at: datetime
    what: str
    where: str


class Timeline(BaseModel):
    """One container's way."""

    username: str = Field(description="Whose container it is, as the page says.")
    container_id: str
    passed_pregate: bool | None = Field(description="Null when the check was not made yet, or the page does not tell.")
    detection_method: Method = Field(description="Whether this was written on the page, read from a picture, or not there.")
    screenshot_url: str
    events: list[TimelineEvent]


@operation(gives=Timeline, repeatable=True)
async def get_container_timeline(run: Run, given: Asked) -> Timeline:
    """What happened to a container so far, and whether it has passed the pre-gate check."""
    number = given.container_id
    if not await visit(run, f"/containers/{quote(number, safe='')}", wants="#timeline"):
        raise OperationRefused(f"container_id: portside has no container {number} in this account; get_containers lists those that there are")
    with driving(run, f"reading the timeline of {number}"):
        events = await run.page.evaluate(_EVENTS)
        passed, method = await _pregate(run)
        username = await account_of(run)
    run.tell(f"container {number}: {len(events)} events, pre-gate by {method}")
    return Timeline(
        username=username,
        container_id=number,
        passed_pregate=passed,
        detection_method=method,
        screenshot_url=await run.shot("timeline", object_id=number),
        events=[TimelineEvent.model_validate(event) for event in events],
    )


def in_words(text: str) -> bool | None:
    """What a written status says.

    Raises:
        OperationFailed: it is none of those that the site used to write.
    """
    folded = " ".join(text.casefold().split())
    if folded not in _WORDS:
        raise OperationFailed(f"portside writes {text!r} as pre-gate status, which is none of: {', '.join(_WORDS)}", repeatable=True)
    return _WORDS[folded]


async def _pregate(run: Run) -> tuple[bool | None, Method]:
    await expect(run, "#pregate", "the container page")
    written = await run.page.query_selector("#pregate .chip")
    if written is not None:
        return in_words(await written.inner_text()), "dom_text"
    drawn = await run.page.query_selector("#pregate img")
    if drawn is None:
        return None, "none"
    if not await drawn.evaluate(_LOADED):
        raise OperationFailed("the picture of the pre-gate status did not load", repeatable=True)
    return read_badge(await drawn.screenshot(type="png")), "image"
