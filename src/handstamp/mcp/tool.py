"""A tool: what it takes and gives, as pydantic models, and the function between them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mcp_types import InputRequiredResult, ToolAnnotations
from mcp_types import Tool as Listed
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp_types import ContentBlock

    from handstamp.mcp.call import Call

Group = Literal["read", "act", "login", "operations"]
Scope = Literal["read", "use"]


class Given(BaseModel):
    """What a tool takes. A field that it does not know is an error: it may be a mistyped one."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Result(BaseModel):
    """What a tool gives."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Reply:
    """A result with more than its JSON.

    Args:
        result: of the type that the tool gives.
        beside: pictures.
        text: what a model is to read in place of the result's JSON; empty for that.
    """

    result: BaseModel
    beside: tuple[ContentBlock, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool.

    Args:
        name: as a client calls it.
        group: by which it is allowed or denied.
        about: for the model that uses it.
        takes: its input.
        gives: its result.
        act: does it.
        scope: of a token that is enough for it.
        changes: it may change something at the site.
    """

    name: str
    group: Group
    about: str
    takes: type[BaseModel]
    gives: type[BaseModel]
    act: Callable[[Call, Any], Awaitable[BaseModel | Reply | InputRequiredResult]] = field(repr=False)
    scope: Scope = "use"
    changes: bool = False

    def listed(self) -> Listed:
        """As clients see it."""
        hints = ToolAnnotations(read_only_hint=not self.changes, destructive_hint=self.changes, open_world_hint=self.scope == "use")
        return Listed(
            name=self.name,
            description=self.about,
            input_schema=self.takes.model_json_schema(),
            output_schema=self.gives.model_json_schema(mode="serialization"),
            annotations=hints,
        )


def tool(
    *, group: Group, takes: type[BaseModel], gives: type[BaseModel], scope: Scope = "use", changes: bool = False
) -> Callable[[Callable[[Call, Any], Awaitable[BaseModel | Reply | InputRequiredResult]]], Tool]:
    """A tool, made of an async function ``(call, given)``: its name is the function's, its description the docstring. For the rest see `Tool`."""

    def made(act: Callable[[Call, Any], Awaitable[BaseModel | Reply | InputRequiredResult]]) -> Tool:
        about = " ".join((inspect.getdoc(act) or "").split())
        return Tool(act.__name__, group, about, takes, gives, act, scope, changes)

    return made
