"""What can be done at a site: operations, each an async function with a typed input and a typed result, in one phase or several.

A site's operations are values in a module of its own, so that nobody loads pydantic who only logs in::

    class Query(BaseModel):
        infinite_scrolling: bool = False

    class Found(BaseModel):
        containers: list[str]

    @operation(gives=Found, repeatable=True)
    async def get_containers(run: Run, given: Query) -> Found:
        \"\"\"The containers of this account.\"\"\"
        await run.page.goto(run.site.url("/containers"))
        ...

    OPERATIONS = (get_containers,)

They appear as endpoints of the server, as `handstamp run`, as tools for agents and as Python calls. `find_operations` says where
such a module is looked for.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from playwright.async_api import Page
    from pydantic import BaseModel

    from handstamp.sites.site import Site

M = TypeVar("M", bound="BaseModel")


class Run(Protocol):
    """What an operation gets besides its input.

    Attributes:
        page: Playwright's, async, in the session's context, logged in. The first phase gets a fresh one, each later phase the one
            that the phase before left.
        site: where.
        username: whose session it is; None when nobody said.
    """

    @property
    def page(self) -> Page: ...  # noqa: D102
    @property
    def site(self) -> Site: ...  # noqa: D102
    @property
    def username(self) -> str | None: ...  # noqa: D102

    async def keep(self, name: str, data: bytes) -> str:
        """Keep a file for whoever asked; where they get it (a URL path of the server, a path of this machine). `name` shows its kind."""
        ...

    async def shot(self, label: str, *, object_id: str = "", selector: str | None = None) -> str:
        """A screenshot of the page (or of an element), stamped with time, user, URL and `object_id`, kept as a file; where they get it."""
        ...

    def tell(self, text: str) -> None:
        """A sentence about how far it is, for people who wait and for the debug bundle; no secrets."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of an operation after which it can stop for what is missing.

    Args:
        fields: the input that this phase needs, a pydantic model. A field of the same name in several phases is one field.
        act: does it, on the page that the phase before left. The last one gives the operation's result, the others None. What the
            site does not accept raises `OperationRefused`.
        title: for people: ``Phase 2``.
    """

    fields: type[BaseModel]
    act: Callable[[Run, Any], Awaitable[BaseModel | None]]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that can be done at a site.

    Args:
        name: as in the endpoint's path; a Python identifier.
        phases: at least one; with several it is a workflow, which is resumed where it stopped.
        gives: the result, a pydantic model.
        about: what it does, a sentence.
        repeatable: it may be done again when it was cut off, with the same outcome. Of a workflow: all phases but the last are so in
            any case (they are done again when the page is gone), and this says it of the last.
        evidence: leaves a debug bundle each time, not only when it fails or is asked to.
    """

    name: str
    phases: tuple[Phase, ...]
    gives: type[BaseModel]
    about: str
    repeatable: bool = False
    evidence: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be declared.

        Raises:
            TypeError: says what is wrong.
        """
        if not self.name.isidentifier() or not self.phases:
            raise TypeError(f"an operation needs a name that is a Python identifier, and at least one phase; {self.name!r} has not")

    @property
    def is_workflow(self) -> bool:
        """Whether it has several phases."""
        return len(self.phases) > 1


def operation(*, gives: type[BaseModel], repeatable: bool = False, evidence: bool = False) -> Callable[[Callable[[Run, Any], Awaitable[Any]]], Operation]:
    """An operation of one phase, made of an async function ``(run, given)``.

    Its name is the function's, its sentence the first line of the docstring, its input the annotation of the second argument.

    Args:
        gives: see `Operation`.
        repeatable: see `Operation`.
        evidence: see `Operation`.

    Raises:
        TypeError: the function is not async, or its second argument is not annotated with a pydantic model.
    """

    def made(act: Callable[[Run, Any], Awaitable[Any]]) -> Operation:
        return Operation(_name(act), (phase(act),), gives, _about(act), repeatable, evidence)

    return made


def phase(act: Callable[[Run, Any], Awaitable[Any]], *, title: str = "") -> Phase:
    """A phase, made of an async function ``(run, given)``; see `operation`."""
    if not inspect.iscoroutinefunction(act):
        raise TypeError(f"{_name(act)} must be an async function (run, given)")
    arguments = list(inspect.signature(act).parameters)
    fields = get_type_hints(act, localns={"Run": Run}).get(arguments[1]) if len(arguments) == 2 else None
    if not (isinstance(fields, type) and hasattr(fields, "model_fields")):
        raise TypeError(f"the second argument of {_name(act)} must be annotated with a pydantic model: what it takes")
    return Phase(fields, act, title)


def workflow(
    name: str,
    *acts: Callable[[Run, Any], Awaitable[Any]],
    gives: type[BaseModel],
    about: str,
    repeatable: bool = False,
    evidence: bool = True,
) -> Operation:
    """An operation in phases, made of an async function ``(run, given)`` for each, in order; see `Operation`."""
    phases = tuple(phase(act, title=f"Phase {number}") for number, act in enumerate(acts, 1))
    return Operation(name, phases, gives, about, repeatable, evidence)


def _name(act: Callable[..., Any]) -> str:
    return str(getattr(act, "__name__", act))


def _about(act: Callable[..., Any]) -> str:
    return (inspect.getdoc(act) or "").partition("\n")[0]
