"""Operations of a site for tests: they do to the server what sites' packages can do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, SecretStr

from handstamp.errors import OperationRefused
from handstamp.sites.operation import Run, operation, workflow

FOLDER = Path(__file__).parent


class Wait(BaseModel):
    file: str = Field(description="Wait until it is there; it says so in FILE.begun.")


class Waited(BaseModel):
    waited: bool


@operation(gives=Waited)
async def wait_for(run: Run, given: Wait) -> Waited:
    """Waits."""
    del run
    begun = Path(f"{given.file}.begun")
    begun.touch()
    while not Path(given.file).exists():  # noqa: ASYNC110  (the test is in another thread, and has no loop)
        await asyncio.sleep(0.02)
    begun.rename(f"{given.file}.done")
    return Waited(waited=True)


class Fail(BaseModel):
    how: Literal["refused", "broken"]
    secret: SecretStr = SecretStr("")


@operation(gives=Waited)
async def fail(run: Run, given: Fail) -> Waited:
    """Fails."""
    del run
    if given.how == "refused":
        raise OperationRefused("the site says no")
    raise ValueError(f"unforeseen {given.secret.get_secret_value()}")


class Told(BaseModel):
    text: str
    user: str | None


class Nothing(BaseModel):
    pass


@operation(gives=Told)
async def tell(run: Run, given: Nothing) -> Told:
    """Text that no encoding has."""
    del given
    return Told(text="\ud800", user=run.username)


class Value(BaseModel):
    value: Literal["nan", "object"]


class Measured(BaseModel):
    value: float


@operation(gives=Measured)
async def measure(run: Run, given: Value) -> Measured:
    """A number that JSON does not have, or none at all."""
    del run
    return Measured.model_construct(value=float("nan") if given.value == "nan" else object())


class Who(BaseModel):
    name: str


class Colour(BaseModel):
    colour: Literal["red", "blue"]


async def _first(run: Run, given: Who) -> None: ...
async def _second(run: Run, given: Colour) -> Told:
    return Told(text=given.colour, user=run.username)


OPERATIONS = (wait_for, fail, tell, measure, workflow("paint", _first, _second, gives=Told, about="Paints.", evidence=False))
