"""What a person can read in an HTML document, as one line of text, in time linear to its size whatever it holds."""

from __future__ import annotations

import html
import re
import string

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_TAG_NAME = re.compile(r"/?([a-z][a-z0-9-]*)")
_BUTTON_TEXT = re.compile(r"""\bvalue\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_UNREAD = frozenset({"script", "style", "template", "noscript"})
_INLINE = frozenset(
    "a abbr b bdi bdo cite code em font i kbd label mark q s small span strong sub sup u wbr".split()  # noqa: SIM905  (reads better)
)


def page_text(document: str) -> str:
    """Text of the document, white space made single, entities resolved; hidden elements included, scripts not."""
    lower = document.translate(_LOWER)  # keeps every index, which str.lower() does not
    found: list[str] = []
    at = 0
    while at < len(document):
        start = document.find("<", at)
        if start < 0:
            break
        found.append(document[at:start])
        at, text = _past_tag(document, lower, start)
        found.append(text)
    found.append(document[at:])
    return folded(html.unescape("".join(found)))


def folded(text: str) -> str:
    """`text` with single spaces."""
    return " ".join(text.split())


def _past_tag(document: str, lower: str, start: int) -> tuple[int, str]:
    """Where the text goes on after what begins at `start`, and what this is for a reader."""
    if lower.startswith("<!--", start):
        return _after(lower, "-->", start + 4), ""
    named = _TAG_NAME.match(lower, start + 1)
    if named is None:
        return (_after(lower, ">", start), "") if lower.startswith(("<!", "<?"), start) else (start + 1, "<")
    end = _after(lower, ">", start)
    name = named[1]
    if name in _UNREAD and lower[start + 1] != "/":
        return _after(lower, ">", _after(lower, f"</{name}", end)), " "
    if name == "input":
        return end, _button(document[start:end])
    return end, "" if name in _INLINE else " "


def _after(text: str, what: str, start: int) -> int:
    found = text.find(what, start)
    return len(text) if found < 0 else found + len(what)


def _button(tag: str) -> str:
    """The words on an input that is a button."""
    words = _BUTTON_TEXT.search(tag) if re.search(r"""\btype\s*=\s*["']?(?:submit|button|reset)\b""", tag, re.IGNORECASE) else None
    return f" {words[1] or words[2] or ''} " if words else " "
