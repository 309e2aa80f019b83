"""Containers for the lists: the same for the same account at every start, others for each account.

Owners, lines and vessels are made up. Numbers follow ISO 6346, so their check digits are right.
"""

from __future__ import annotations

import functools
import random
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

_OWNERS = ["HBRU", "TDLU", "QAYU", "NVLU", "SKFU", "ORNU"]
_LINES = ["Harbourline", "Tideland", "Quayside Atlantic", "Nova Levant", "Skerry Feeders"]
_VESSELS = ["Northern Heron", "Aurelia Tide", "Cape Tolver", "Sable Petrel", "Maren Oak", "Lantern Reach"]
_SIZES = ["20' DC", "40' DC", "40' HC", "40' HC", "45' HC", "20' RF", "40' RF", "20' OT"]
_PORTS = ["Valparaíso", "Gdańsk", "Santos", "Busan", "Durban", "Halifax", "Kotka", "Piraeus", "Nagoya", "Tema"]
_STATUSES = ["In yard", "In yard", "In yard", "On vessel", "On vessel", "Gated out", "Loaded"]
_LAST_ARRIVAL = date(2026, 3, 31)
_DAYS_BACK = 900
_HOLDS = ["", "", "", "", "", "", "Customs", "Freight", "Line"]


@dataclass(frozen=True, slots=True)
class Container:
    """One row of the list.

    Args:
        number: ISO 6346, owner code, serial number and check digit.
        free_days: days until storage costs money; below 0 it already does. None when it is not in the yard.
    """

    number: str
    size: str
    line: str
    vessel: str
    voyage: str
    port: str
    status: str
    position: str
    hold: str
    weight_kg: int
    free_days: int | None

    def as_json(self) -> dict[str, Any]:
        """As the API gives it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the long list, which goes back for years.

    Args:
        container: what the short list shows, too.
        reference: the account's own number for it; begins with the user name, so that a row of somebody else's shows.
        arrived: at the terminal.
    """

    container: Container
    reference: str
    arrived: date

    def as_json(self) -> dict[str, Any]:
        """As the API gives it."""
        return {**self.container.as_json(), "reference": self.reference, "arrived": self.arrived.isoformat()}


def check_digit(prefix: str) -> int:
    """The last digit of a container number (ISO 6346 annex A); `prefix` is its first ten characters."""
    total = sum(_value(character) << place for place, character in enumerate(prefix))
    return total % 11 % 10


def _value(character: str) -> int:
    """Digits count themselves; letters count from 10, leaving out the multiples of 11."""
    if character.isdigit():
        return int(character)
    place = ord(character) - ord("A")
    return 10 + place + (place + 9) // 10


def containers_of(username: str) -> list[Container]:
    """This account's containers, 36 to 56 of them, sorted by number."""
    chance = random.Random(f"fleet of {username}")  # noqa: S311  (it must give the same again, and hides nothing)
    rows = [_container(chance) for _ in range(chance.randint(36, 56))]
    return sorted(rows, key=lambda row: row.number)


@functools.lru_cache(maxsize=128)
def records_of(username: str) -> tuple[Record, ...]:
    """This account's long list, 2,000 to 4,000 rows, the latest arrival first; all of `containers_of` are in it."""
    chance = random.Random(f"long list of {username}")  # noqa: S311  (it must give the same again, and hides nothing)
    by_number = {row.number: row for row in containers_of(username)}
    wanted = chance.randint(2000, 4000)
    while len(by_number) < wanted:
        row = _container(chance)
        by_number.setdefault(row.number, row)
    arrivals = sorted((_LAST_ARRIVAL - timedelta(days=chance.randrange(_DAYS_BACK)) for _ in by_number), reverse=True)
    rows = zip(by_number.values(), arrivals, strict=True)
    return tuple(Record(row, f"{username}-{wanted - place:05d}", arrived) for place, (row, arrived) in enumerate(rows))


def record_of(username: str, number: str) -> Record | None:
    """The row of one container; None when the account has none of this number."""
    return next((record for record in records_of(username) if record.container.number == number), None)


def _container(chance: random.Random) -> Container:
    prefix = f"{chance.choice(_OWNERS)}{chance.randrange(1_000_000):06d}"
    status, size = chance.choice(_STATUSES), chance.choice(_SIZES)
    in_yard = status == "In yard"
    return Container(
        number=f"{prefix}{check_digit(prefix)}",
        size=size,
        line=chance.choice(_LINES),
        vessel=chance.choice(_VESSELS),
        voyage=f"{chance.randint(2, 48):02d}{chance.choice('EW')}",
        port=chance.choice(_PORTS),
        status=status,
        position=f"{chance.choice('ABCDEF')}{chance.randint(1, 24):02d}-{chance.randint(1, 9)}-{chance.randint(1, 5)}" if in_yard else "",
        hold=chance.choice(_HOLDS) if status != "Gated out" else "",
        weight_kg=chance.randrange(3_900, 14_000 if size.startswith("20") else 28_500, 20),
        free_days=chance.randint(-2, 6) if in_yard else None,
    )
