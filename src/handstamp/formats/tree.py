"""``tree``: a folder of JSON files by domain: ``cookies/<domain>.json`` and ``storage/<domain>.json``.

A domain is a registrable one (`example.com` has the cookies of `www.example.com`, too), percent-encoded where a file name
could not hold it. A file of cookies is as format ``json`` has it; any other list of cookies that can be imported is read as well.
A file of storage is ``{"origins": [{"origin": …, "localStorage": [{"name": …, "value": …}], "sessionStorage": […]}]}``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from handstamp.formats import extensions, plain, playwright, selenium
from handstamp.formats.document import json_of, text_of
from handstamp.formats.notes import shown
from handstamp.formats.origins import everything, read_origin, scopes
from handstamp.state import PartKind, cookie_scope, host_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handstamp.formats.document import Node
    from handstamp.formats.intake import Intake
    from handstamp.state import StorageState

NAME = "tree"


@dataclass(frozen=True, slots=True)
class WrittenTree:
    """A state as files.

    Args:
        files: what to write, by path relative to the folder, with ``/`` between names on every system.
        notes: empty: a tree says everything. It is here as in `Written`.
    """

    files: Mapping[str, bytes] = field(repr=False)
    notes: tuple[str, ...] = ()


def parse(files: Mapping[str, bytes], intake: Intake) -> None:
    """Reads the files of a tree; other files are noted and left alone."""
    for path, data in sorted(files.items()):
        folder, _, name = path.rpartition("/")
        kind = folder.rpartition("/")[2]
        if not name.endswith(".json") or kind not in {"cookies", "storage"}:
            intake.note_each("files that are not of a tree were left out", shown(path))
            continue
        document = json_of(text_of(data, path), path)
        if kind == "cookies":
            _parse_cookies(document, intake)
        else:
            _parse_storage(document, unquote(name.removesuffix(".json")), intake)


def _parse_cookies(document: Node, intake: Intake) -> None:
    if document.value == []:
        return
    for module in (plain, extensions, selenium, playwright):
        if module.matches(document):
            module.parse(document, intake)
            return
    document.fail("a list of cookies")


def _parse_storage(document: Node, domain: str, intake: Intake) -> None:
    """Origins; or the bare pairs of one origin as simpler tools write them, then taken as localStorage of https at the file's name."""
    if not document.field("origins").absent:
        for node in document.field("origins").items():
            read_origin(node, intake)
    elif not document.field("origin").absent:
        read_origin(document, intake)
    else:
        intake.note_each("taken as localStorage of https, since the file names no origin", shown(domain))
        for name, node in zip(document.value, document.fields(), strict=True):
            intake.add_local(f"https://{domain}", name, node.text())


def dump(state: StorageState) -> dict[str, bytes]:
    """The files of `state`, by path."""
    files = {
        _path("cookies", part.id.scope): plain.dump_cookies(part.live().values()).encode("ascii") for part in state.of_kind(PartKind.COOKIES) if part.live()
    }
    by_domain: dict[str, list[dict[str, Any]]] = {}
    for scope in scopes(state):
        found = everything(state, scope)
        if len(found) > 1:
            by_domain.setdefault(cookie_scope(host_of(scope)) or "no-host", []).append(found)
    for domain, origins in by_domain.items():
        files[_path("storage", domain)] = (json.dumps({"origins": origins}, indent=1) + "\n").encode("ascii")
    return files


def _path(folder: str, domain: str) -> str:
    # A dot at the start would hide the file, and "." and ".." are no names.
    return f"{folder}/{quote(domain, safe='').replace('.', '%2E', 1) if domain.startswith('.') else quote(domain, safe='')}.json"
