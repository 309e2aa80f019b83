"""Flows: one generator says what to do, step by step, and a driver does it, sync or async. The flow is neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

S = TypeVar("S")
T = TypeVar("T")


def drive(flow: Generator[S, Any, T], do: Callable[[S], Any]) -> T:
    """What a flow gives in the end.

    Args:
        flow: yields steps and gets their results; what a step raises is raised in it, so that it lets go of what it holds.
        do: does one step.
    """
    try:
        step = next(flow)
        while True:
            try:
                result = do(step)
            except BaseException as error:  # noqa: BLE001  (the flow raises it again)
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as end:
        given: T = end.value
        return given


async def adrive(flow: Generator[S, Any, T], do: Callable[[S], Awaitable[Any]]) -> T:
    """The same, with steps that are awaited."""
    try:
        step = next(flow)
        while True:
            try:
                result = await do(step)
            except BaseException as error:  # noqa: BLE001  (the flow raises it again)
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as end:
        given: T = end.value
        return given
