"""What the flow of a request asks its driver to do. A driver is sync or async; the flow is neither."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    Flow = Generator["Blocking | Send | Peek | Drop", Any, Any]


@dataclass(frozen=True, slots=True)
class Blocking:
    """Call this; it may wait for the vault, a login, another process. Gives what it returns."""

    do: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request by the library, redirects and its own auth included. Gives the response."""

    request: Any


@dataclass(frozen=True, slots=True)
class Peek:
    """The first octets of an answer's text, which can be read afterwards as if nobody had looked. Gives a text."""

    response: Any


@dataclass(frozen=True, slots=True)
class Drop:
    """Close a response that is not handed on."""

    response: Any
