"""Which selector finds an element again: by what its author named, never by what a build tool made up."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

STABLE = ("id", "name", "autocomplete", "data-testid", "aria-label", "type", "placeholder")
"""Attributes, the best first. Class names are never used: most are generated, the others are for looks."""
_GENERATED = re.compile(r"^:|:$|[0-9a-f]{8}|\d{4}|(?:^|[-_:])(?:r|ember|mui|radix|react-select|headlessui|yui|ext-gen)[-_:]*\w*\d", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_MIXED = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)[A-Za-z0-9_-]{8,}")


@dataclass(frozen=True, slots=True)
class Element:
    """A field or button as the page had it when it was used. Never what was typed.

    Args:
        tag: lower case.
        kind: its ``type``, lower case; of a field without one ``text``.
        attributes: those of `STABLE` that it has.
        counts: attribute -> how many elements of this tag in the document have the same value.
        in_form: the same among those in its form.
        text: what a button says.
        same_text: how many buttons say so.
    """

    tag: str
    kind: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    in_form: Mapping[str, int] = field(default_factory=dict)
    text: str = ""
    same_text: int = 0


def is_generated(value: str) -> bool:
    """Whether a name looks as if a program had made it up, so that the next build or visit has another."""
    return bool(_GENERATED.search(value)) or _MIXED.fullmatch(value) is not None


def selector_of(element: Element, *, form_with: str = "") -> str | None:
    """The selector by which to find `element` alone; None when nothing stable tells it from the others.

    Args:
        element: to find.
        form_with: selector of something in the same form, which helps where the document has several forms.
    """
    for name in STABLE:
        value = element.attributes.get(name, "")
        if value and not is_generated(value) and element.counts.get(name) == 1:
            return _by(element, name, value)
    for name in STABLE:
        value = element.attributes.get(name, "")
        if form_with and value and not is_generated(value) and element.in_form.get(name) == 1:
            return f"form:has({form_with}) {_by(element, name, value)}"
    if element.text and element.same_text == 1:
        return f"{element.tag}:has-text({_quoted(element.text)})"
    return None


def _by(element: Element, name: str, value: str) -> str:
    if name == "id" and _PLAIN.fullmatch(value):
        return f"#{value}"
    return f"{element.tag}[{name}={value if _PLAIN.fullmatch(value) else _quoted(value)}]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
