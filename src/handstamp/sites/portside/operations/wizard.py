"""The three pages of portside's appointment wizard: what they offer, filling them in, and what they say when they do not take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from handstamp.errors import OperationFailed, OperationRefused
from handstamp.sites.portside.operations.visiting import account_of, driving, expect, has, send, visit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from handstamp.sites.operation import Run

START = "/appointments/new"
MOVE, TRUCK, TIME = "#step-move", "#step-truck", "#step-time"
"""The forms of the three steps."""

FIELDS = {
    "company": "trucking_company",
    "terminal": "terminal",
    "move": "move_type",
    "container": "container_id",
    "plate": "truck_plate",
    "chassis": "own_chassis",
    "time": "appointment_time",
}
"""Name in the site's forms -> name in the operations."""
_MOST_NAMED = 12  # times in a message

_CHOICES = """() => Object.fromEntries([...document.querySelectorAll("#step-move select")].map((one) =>
  [one.name, [...one.options].filter((option) => option.value !== "").map((option) => option.text.trim())]))"""
_WRONG = """() => Object.fromEntries([...document.querySelectorAll(".wrong[data-field]")].map((one) => [one.dataset.field, one.textContent.trim()]))"""
_SLOTS = """() => [...document.querySelectorAll("#step-time input[name=time]")].map((one) => ({at: one.value, sold: one.disabled}))"""
_FACTS = """(list) => Object.fromEntries([...document.querySelectorAll(list + " dt")].map((one) =>
  [one.textContent.trim(), one.nextElementSibling.textContent.trim()]))"""
_SAID = ("Container", "Move", "Terminal", "Company", "Plate")


@dataclass(frozen=True, slots=True)
class Times:
    """The times that the last step shows.

    Args:
        left: those that can be had, in order: ``2026-01-12 08:00``.
        sold: those that somebody has.
    """

    left: tuple[str, ...]
    sold: tuple[str, ...]


def pick(field: str, wanted: str, offered: Sequence[str]) -> str:
    """The one of those on offer that is meant; capitals and spaces do not matter.

    Raises:
        OperationRefused: there is none; names the field and what there is.
    """
    for one in offered:
        if _folded(one) == _folded(wanted):
            return one
    raise OperationRefused(f"{field}: portside does not offer {wanted!r} to this account; there are: {', '.join(offered) or 'none'}")


def pick_time(wanted: str, times: Times) -> str:
    """The time that is meant, while it is left: ``2026-01-12 08:00`` or ``2026-01-12T08:00``.

    Raises:
        OperationRefused: it is sold out, or there is no such time; names those that are left.
    """
    meant = " ".join(wanted.upper().replace("T", " ").split())
    if meant in times.left:
        return meant
    why = f"{meant} is sold out" if meant in times.sold else f"there is no time {wanted!r}"
    raise OperationRefused(f"appointment_time: {why}; {left_over(times)}")


def left_over(times: Times) -> str:
    """The times that are left, for people."""
    if not times.left:
        return "no time is left"
    more = len(times.left) - _MOST_NAMED
    return f"left: {', '.join(times.left[:_MOST_NAMED])}{f' and {more} more' if more > 0 else ''}"


def refusal(wrong: Mapping[str, str], *, besides: str = "") -> OperationRefused:
    """The site's own words about each field, under the operation's name for it."""
    said = "; ".join(f"{FIELDS.get(field, field)}: {text}" for field, text in wrong.items())
    return OperationRefused(f"{said}{f' ({besides})' if besides else ''}")


async def send_move(run: Run, *, company: str, terminal: str, move: str, container: str) -> None:
    """The first step, from its beginning; leaves the page at the second.

    Raises:
        OperationRefused: the site does not offer one of these, or does not take the container.
        OperationFailed: the page is not as expected.
    """
    await visit(run, START, wants=MOVE)
    with driving(run, "filling in the first step of an appointment"):
        offered: dict[str, list[str]] = await run.page.evaluate(_CHOICES)
        for name, wanted in (("company", company), ("terminal", terminal), ("move", move)):
            if name not in offered:
                raise OperationFailed(f"the first step of an appointment at portside asks for no {name}; it asks for: {', '.join(offered)}", repeatable=True)
            await run.page.select_option(f"#{name}", label=pick(FIELDS[name], wanted, offered[name]))
        await run.page.fill("#container", container)
        await send(run, MOVE, repeatable=True)
        await _arrived(run, TRUCK)


async def send_truck(run: Run, *, plate: str, own_chassis: bool) -> None:
    """The second step, where the first has left the page; leaves it at the third.

    Raises:
        OperationRefused: the site does not take the plate.
        OperationFailed: the page is not as expected.
    """
    with driving(run, "filling in the second step of an appointment"):
        await expect(run, TRUCK, "the second step of an appointment")
        await account_of(run)
        await run.page.fill("#plate", plate)
        await run.page.check(f"{TRUCK} input[name=chassis][value={'yes' if own_chassis else 'no'}]")
        await send(run, TRUCK, repeatable=True)
        await _arrived(run, TIME)


async def read_times(run: Run) -> Times:
    """The times as they stand now; the page is loaded anew, since it may have waited for long.

    Raises:
        OperationFailed: the page is not at the third step, or the site has given the appointment up.
    """
    with driving(run, "reading the times"):
        await expect(run, TIME, "the third step of an appointment")
    if not await visit(run, urlsplit(run.page.url).path, wants=TIME):
        raise OperationFailed("portside has given this appointment up; begin again", repeatable=True)
    return await times_shown(run)


async def times_shown(run: Run) -> Times:
    """The times that the page shows."""
    with driving(run, "reading the times"):
        slots: Iterable[dict[str, Any]] = await run.page.evaluate(_SLOTS)
    return times_of(slots)


def times_of(slots: Iterable[Mapping[str, Any]]) -> Times:
    """The page's radio buttons, sorted out."""
    found = list(slots)
    return Times(tuple(slot["at"] for slot in found if not slot["sold"]), tuple(slot["at"] for slot in found if slot["sold"]))


async def facts_of(run: Run, shown: str, *, repeatable: bool = True) -> dict[str, str]:
    """What the page says of the appointment: ``{"Container": …, "Terminal": …}``.

    Args:
        run: of the operation.
        shown: selector of the list that says it.
        repeatable: whether the operation may be done again when something is missing there.

    Raises:
        OperationFailed: something is missing there.
    """
    with driving(run, "reading the appointment", repeatable=repeatable):
        facts: dict[str, str] = await run.page.evaluate(_FACTS, shown)
    missing = [name for name in _SAID if name not in facts]
    if missing:
        said = ", ".join(facts) or "nothing"
        raise OperationFailed(f"portside's page about the appointment does not say its {missing[0].lower()}; it says: {said}", repeatable=repeatable)
    return facts


async def wrong_fields(run: Run) -> dict[str, str]:
    """What the page says about fields that it did not take."""
    found: dict[str, str] = await run.page.evaluate(_WRONG)
    return found


async def _arrived(run: Run, step: str) -> None:
    """See that the answer is the next step, and not the same again with what is wrong."""
    if await has(run, step):
        return
    wrong = await wrong_fields(run)
    if wrong:
        raise refusal(wrong)
    await expect(run, step, "the appointment wizard")


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
