"""Errors that are not ours, in our shape: of the routing, and of what pydantic finds in a request. They show no value of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from handstamp.errors import HandstampError, InputMissing
from handstamp.server.refusals import InvalidRequest, MethodRefused, NotThere, Unexpected

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_SAID_BY_OTHERS = frozenset({"value_error", "assertion_error", "union_tag_invalid"})
"""Kinds of errors whose message may hold the value."""
_UNKNOWN = "a field is not known here; /docs lists those that are"  # its name may be a value in the wrong place
_MOST_PROBLEMS = 5


def of_routing(status: int) -> HandstampError:
    """The error for what the framework refused by itself."""
    if status == 404:
        return NotThere("nothing is at this path; /docs lists what there is")
    if status == 405:
        return MethodRefused("this path takes another method; the header Allow names it")
    if status < 500:
        return InvalidRequest("the request's body is no JSON that can be read")
    return Unexpected("the server has failed; its log says where")


def of_fields(details: Iterable[Mapping[str, Any]]) -> HandstampError:
    """The error for a request that does not fit its model.

    Args:
        details: as pydantic lists them.
    """
    every = list(details)
    if any(detail["type"] == "json_invalid" for detail in every):
        return InvalidRequest("the request's body is no JSON that can be read")
    missing = tuple(_field(detail["loc"]) for detail in every if detail["type"] == "missing" and len(detail["loc"]) == 2)
    if missing and len(missing) == len(every):
        return InputMissing(f"Missing required field{'s' if len(missing) > 1 else ''}: {', '.join(missing)}", missing=missing)
    if not _field(every[0]["loc"]):
        return InvalidRequest("the request's body must be a JSON object, sent with Content-Type: application/json")
    said = dict.fromkeys(_UNKNOWN if detail["type"] == "extra_forbidden" else f"{_field(detail['loc'])}: {_said(detail)}" for detail in every)
    return InvalidRequest("; ".join(list(said)[:_MOST_PROBLEMS]), missing=missing)


def _field(where: Iterable[Any]) -> str:
    """``body → terminal`` is ``terminal``; a name that can be none of a field is not repeated."""
    parts = [str(part) for part in where][1:]
    return ".".join(part if _NAME.fullmatch(part) or part.isdecimal() else "?" for part in parts)


def _said(detail: Mapping[str, Any]) -> str:
    if detail["type"] in _SAID_BY_OTHERS:
        return "is not what it must be"
    text = str(detail["msg"])
    return text[:1].lower() + text[1:]
