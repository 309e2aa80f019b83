"""URLs without the secrets that travel in them, and what looks like a secret."""

from __future__ import annotations

import math
import re
from collections import Counter
from urllib.parse import unquote, urlsplit

MASK = "…"
_LEAST_TOKEN = 16
_LEAST_BITS = 3.0  # a character, on the average: a word of that length repeats itself
_NUMBERED = re.compile(r"\d{9,}|[0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-f]{16,}|eyJ[\w-]{8,}", re.IGNORECASE)
_WORDS = re.compile(r"[a-zA-Z]{2,14}(?:[-_.+][a-zA-Z]{1,14}|[-_.+]\d{1,4})*(?:\.[a-z0-9]{2,5})?")
_LONGEST = 300


def is_token_like(text: str) -> bool:
    """Whether it could be a credential: long, and made of many different characters."""
    if len(text) < _LEAST_TOKEN or any(character.isspace() for character in text):
        return False
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values()) >= _LEAST_BITS


def masked_url(url: str) -> str:
    """Where somebody was, without what could let in or name a person.

    User and password are left out, values of the query are left out and its names kept, segments of the path that look like tokens,
    numbers of accounts or mail addresses are masked. Of a fragment only a route (``#/inbox``) is kept, treated like a path.

    Args:
        url: absolute; of anything but http and https only the scheme is kept.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return MASK
    if parts.scheme not in {"http", "https"} or not host:
        return f"{parts.scheme}:"
    host = f"[{host}]" if ":" in host else host
    names = [_masked_name(pair.partition("=")[0]) for pair in parts.query.split("&") if pair]
    query = f"?{'&'.join(f'{name}=' for name in names)}" if names else ""
    route = parts.fragment.partition("?")[0] if parts.fragment.startswith(("/", "!/")) else ""
    place = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    return (place + (_masked_path(parts.path) or "/") + query + (f"#{_masked_path(route)}" if route else ""))[:_LONGEST]


def _masked_path(path: str) -> str:
    return "/".join(_masked_segment(segment) for segment in path.split("/"))


def _masked_segment(segment: str) -> str:
    """Names that people gave are words with dashes; all else that is long is not shown. ``a;jsessionid=…`` is two things."""
    name = segment.partition(";")[0]
    plain = unquote(name)
    if "@" in plain or _NUMBERED.search(plain) or (is_token_like(plain) and not _WORDS.fullmatch(plain)):
        return MASK
    return name


def _masked_name(name: str) -> str:
    """A query without ``=`` may be a token alone."""
    return MASK if "@" in unquote(name) or is_token_like(unquote(name)) or _NUMBERED.search(name) else name
