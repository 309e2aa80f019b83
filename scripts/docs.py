"""Writes into the pages of docs/ what the code knows better: every part between two marks, and the list of all pages.

    <!-- errors: written by `make docs` -->
    …
    <!-- end of errors -->

`make docs` runs it; `--check` only names the pages that it would change (exit status 1).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import docs_commands
import docs_formats
import docs_leases
import docs_names
import docs_tables
import redirect_trap

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).resolve().parent.parent / "docs"
INDEX = DOCS / "README.md"
FOLDERS = ("how-to", ".", "reference", "decisions")
_PART = re.compile(r"(<!-- (?P<name>[a-z-]+): written by `make docs` -->\n).*?(<!-- end of (?P=name) -->)", re.DOTALL)


def main(arguments: list[str]) -> int:
    """Writes the pages, or with `--check` compares them; the exit status."""
    stale = []
    for page in sorted(DOCS.rglob("*.md")):
        old = page.read_text(encoding="utf-8")
        new = written(old)
        if new != old:
            stale.append(page)
            if "--check" not in arguments:
                page.write_text(new, encoding="utf-8")
    for page in stale:
        print(f"{page.relative_to(DOCS)} {'is not what `make docs` writes' if '--check' in arguments else 'is written anew'}")
    return int("--check" in arguments and bool(stale))


def written(page: str) -> str:
    """The page with all its parts as they are now."""
    return _PART.sub(lambda part: f"{part[1]}{_part(part['name'])}{part[3]}", page)


def _part(name: str) -> str:
    if name not in PARTS:
        message = f"nothing is called '{name}' that could be written; there are {', '.join(PARTS)}"
        raise SystemExit(message)
    # A table or heading needs an empty line around it, a list that follows a comment does not.
    lines = PARTS[name]()
    return "".join(f"{line}\n" for line in (lines if name == "pages" else ["", *lines, ""]))


def pages() -> list[str]:
    """The list of all pages but the index."""
    return [entry(page) for page in sorted(DOCS.rglob("*.md"), key=_place) if page != INDEX]


def _place(page: Path) -> tuple[int, str]:
    """What one does first, then what one wants to know, then the small print."""
    folder = page.relative_to(DOCS).parent.as_posix()
    return (FOLDERS.index(folder) if folder in FOLDERS else len(FOLDERS), page.as_posix())


def entry(page: Path) -> str:
    """One line of the list: the page's title as a link, and the first sentence below it."""
    text = page.read_text(encoding="utf-8")
    title = re.search(r"^# (.+)$", text, re.MULTILINE)
    first = re.search(r"^(?![#|<>!\-*\s]|```)(.+(?:\n(?!\n).+)*)", text, re.MULTILINE)
    if title is None or first is None:
        message = f"{page}: a page begins with a title (`# …`) and a sentence"
        raise SystemExit(message)
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(first[1].split()))  # its links lead from where it stands
    sentence = re.split(r"(?<=[.!?])\s", plain, maxsplit=1)[0]
    return f"- [{title[1]}]({page.relative_to(DOCS).as_posix()}): {sentence}"


PARTS: dict[str, Callable[[], list[str]]] = {
    "pages": pages,
    "errors": docs_tables.errors,
    "health": docs_tables.health,
    "leases": docs_leases.leases,
    "commands": docs_commands.commands,
    "formats": docs_formats.matrix,
    "names": docs_names.names,
    "redirects": redirect_trap.table,
}

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
