"""A container's way through the terminal, and how its pre-gate check went: in words for some, for others only in a picture."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from handstamp.demo.portside.fleet import Record

SIZE = 96  # pixels, both ways
_FINER = 4  # drawn this much larger, so that edges are smooth

_PAPER = (255, 255, 255)
_GREENS = [(21, 128, 61), (22, 142, 74), (17, 112, 52)]
_REDS = [(180, 35, 24), (196, 44, 30), (160, 28, 20)]
_GREYS = [(140, 150, 158), (128, 138, 146)]

_COMMON = [
    ("Announced", "by the line"),
    ("Discharged", "from the vessel"),
    ("Put into the yard", "by straddle carrier"),
    ("Documents received", "terminal office"),
]
_LATER = [("Customs released", "terminal office"), ("Reefer check", "block D"), ("Moved in the yard", "by straddle carrier"), ("Weighed", "gate lane 3")]
_LAST = {"Gated out": ("Left the terminal", "gate lane 5"), "Loaded": ("Loaded", "on the vessel"), "On vessel": ("Sailed", "with the vessel")}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline."""

    at: datetime
    what: str
    where: str


@dataclass(frozen=True, slots=True)
class Pregate:
    """How the pre-gate check went.

    Args:
        passed: None before it was made.
        drawn: the page has no word about it, only the picture.
    """

    passed: bool | None
    drawn: bool


def events_of(record: Record) -> list[Event]:
    """What happened to this container, the earliest first; always the same."""
    chance = _chance("events", record)
    steps = [*_COMMON, *chance.sample(_LATER, chance.randint(1, len(_LATER)))]
    if record.container.status in _LAST:
        steps.append(_LAST[record.container.status])
    at = datetime.combine(record.arrived, time(chance.randint(0, 12), chance.randint(0, 59)), UTC)
    found = []
    for what, where in steps:
        found.append(Event(at, what, where))
        at += timedelta(minutes=chance.randint(20, 2000))
    return found


def pregate_of(record: Record, *, always_drawn: bool = False) -> Pregate:
    """The container's check; one that was not made yet is told in words, unless all are drawn."""
    chance = _chance("pregate", record)
    passed = None if chance.random() < 0.1 else chance.random() < 0.6
    drawn = chance.random() < 0.5 and passed is not None
    return Pregate(passed, drawn or always_drawn)


def draw(record: Record, *, passed: bool | None) -> bytes:
    """The status as PNG without a word: a white tick on green, a white cross on red, a white bar on grey for no check yet.

    No two containers have quite the same picture, so its bytes do not tell, only what is on it.
    """
    chance = _chance("badge", record)
    side = SIZE * _FINER
    image = Image.new("RGB", (side, side), _PAPER)
    pen = ImageDraw.Draw(image)
    middle, radius = side / 2, side * chance.uniform(0.40, 0.46)
    pen.ellipse(
        [middle - radius, middle - radius, middle + radius, middle + radius], fill=chance.choice(_GREYS if passed is None else _GREENS if passed else _REDS)
    )
    for line in _strokes(passed):
        points = [(middle + x * radius, middle + y * radius) for x, y in line]
        pen.line(points, fill=_PAPER, width=int(radius * chance.uniform(0.18, 0.24)), joint="curve")
    out = io.BytesIO()
    image.resize((SIZE, SIZE), Image.Resampling.LANCZOS).save(out, "PNG")
    return out.getvalue()


def _strokes(passed: bool | None) -> list[list[tuple[float, float]]]:  # noqa: FBT001  (a value of three, no switch)
    """Lines of the sign in a circle of radius 1."""
    if passed is None:
        return [[(-0.5, 0.0), (0.5, 0.0)]]
    if passed:
        return [[(-0.5, 0.05), (-0.15, 0.4), (0.5, -0.35)]]
    return [[(-0.4, -0.4), (0.4, 0.4)], [(-0.4, 0.4), (0.4, -0.4)]]


def _chance(what: str, record: Record) -> random.Random:
    return random.Random(f"{what} of {record.reference} {record.container.number}")  # noqa: S311  (it must give the same again, and hides nothing)
