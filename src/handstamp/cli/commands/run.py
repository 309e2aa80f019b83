"""Do something at a site, in a session: one of its operations. Without OPERATION, list what there is. It needs the extra `operations`.

    handstamp run portside
    handstamp run portside get_container_timeline --container-id HBRU1112085

The operation's fields are options, which stand behind its name; `handstamp run SITE OPERATION --help` lists them. A workflow that
waits for a field goes on with --resume and that field. Files that it makes go to --out, readable for you only.
"""

from __future__ import annotations

import os
import sys
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handstamp.cli.call import add_profile
from handstamp.cli.output import painted
from handstamp.cli.parser import Parser
from handstamp.cli.tables import columns, heading, pairs
from handstamp.errors import OperationError
from handstamp.home import home

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from handstamp.cli.call import Call
    from handstamp.cli.output import Output
    from handstamp.sites.operation import Operation

_MOST_ROWS = 50
_SOON = 1.0  # seconds after which somebody who waits wants to know how far it is


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("site", help="name or URL of the site")
    parser.add_argument("operation", nargs="?", help="which; without it they are listed")
    add_profile(parser)
    parser.add_argument("--resume", metavar="ID", help="go on with a workflow that waits")
    parser.add_argument("--evidence", action="store_true", help="leave a debug bundle (screenshots, page, console, requests) also when nothing fails")
    parser.add_argument("--out", metavar="DIR", help="where files go (else the folder files in the home directory, where they end after a day)")


def further_arguments(parser: argparse.ArgumentParser, typed: Sequence[str], home_directory: str | None) -> None:
    """Say what the operation takes that was typed.

    Args:
        parser: gets an option for each field.
        typed: behind the command's name.
        home_directory: what ``--home`` said before it.
    """
    first = Parser(prog=parser.prog, add_help=False, allow_abbrev=False)
    arguments(first)
    first.add_argument("--home", default=home_directory)
    words = [word for word in typed if word not in {"-h", "--help"}]
    if not any(not word.startswith("-") for word in words):
        return  # the command's own help, or its complaint
    known, _ = first.parse_known_intermixed_args(words)
    if known.operation is None:
        return
    wanted = _found(known.site, known.operation, Path(os.path.abspath(known.home)) if known.home else home())  # noqa: PTH100  (links are refused, not followed)
    from handstamp.cli.operation_options import add_fields  # noqa: PLC0415  (needs the extra, which finding has looked for)

    parser.description = f"{wanted.about}\n\n{'A workflow: fields can be given bit by bit, with --resume.' if wanted.is_workflow else ''}".strip()
    add_fields(parser, wanted, taken=[option for action in parser._actions for option in action.option_strings])  # noqa: SLF001  (argparse offers no other way)


def run(call: Call, *, site: str, operation: str | None, profile: str, resume: str | None, evidence: bool, out: str | None, **typed: Any) -> int | None:
    """Do it."""
    if operation is None:
        _list(call, site)
        return None
    wanted = _found(site, operation, call.home)
    from handstamp.cli.operation_options import given_fields  # noqa: PLC0415  (see above)
    from handstamp.operations import Files  # noqa: PLC0415
    from handstamp.operations.sync_api import call as do  # noqa: PLC0415

    given = given_fields(wanted, typed)
    files = Files(Path(os.path.abspath(out)) if out else call.home / "files")  # noqa: PTH100  (a link is refused, not followed)
    try:
        with call.output.working(f"{operation} at {site} …"):
            outcome = do(site, operation, profile=profile, given=given, workflow_id=resume, files=files, evidence=evidence, tell=_telling(call.output))
    except OperationError as error:
        return _failed(call.output, error, go_on(error, wanted, site, profile))
    facts = outcome.facts()
    call.output.show(facts, lambda: _picture(facts))
    return None


def _found(site: str, operation: str, place: Path) -> Operation:
    from handstamp.operations.find import find_operation  # noqa: PLC0415  (see above)

    return find_operation(site, operation, home=place)[1]


