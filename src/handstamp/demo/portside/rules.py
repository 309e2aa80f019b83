"""What the appointment wizard takes, and what it says about the rest; decisions over what was sent, no request, no page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.demo.portside.fleet import check_digit, record_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.demo.portside.appointments import Choices, Slot
    from handstamp.demo.portside.fleet import Container

Problems = dict[str, str]
"""Name of a field -> what is wrong with it."""

_NUMBER = re.compile(r"[A-Z]{4}[0-9]{7}")
_PLATE = re.compile(r"[A-Z0-9]{1,4}(?:[ -]?[A-Z0-9]{1,4}){1,2}")
_MOST_OF_A_PLATE = 10


@dataclass(frozen=True, slots=True)
class FirstStep:
    """What was sent in the first step."""

    company: str = ""
    terminal: str = ""
    move: str = ""
    container: str = ""


def check_first(username: str, sent: FirstStep, choices: Choices) -> Problems:
    """What is wrong with the first step."""
    problems = {}
    if sent.company not in choices.companies:
        problems["company"] = "Choose one of your trucking companies."
    if sent.terminal not in choices.terminals:
        problems["terminal"] = "Choose one of the terminals that your account can use."
    if sent.move not in choices.moves:
        problems["move"] = "Choose what the truck comes for."
    wrong = _about_container(username, sent)
    return problems | ({"container": wrong} if wrong else {})


def check_second(plate: str, chassis: str) -> Problems:
    """What is wrong with the second step; `plate` in capitals, `chassis` as the form carries it."""
    problems = {}
    if not (_PLATE.fullmatch(plate) and len(plate) <= _MOST_OF_A_PLATE and re.search("[0-9]", plate)):
        problems["plate"] = "Enter the plate as it is on the truck: 2 to 10 letters and digits, at least one digit."
    if chassis not in {"yes", "no"}:
        problems["chassis"] = "Say whether the truck brings its own chassis."
    return problems


def check_time(chosen: str, slots: Iterable[Slot]) -> Problems:
    """What is wrong with the time that was chosen."""
    found = next((slot for slot in slots if slot.key == chosen), None)
    if found is None:
        return {"time": "Choose one of the times below."}
    return {"time": f"The time {chosen} has just been sold out. Choose another one."} if found.sold else {}


def _about_container(username: str, sent: FirstStep) -> str | None:
    number = sent.container
    if not number:
        return "Enter a container number."
    if not _NUMBER.fullmatch(number):
        return f"{number[:20]} is not a container number. It has four letters and seven digits."
    if str(check_digit(number[:-1])) != number[-1]:
        return f"{number} is not a container number: its last digit does not fit the others."
    record = record_of(username, number)
    return _about_move(record.container, sent.move) if record else f"Container {number} is not in your account."


def _about_move(container: Container, move: str) -> str | None:
    if move == "Pick up full" and container.status != "In yard":
        return f"Container {container.number} cannot be picked up: it is not in the yard ({container.status.lower()})."
    if move == "Pick up full" and container.hold:
        return f"Container {container.number} cannot be picked up: it is on hold ({container.hold.lower()})."
    if move.startswith("Drop off") and container.status != "Gated out":
        return f"Container {container.number} cannot be dropped off: it has not left the terminal ({container.status.lower()})."
    return None
