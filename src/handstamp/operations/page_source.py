"""A page's HTML for a debug bundle: its structure and words, without scripts, hidden values, typed passwords and tokens."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from handstamp.operations.blanking import SECRET_NAME, looks_like_token
from handstamp.state.masking import MASK, masked_url

if TYPE_CHECKING:
    from handstamp.operations.blanking import Blanking

_KEPT = frozenset({"class", "d", "for", "height", "id", "lang", "points", "rel", "role", "style", "type", "viewbox", "width"})
_ADDRESSES = frozenset({"action", "cite", "data", "formaction", "href", "ping", "poster", "src", "srcset"})
_SHOWN_INPUTS = frozenset(
    {"", "button", "checkbox", "date", "datetime-local", "email", "month", "number", "radio", "range", "reset", "search", "submit", "text"}
)
_LEFT_OUT = frozenset({"script", "noscript", "template"})
_RAW = re.compile(r"<(noscript)\b[^>]*>.*?</noscript\s*>", re.DOTALL | re.IGNORECASE)
"""A browser writes what is in it as it came, and the parser takes very long for what is no HTML; all else it writes well-formed."""
_VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"])


def blanked_page(html: str, blanking: Blanking) -> str:
    """The HTML of a page without what could let in."""
    writer = _Writer(blanking)
    writer.feed(_RAW.sub(r"<\1></\1>", html))
    writer.close()
    return blanking.known("".join(writer.written))


class _Writer(HTMLParser):
    def __init__(self, blanking: Blanking) -> None:
        super().__init__(convert_charrefs=True)
        self.written: list[str] = []
        self._blanking = blanking
        self._left_out = ""
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._left_out:
            return
        names = {name: value or "" for name, value in attrs}
        self.written.append("".join(["<", tag, *(f' {name}="{escape(self._value(tag, name, value, names))}"' for name, value in names.items()), ">"]))
        self._style = tag == "style"
        if tag in _LEFT_OUT:
            self._left_out = tag

    def handle_endtag(self, tag: str) -> None:
        if self._left_out and tag != self._left_out:
            return
        self._left_out, self._style = "", False
        if tag not in _VOID:
            self.written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._left_out:
            self.written.append(data if self._style else escape(self._blanking.text(data), quote=False))

    def handle_decl(self, decl: str) -> None:
        self.written.append(f"<!{decl}>")

    def _value(self, tag: str, name: str, value: str, attributes: dict[str, str]) -> str:
        """One attribute's value; event handlers are scripts, and comments never come here."""
        if name.startswith("on") or SECRET_NAME.search(name):
            return MASK
        if name in {"value", "content"} and (_is_hidden(tag, attributes) or SECRET_NAME.search(_called(attributes))):
            return MASK
        if name in _ADDRESSES:
            return _address(value)
        return value if name in _KEPT else self._blanking.text(value)


def _is_hidden(tag: str, attributes: dict[str, str]) -> bool:
    return tag == "input" and attributes.get("type", "").lower() not in _SHOWN_INPUTS


def _called(attributes: dict[str, str]) -> str:
    return " ".join(attributes.get(name, "") for name in ("name", "id", "property", "http-equiv", "autocomplete"))


def _address(value: str) -> str:
    if "//" in value:
        return masked_url(value)
    path, _, query = value.partition("#")[0].partition("?")
    if ":" in path or any(looks_like_token(part) for part in path.split("/")):
        return MASK  # data:, javascript:
    names = "&".join(f"{pair.partition('=')[0]}=" for pair in query.split("&") if "=" in pair)
    return f"{path}?{names}" if query else path