def _list(call: Call, site: str) -> None:
    from handstamp.operations import find_operations  # noqa: PLC0415  (see above)

    known = call.site(site)
    operations = find_operations(known, home=call.home)
    call.output.show({"site": known.name, "operations": [_facts(one) for one in operations.values()]}, lambda: _table(known.name, operations.values()))


def _table(site: str, operations: Iterable[Operation]) -> Iterator[RenderableType]:
    rows = [(one.name, _fields(one), one.about) for one in operations]
    if rows:
        yield columns(("OPERATION", "FIELDS", "WHAT IT DOES"), rows)
    else:
        yield f"{site} has no operations; docs/how-to/operations.md says how to write one."


def _fields(operation: Operation) -> str:
    """``terminal, move_type; truck_plate, [own_chassis]``: phases apart, what may be left out in brackets."""
    from handstamp.operations.fields import fields_of  # noqa: PLC0415  (see above)

    phases = [", ".join(name if info.is_required() else f"[{name}]" for name, info in fields_of(phase).items()) for phase in operation.phases]
    return "; ".join(text for text in phases if text)


def _facts(operation: Operation) -> dict[str, Any]:
    return {
        "name": operation.name,
        "about": operation.about,
        "workflow": operation.is_workflow,
        "repeatable": operation.repeatable,
        "phases": [{"title": phase.title, "fields": phase.fields.model_json_schema()} for phase in operation.phases],
        "gives": operation.gives.model_json_schema(),
    }


def _telling(output: Output) -> Callable[[str], None]:
    """Prints how far it is, once it has taken a while."""
    began = time.monotonic()

    def tell(text: str) -> None:
        if not output.as_json and time.monotonic() >= began + _SOON:
            with output.paused():
                output.note(_one_line(text))

    return tell


def _picture(facts: dict[str, Any]) -> Iterator[RenderableType]:
    tables = {name: value for name, value in facts.items() if isinstance(value, list) and value and all(isinstance(row, dict) for row in value)}
    yield pairs([(name, _cell(value)) for name, value in facts.items() if name not in tables and value is not None])
    for name, rows in tables.items():
        titles = list(dict.fromkeys(key for row in rows for key in row))
        yield heading(name)
        yield columns([title.upper() for title in titles], [[_cell(row.get(title)) for title in titles] for row in islice(rows, _MOST_ROWS)])
        if len(rows) > _MOST_ROWS:
            yield f"… and {len(rows) - _MOST_ROWS} more; --json has all."


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return "" if value is None else str(value)


def _failed(output: Output, error: OperationError, command: str) -> int:
    """Say what went wrong, and for a workflow that waits with which command it goes on."""
    if output.as_json:
        facts = {
            "error": str(error),
            "code": error.code,
            "operation": error.operation,
            "repeatable": error.repeatable,
            "missing": list(error.missing),
            "appointment_session_id": error.appointment_session_id or None,
            "current_phase": error.phase or None,
            "debug_bundle_url": error.bundle or None,
        }
        output.show(facts, list)
    else:
        output.error(_one_line(str(error)), error.code)
        for line in (f"Go on with: {command}" if command else "", f"What it looked like: {error.bundle}" if error.bundle else ""):
            if line:
                output.note(painted(line, "2", sys.stderr))
    return error.exit_status


def go_on(error: OperationError, operation: Operation, site: str, profile: str) -> str:
    """The command that goes on with a workflow that waits; empty when none does."""
    if not error.appointment_session_id or not error.repeatable:
        return ""
    from handstamp.cli.operation_options import option_of  # noqa: PLC0415  (see above)
    from handstamp.operations.fields import all_fields, is_secret  # noqa: PLC0415

    known = all_fields(operation)
    words = ["handstamp", "run", site, operation.name, *([] if profile == "default" else ["--profile", profile]), "--resume", error.appointment_session_id]
    missing = [option_of(name) + ("" if is_secret(name, known.get(name)) else " …") for name in error.missing]
    return " ".join([*words, *missing])


def _one_line(text: str) -> str:
    return " ".join(text.split())
