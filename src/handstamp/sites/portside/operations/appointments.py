"""Looking for appointments, and making one: two workflows through the same wizard, of which one stops before the last button."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field

from handstamp.errors import HandstampError, OperationFailed
from handstamp.sites.operation import workflow
from handstamp.sites.playwright_errors import page_error
from handstamp.sites.portside.operations.given import ContainerId  # noqa: TC001  (pydantic reads the annotation at run time)
from handstamp.sites.portside.operations.visiting import account_of, driving, has, send, visit
from handstamp.sites.portside.operations.wizard import (
    TIME,
    facts_of,
    left_over,
    pick_time,
    read_times,
    refusal,
    send_move,
    send_truck,
    times_shown,
    wrong_fields,
)

if TYPE_CHECKING:
    from handstamp.sites.operation import Run

Name = Annotated[str, Field(min_length=1, max_length=80)]

_LISTED = """([container, terminal, at]) => [...document.querySelectorAll("#appointments tbody tr")].find((row) =>
  row.dataset.container === container && row.dataset.terminal === terminal && row.dataset.time === at)?.dataset.number ?? null"""


class Move(BaseModel):
    """Phase 1: what is to be moved, where, by whom."""

    trucking_company: Name = Field(description="One of the account's trucking companies.", examples=["Alder Road Haulage"])
    terminal: Name = Field(description="One of the terminals that the account can use.", examples=["North Quay"])
    move_type: Name = Field(description="What the truck comes for.", examples=["Pick up full"])
    container_id: ContainerId


class Truck(BaseModel):
    """Phase 2: which truck."""

    truck_plate: str = Field(min_length=1, max_length=40, description="As it is on the truck.", examples=["KX 42 AB"])
    own_chassis: bool = Field(description="Whether the truck brings its own chassis.")


class Nothing(BaseModel):
    """Phase 3 of looking: nothing more."""


class Time(BaseModel):
    """Phase 3 of making: when."""

    appointment_time: str = Field(min_length=1, max_length=40, description="One of the times that check_appointments gives.", examples=["2026-01-12 08:00"])


class AvailableTimes(BaseModel):
    """What the terminal offers for this truck and container."""

    username: str = Field(description="Whose account it is, as the page says.")
    available_times: list[str] = Field(description="Times that can be had now, in order; another may take them at any moment.")
    sold_out_times: list[str]
    container_id: str
    terminal: str
    trucking_company: str
    move_type: str


class AppointmentMade(BaseModel):
    """The appointment."""

    username: str = Field(description="Whose account it is, as the page says.")
    appointment_confirmed: bool
    confirmation_number: str
    appointment_time: str
    container_id: str
    terminal: str
    trucking_company: str
    move_type: str
    truck_plate: str
    screenshot_url: str = Field(description="Of the confirmation; empty when none could be made.")


async def choose_move(run: Run, given: Move) -> None:
    """Phase 1."""
    await send_move(run, company=given.trucking_company, terminal=given.terminal, move=given.move_type, container=given.container_id)
    run.tell(f"portside takes {given.container_id} at {given.terminal}")


async def choose_truck(run: Run, given: Truck) -> None:
    """Phase 2."""
    await send_truck(run, plate=given.truck_plate, own_chassis=given.own_chassis)
    run.tell("portside takes the truck")


async def look(run: Run, given: Nothing) -> AvailableTimes:
    """Phase 3 of looking."""
    del given
    times, facts = await read_times(run), await facts_of(run, "#draft")
    run.tell(f"{len(times.left)} times are left")
    return AvailableTimes(
        username=await account_of(run),
        available_times=list(times.left),
        sold_out_times=list(times.sold),
        container_id=facts["Container"],
        terminal=facts["Terminal"],
        trucking_company=facts["Company"],
        move_type=facts["Move"],
    )


async def book(run: Run, given: Time) -> AppointmentMade:
    """Phase 3 of making. The button is pressed once; an answer that is lost is looked for in the list of appointments."""
    times, facts, username = await read_times(run), await facts_of(run, "#draft"), await account_of(run)
    at = pick_time(given.appointment_time, times)
    with driving(run, f"choosing {at}"):
        await run.page.check(f'{TIME} input[name=time][value="{at}"]')
    run.tell(f"asking for {at}")
    try:
        await send(run, TIME, repeatable=False)
        await _refused(run)
    except OperationFailed as failure:
        await _find_made(run, failure, container=facts["Container"], terminal=facts["Terminal"], at=at)
    return await _confirmed(run, username=username, at=at)


async def _refused(run: Run) -> None:
    """Raise when the answer to the last form is not the confirmation."""
    with driving(run, "reading the confirmation", repeatable=False):
        if await has(run, "#confirmation"):
            return
        wrong = await wrong_fields(run)
    if wrong:
        raise refusal(wrong, besides=left_over(await times_shown(run)))
    raise OperationFailed("portside has answered the appointment with a page that is no confirmation (#confirmation is missing)", repeatable=False)


async def _find_made(run: Run, failure: OperationFailed, *, container: str, terminal: str, at: str) -> None:
    """Open the confirmation of an appointment whose answer was lost. A time is one truck's, so there is no other that looks the same.

    Raises:
        OperationFailed: it is not in the list, or nobody can tell; it may still be made.
    """
    run.tell(f"no confirmation came ({failure}); looking for it in the list of appointments")
    number = None
    try:
        await visit(run, "/appointments", wants="main")
        with driving(run, "reading the list of appointments"):
            number = await run.page.evaluate(_LISTED, [container, terminal, at])
        found = number is not None and await visit(run, f"/appointments/made/{number}", wants="#confirmation")
    except HandstampError as error:
        unknown = f"{failure}; whether {at} was booked is not known ({error}); look at portside's appointments before you try again"
        raise OperationFailed(unknown, repeatable=False) from None
    if not found:
        raise OperationFailed(f"{failure}; {at} is not among portside's appointments now; look there again before you try again", repeatable=False) from None


async def _confirmed(run: Run, *, username: str, at: str) -> AppointmentMade:
    with driving(run, "reading the confirmation", repeatable=False):
        number = (await run.page.inner_text("#confirmation")).strip()
        confirmed = (await run.page.inner_text("#made-time")).strip()
    facts = await facts_of(run, "#made", repeatable=False)
    if confirmed != at:
        raise OperationFailed(f"portside has confirmed {confirmed} (number {number}) where {at} was asked for", repeatable=False)
    run.tell(f"confirmed under {number}")
    return AppointmentMade(
        username=username,
        appointment_confirmed=True,
        confirmation_number=number,
        appointment_time=at,
        container_id=facts["Container"],
        terminal=facts["Terminal"],
        trucking_company=facts["Company"],
        move_type=facts["Move"],
        truck_plate=facts["Plate"],
        screenshot_url=await _shot(run, number),
    )


async def _shot(run: Run, number: str) -> str:
    """A screenshot, if one can be made: an appointment that is made is not lost for want of a picture."""
    try:
        return await run.shot("appointment", object_id=number)
    except (HandstampError, page_error()) as error:
        run.tell(f"no screenshot of the confirmation could be made: {type(error).__name__}")
        return ""


check_appointments = workflow(
    "check_appointments",
    choose_move,
    choose_truck,
    look,
    gives=AvailableTimes,
    about="The times at which a truck can come for a container; nothing is booked.",
    repeatable=True,
)
make_appointment = workflow(
    "make_appointment",
    choose_move,
    choose_truck,
    book,
    gives=AppointmentMade,
    about="Makes an appointment for a truck and a container, and says under which number it is confirmed.",
)
