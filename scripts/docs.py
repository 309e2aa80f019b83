"""Writes the list of pages in docs/README.md from the pages themselves: title, and first sentence.

`make docs` runs it; `--check` only says whether it would change something (exit status 1).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"
INDEX = DOCS / "README.md"
_BEGIN, _END = "<!-- pages: written by `make docs` -->", "<!-- end of pages -->"


def main(arguments: list[str]) -> int:
    """Writes the index, or with `--check` compares it; the exit status."""
    old = INDEX.read_text(encoding="utf-8")
    new = with_pages(old, [entry(page) for page in sorted(DOCS.rglob("*.md")) if page != INDEX])
    if "--check" in arguments:
        return int(old != new)
    INDEX.write_text(new, encoding="utf-8")
    return 0


def entry(page: Path) -> str:
    """One line of the list: the page's title as a link, and the first sentence below it."""
    text = page.read_text(encoding="utf-8")
    title = re.search(r"^# (.+)$", text, re.MULTILINE)
    first = re.search(r"^(?![#|<>!\-*`\s])(.+(?:\n(?!\n).+)*)", text, re.MULTILINE)
    if title is None or first is None:
        message = f"{page}: a page begins with a title (`# …`) and a sentence"
        raise SystemExit(message)
    sentence = re.split(r"(?<=[.!?])\s", " ".join(first[1].split()), maxsplit=1)[0]
    return f"- [{title[1]}]({page.relative_to(DOCS).as_posix()}): {sentence}"


def with_pages(index: str, entries: list[str]) -> str:
    """The index with this list between its two marks."""
    before, _, rest = index.partition(_BEGIN)
    after = rest.partition(_END)[2]
    return "\n".join([before + _BEGIN, *entries, _END]) + after


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
