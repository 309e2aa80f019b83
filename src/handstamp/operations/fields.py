"""What an operation takes: its fields, what of them is missing, and what is wrong with those that were given. Values only, no I/O."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from pydantic import SecretBytes, SecretStr, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from handstamp.errors import InputInvalid, InputMissing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from handstamp.sites.operation import Operation, Phase

_SECRET = re.compile(r"passw|passphrase|secret|token|otp|api_?key|cvv|cvc|(?:^|_)(?:pin|code|key|captcha)(?:$|_)", re.IGNORECASE)
_MOST_PROBLEMS = 5


@dataclass(frozen=True, slots=True)
class Read:
    """The input of one phase, read.

    Args:
        model: it; None when something is missing or wrong.
        missing: names of the fields that it needs and that were not given.
        problems: sentences about what was given and cannot be.
    """

    model: BaseModel | None
    missing: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def fields_of(phase: Phase) -> dict[str, FieldInfo]:
    """The fields of a phase by the names that callers use: the alias where a field has one."""
    return {info.alias or name: info for name, info in phase.fields.model_fields.items()}


def all_fields(operation: Operation) -> dict[str, FieldInfo]:
    """The fields of all phases, in order; of those that several have, the first one's."""
    found: dict[str, FieldInfo] = {}
    for phase in operation.phases:
        for name, info in fields_of(phase).items():
            found.setdefault(name, info)
    return found


def is_secret(name: str, info: FieldInfo | None = None) -> bool:
    """Whether a field's value must not be shown: by its type, or by what it is called."""
    kinds = {SecretStr, SecretBytes}
    return _SECRET.search(name) is not None or (info is not None and bool(kinds & {info.annotation, *get_args(info.annotation)}))


def plain(operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given as JSON values, which can be kept. A field that is None was not given.

    Raises:
        InputInvalid: the operation has no such field, or its value is none that can be kept.
    """
    known = all_fields(operation)
    for name in given:
        if name not in known:
            raise InputInvalid(_unknown(operation, name, list(known)), operation=operation.name)
    return {name: _as_json(operation, name, value) for name, value in given.items() if value is not None}


def read(phase: Phase, known: Mapping[str, Any]) -> Read:
    """A phase's input, of everything that is known."""
    fields = fields_of(phase)
    try:
        return Read(phase.fields.model_validate({name: known[name] for name in fields if name in known}))
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
    missing = [str(detail["loc"][0]) for detail in details if _is_missing(detail)]
    problems = [_problem(detail, fields) for detail in details if not _is_missing(detail)]
    return Read(None, tuple(name for name in fields if name in missing), tuple(problems))


def check(operation: Operation, known: Mapping[str, Any], *, workflow_id: str = "", phase: int = 0) -> None:
    """Refuse what no phase can take, before anything is done; what is missing is no matter here.

    Raises:
        InputInvalid: names the fields, and what they may be; never a secret value.
    """
    problems = [problem for one in operation.phases for problem in read(one, known).problems]
    if problems:
        text = "; ".join(list(dict.fromkeys(problems))[:_MOST_PROBLEMS])
        raise InputInvalid(text, operation=operation.name, appointment_session_id=workflow_id, phase=phase)


def model_of(operation: Operation, known: Mapping[str, Any]) -> BaseModel:
    """The input of an operation in one phase.

    Raises:
        InputInvalid: see `check`.
        InputMissing: names the fields.
    """
    check(operation, known)
    found = read(operation.phases[0], known)
    if found.model is None:
        raise InputMissing(missing_sentence(found.missing), operation=operation.name, missing=found.missing)
    return found.model


def missing_sentence(missing: Iterable[str], phase: Phase | None = None) -> str:
    """``Missing required field for Phase 2: truck_plate``."""
    names = list(missing)
    where = f" for {phase.title}" if phase is not None and phase.title else ""
    return f"Missing required field{'s' if len(names) > 1 else ''}{where}: {', '.join(names)}"


def secret_values(operation: Operation, known: Mapping[str, Any]) -> set[str]:
    """Values of secret fields, to keep them out of what is shown."""
    fields = all_fields(operation)
    return {str(value) for name, value in known.items() if is_secret(name, fields.get(name))}


def _is_missing(detail: ErrorDetails) -> bool:
    return detail["type"] == "missing" and len(detail["loc"]) == 1


def _problem(detail: ErrorDetails, fields: Mapping[str, FieldInfo]) -> str:
    where = [str(part) for part in detail["loc"]]
    if not where:  # a rule about several fields at once: a sentence of the site's package
        secret = any(is_secret(name, info) for name, info in fields.items())
        return f"{', '.join(fields)} do not go together" if secret else _said(detail)
    if is_secret(where[0], fields.get(where[0])):
        return f"{where[0]} is not what it must be"
    return f"{'.'.join(where)}: {_said(detail)}"


def _said(detail: ErrorDetails) -> str:
    text = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return text[:1].lower() + text[1:]


def _unknown(operation: Operation, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=2, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it takes {', '.join(known) or 'none'}."
    return f"{operation.name} has no field '{name}'; {hint}"


def _as_json(operation: Operation, name: str, value: object) -> Any:
    opened = value.get_secret_value() if isinstance(value, SecretStr | SecretBytes) else value
    try:
        return to_jsonable_python(opened)
    except (PydanticSerializationError, ValueError, RecursionError):
        raise InputInvalid(f"{name} is a {type(value).__name__}, which cannot be kept; give JSON values", operation=operation.name) from None
