"""A sync face says what its async twin says: docstrings are written once."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Face = TypeVar("_Face", bound=type)


def documented_as(twin: type) -> Callable[[_Face], _Face]:
    """A decorator that gives a class and its public methods the docstrings of `twin`.

    Raises:
        TypeError: one of the two has a public method that the other has not.
    """

    def documented(face: _Face) -> _Face:
        mine, theirs = _public(face), _public(twin)
        if mine.keys() != theirs.keys():
            raise TypeError(f"{face.__name__} and its twin differ in {sorted(mine.keys() ^ theirs.keys())}")
        face.__doc__ = twin.__doc__
        for name, method in mine.items():
            method.__doc__ = theirs[name].__doc__
        return face

    return documented


def _public(face: type) -> dict[str, Callable[..., object]]:
    return {name: method for name, method in inspect.getmembers(face, inspect.isfunction) if not name.startswith("_")}
