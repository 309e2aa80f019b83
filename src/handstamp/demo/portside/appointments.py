"""Appointments of trucks at portside: what an account can choose from, which times are left, and which appointments were made."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

COMPANIES = [
    "Alder Road Haulage",
    "Brightwater Trucking",
    "Cobble Lane Carriers",
    "Dunlin Transport",
    "Eastmole Drayage",
    "Fennimore Freight",
    "Gullwing Logistics",
]
TERMINALS = ["North Quay", "Heron Basin", "Tidewater Pier", "Lantern Dock", "Breakwater South"]
MOVES = ["Pick up full", "Drop off full", "Drop off empty"]

_DAYS = 4
_FIRST, _LAST = time(6), time(18)
_EVERY = timedelta(minutes=30)
_SOLD_SHARE = 0.35


@dataclass(frozen=True, slots=True)
class Choices:
    """What an account can choose from."""

    companies: tuple[str, ...]
    terminals: tuple[str, ...]
    moves: tuple[str, ...] = tuple(MOVES)


@dataclass(frozen=True, slots=True)
class Slot:
    """A time at a terminal, for one truck.

    Args:
        at: its begin, in the terminal's own time.
        sold: somebody has it.
    """

    at: datetime
    sold: bool

    @property
    def key(self) -> str:
        """As the form carries it: ``2026-01-12 08:00``."""
        return self.at.strftime("%Y-%m-%d %H:%M")


@dataclass(frozen=True, slots=True)
class Appointment:
    """A truck that comes at a time.

    Args:
        number: the confirmation number.
        at: as in `Slot.key`.
    """

    number: str
    username: str
    company: str
    terminal: str
    move: str
    container: str
    plate: str
    own_chassis: bool
    at: str


def choices_of(username: str) -> Choices:
    """Three or four of the terminals and as many trucking companies; always the same for an account."""
    chance = random.Random(f"choices of {username}")  # noqa: S311  (it must give the same again, and hides nothing)
    return Choices(tuple(sorted(chance.sample(COMPANIES, chance.randint(3, 4)))), tuple(sorted(chance.sample(TERMINALS, chance.randint(3, 4)))))


def day_slots(terminal: str, first: date) -> list[Slot]:
    """The times of a terminal on `first` and the days after; about a third was sold before anybody here came."""
    found = []
    for day in (first + timedelta(days=number) for number in range(_DAYS)):
        at = datetime.combine(day, _FIRST)
        while at.time() < _LAST:
            chance = random.Random(f"{terminal} {at}")  # noqa: S311  (it must give the same again, and hides nothing)
            found.append(Slot(at, chance.random() < _SOLD_SHARE))
            at += _EVERY
    return found


@dataclass(slots=True)
class Appointments:
    """All appointments that were made since the start, of all accounts."""

    _by_number: dict[str, Appointment] = field(default_factory=dict)
    _taken: set[tuple[str, str]] = field(default_factory=set)

    def slots(self, terminal: str, first: date, *, sold_out: bool = False) -> list[Slot]:
        """The times of a terminal as they stand now."""
        return [Slot(slot.at, slot.sold or sold_out or (terminal, slot.key) in self._taken) for slot in day_slots(terminal, first)]

    def take(self, terminal: str, at: str) -> None:
        """Somebody has this time."""
        self._taken.add((terminal, at))

    def new_number(self) -> str:
        """A confirmation number that no appointment has."""
        while (number := f"PT-{secrets.randbelow(900_000) + 100_000}") in self._by_number:
            pass
        return number

    def add(self, made: Appointment) -> None:
        """It was made; its time is taken."""
        self._by_number[made.number] = made
        self.take(made.terminal, made.at)

    def of(self, username: str) -> list[Appointment]:
        """This account's, the latest made first."""
        return [made for made in reversed(self._by_number.values()) if made.username == username]

    def find(self, username: str, number: str) -> Appointment | None:
        """This account's appointment of this number."""
        made = self._by_number.get(number)
        return made if made is not None and made.username == username else None
