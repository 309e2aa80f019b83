"""The stand-in portside, a session in it, and small operations whose steps can be counted."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from handstamp.async_api import signed_in
from handstamp.demo import BUILT_IN
from handstamp.operations import Files, Outcome, perform
from handstamp.sites import find_site
from handstamp.sites.operation import Operation, Run, operation, workflow
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from playwright.async_api import BrowserContext, Page

    from handstamp.demo import DemoServers
    from handstamp.sites import Site
    from handstamp.state import Session


@pytest.fixture
def demo(demo: DemoServers, home: Path, monkeypatch: pytest.MonkeyPatch) -> DemoServers:  # noqa: ARG001  (for the vault of each desk)
    """The stand-in sites, with an account that is known."""
    monkeypatch.setenv("HANDSTAMP_PORTSIDE_USERNAME", BUILT_IN[0].username)
    monkeypatch.setenv("HANDSTAMP_PORTSIDE_PASSWORD", BUILT_IN[0].password)
    return demo


@dataclass
class Desk:
    """A session that is open, and what is needed to do something in it."""

    context: BrowserContext
    session: Session
    site: Site
    vault: Vault
    files: Files
    pages: dict[str, Page] = field(default_factory=dict)

    async def do(self, wanted: Operation, given: dict[str, Any] | None = None, **more: Any) -> Outcome:
        return await perform(wanted, self.site, self.session, self.context, given or {}, vault=self.vault, files=self.files, pages=self.pages, **more)

    async def open_pages(self) -> list[Page]:
        """Those that stay: what an operation leaves is closed behind it."""
        async with asyncio.timeout(10):
            while set(self.context.pages) - set(self.pages.values()):  # noqa: ASYNC110  (Playwright tells of it page by page)
                await asyncio.sleep(0.01)
        return list(self.context.pages)


@pytest.fixture
def desk(demo: DemoServers, tmp_path: Path) -> Callable[..., Any]:
    """`async with desk() as here:` a session of its own context on one vault; a second one is another context on the same."""

    @asynccontextmanager
    async def opened(*, mode: Any = "shared") -> AsyncIterator[Desk]:
        assert demo.portside.url
        with Vault() as vault:
            async with signed_in("portside", vault=vault, mode=mode) as context:
                session = vault.session("default", "portside")
                assert session is not None
                yield Desk(context, session, find_site("portside", home=tmp_path / "home"), vault, Files(tmp_path / "files"))

    return opened


class Where(BaseModel):
    """First phase."""

    terminal: str
    pin: str = ""


class Truck(BaseModel):
    """Second phase."""

    truck_plate: str


class Slot(BaseModel):
    """Third phase."""

    appointment_time: str


class Booked(BaseModel):
    """The result."""

    booked: str


@dataclass
class Office:
    """A booking in three phases, which counts what is done, and does what a test plants in a phase."""

    done: list[str] = field(default_factory=list)
    planted: dict[int, Callable[[Run], Awaitable[None]]] = field(default_factory=dict)

    def booking(self, *, repeatable: bool = False, evidence: bool = False) -> Operation:
        async def first(run: Run, given: Where) -> None:
            await self._step(1, run, f"terminal {given.terminal}")
            await run.page.goto(run.site.url("/containers"))

        async def second(run: Run, given: Truck) -> None:
            await self._step(2, run, f"plate {given.truck_plate}")
            assert run.page.url.endswith("/containers")  # where the phase before left it

        async def third(run: Run, given: Slot) -> Booked:
            await self._step(3, run, f"slot {given.appointment_time}")
            return Booked(booked=f"{given.appointment_time} on {await run.page.title()}")

        # Annotations of functions in functions are found in no module.
        for act, model in ((first, Where), (second, Truck), (third, Slot)):
            act.__annotations__["given"] = model
        return workflow("book", first, second, third, gives=Booked, about="Book a slot.", repeatable=repeatable, evidence=evidence)

    async def _step(self, number: int, run: Run, what: str) -> None:
        self.done.append(what)
        if act := self.planted.pop(number, None):
            await act(run)


@pytest.fixture
def office() -> Office:
    return Office()


class Nothing(BaseModel):
    """Takes nothing."""


class Title(BaseModel):
    """A page's title."""

    title: str
    file_url: str = ""


@pytest.fixture
def titled() -> Callable[..., Operation]:
    """`titled(act)`: an operation of one phase that gives the title of the containers' page, after what a test wants done on it."""

    def made(act: Callable[[Run], Awaitable[Any]] | None = None, *, repeatable: bool = True, evidence: bool = False) -> Operation:
        async def get_title(run: Run, given: Nothing) -> Any:
            del given
            await run.page.goto(run.site.url("/containers"))
            found = await act(run) if act else None
            return Title(title=await run.page.title()) if found is None else found

        get_title.__annotations__["given"] = Nothing
        return operation(gives=Title, repeatable=repeatable, evidence=evidence)(get_title)

    return made
